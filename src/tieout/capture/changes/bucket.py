"""The bucket: which files of changes S3 holds under a prefix, and how a file is known as the one that was read.

One list tells of all files what changes when they do, so a pass that finds nothing new costs nothing else. A file is
fetched whole, in one request and under its tag, when it is first read: what is read is one content of it, whatever is
put in its place meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from ...base.errors import Transient
from ...base.folder import make_folder, refusal
from ...base.s3 import Bucket, Entry
from .inbox import ENDINGS, Stamp, is_shown

_memory_bytes_max = 16 << 20
"""Larger files wait in a file without a name, which goes with the process."""


class BucketFile:
    """Implements `Opened`."""

    def __init__(self, bucket: Bucket, entry: Entry, file: BinaryIO) -> None:
        self._bucket = bucket
        self._entry = entry
        self._file = file
        self._is_fetched = False

    @property
    def file(self) -> BinaryIO:
        if not self._is_fetched:
            if not self._bucket.fetch(self._entry.key, self._entry.etag, self._file):
                raise Transient(
                    f"{self._bucket.where(self._entry.key)} was replaced or deleted since it was listed.",
                    hint="Put each file once, under a name of its own; it is tried again.",
                )
            self._is_fetched = True
            self._file.seek(0)
        return self._file

    def stamp(self) -> Stamp:
        """Of the one content that this file has."""
        entry = self._entry
        return Stamp(entry.size, int(entry.written_at.timestamp()) * 10**9, tag=entry.etag)


class BucketInbox:
    """Implements `Inbox`: the changes files under an address, by their keys behind its prefix. `spool` is the folder in
    which large files wait while they are read."""

    def __init__(self, bucket: Bucket, spool: Path) -> None:
        self._bucket = bucket
        self._spool = spool
        self._listed: dict[str, Entry] = {}

    def names(self) -> tuple[str, ...]:
        self._listed = {entry.key: entry for entry in self._bucket.entries() if is_ours(entry.key)}
        return tuple(sorted(self._listed))

    @contextmanager
    def open(self, name: str) -> Iterator[BucketFile | None]:
        """As it was listed last; one that was not listed is looked for."""
        entry = self._listed.get(name) or self._found(name)
        if entry is None:
            yield None
            return
        try:
            make_folder(self._spool)
            with SpooledTemporaryFile(max_size=_memory_bytes_max, dir=str(self._spool)) as file:
                yield BucketFile(self._bucket, entry, cast(BinaryIO, file))
        except OSError as error:
            raise refusal(self._spool, error) from error

    def _found(self, name: str) -> Entry | None:
        # A key stands before all that begin with it.
        entry = next(self._bucket.entries(name), None)
        return entry if entry is not None and entry.key == name else None


def is_ours(key: str) -> bool:
    """Whether a key is of a file of changes, and no folder on the way to it is hidden."""
    return key.endswith(ENDINGS) and all(map(is_shown, key.split("/")))
