"""The landing in S3: `s3://<bucket>/<prefix>/<source>/<object>/<sha256>.parquet`, laid out as on a disk.

A batch is put in one request that S3 takes whole or not at all, and that fails where the key is taken. So of two that
put one batch at once, one does; and where the answer was lost, the second try finds what the first has put. Objects are
never changed and never deleted, but for one that is damaged: it is mended when its batch is put again. Nothing is left
half-written, as nothing is put in parts, and what S3 acknowledged is durable: there is no spool to sweep and nothing to
sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, unquote

import pyarrow as pa

from ..base.batch import Batch, Footer
from ..base.codec import sha256_hex
from ..base.errors import Transient
from ..base.s3 import Bucket
from ..base.step import Passing, Step, unobserved
from ..base.stream import SOURCE_NAME, Stream
from .layout import CERTIFICATES, CERTIFIED, IDENTITY, SEALED, SUFFIX, certificate_name, stream_at
from .sealing import footer_bytes, missing, read_footer, seal, unseal

_TAIL_BYTES = 64 << 10
"""Read from the end of a batch for its footer: nearly always all of it, in one request."""
_MEND = "Remove its delete marker, if the bucket keeps versions, or restore it from a copy."
_LOOKS_MAX = 4
"""How often we look again when what is there changes between two requests."""


class S3Landing:
    """Implements `Landing`, and `Identified`."""

    def __init__(self, bucket: Bucket, *, passing: Passing = unobserved) -> None:
        self._bucket = bucket
        self._passing = passing

    def put(self, footer: Footer, changes: pa.Table) -> str:
        data = seal(footer, changes).to_pybytes()
        name = sha256_hex(data)
        self._keep(_key(footer.stream, name), data)
        self._passing(Step.SEALED)
        return name

    def names(self, source: str | None = None) -> Iterator[tuple[Stream, str]]:
        """As the list tells it. A store whose lists lag may leave out the newest; they can be opened all the same."""
        for folder in self._bucket.folders() if source is None else [source]:
            if not SOURCE_NAME.fullmatch(folder):
                continue  # somebody else's, and perhaps long
            for entry in self._bucket.entries(f"{folder}/"):
                object_, _, name = entry.key.removeprefix(f"{folder}/").partition("/")
                stream, match = stream_at(folder, unquote(object_)), SEALED.fullmatch(name)
                if stream is not None and match:
                    yield stream, match[1]

    def sync(self, stream: Stream) -> None:
        """Nothing to do: S3 names no object that could be lost to a power cut."""

    def footer(self, stream: Stream, name: str) -> Footer:
        key = _key(stream, name)
        tail = self._tail(key, _TAIL_BYTES)
        if len(tail) == _TAIL_BYTES < footer_bytes(tail):
            tail = self._tail(key, footer_bytes(tail))
        return read_footer(stream, self._bucket.where(key), pa.BufferReader(tail))

    def open(self, stream: Stream, name: str) -> Batch:
        key = _key(stream, name)
        body = self._bucket.get(key)
        if body is None:
            raise missing(self._bucket.where(key), mend=_MEND)
        return unseal(stream, name, self._bucket.where(key), body.data)

    def keep_certificate(self, stream: Stream, number: int, text: str) -> str:
        data = text.encode()
        name = sha256_hex(data)
        self._keep(_folder_of_certificates(stream) + certificate_name(number, name), data)
        return name

    def certificates(self, stream: Stream, *, last: int | None = None) -> list[tuple[str, str]]:
        folder = _folder_of_certificates(stream)
        keys = [entry.key for entry in self._bucket.entries(folder)]
        named = [(key, match[1]) for key in keys if (match := CERTIFIED.fullmatch(key.removeprefix(folder)))]
        named = named if last is None else named[-last:]
        return [(name, self._text(key)) for key, name in named]

    def certified(self) -> list[Stream]:
        root = f"{CERTIFICATES}/"
        named = [
            stream_at(source, unquote(object_))
            for source in self._bucket.folders(root)
            for object_ in self._bucket.folders(f"{root}{source}/")
        ]
        return sorted(stream for stream in named if stream is not None)

    def sweep_spool(self, source: str) -> int:
        """Nothing to do: a killed writer leaves nothing in S3 that is not whole."""
        return 0

    def identity(self) -> str | None:
        """By what this landing is told from others; None where that was never decided. Raises Transient,
        Misconfigured."""
        body = self._bucket.get(IDENTITY)
        return None if body is None else body.data.decode("ascii", "replace").strip()

    def identify(self, proposed: str) -> str:
        """The same, decided now where it never was. Of two that do so at once, one is first and both get that one's."""
        self._bucket.put_new(IDENTITY, f"{proposed}\n".encode())
        found = self.identity()
        if found is None:
            raise Transient(f"{self._bucket.where(IDENTITY)} is gone again.", hint="Nobody else may delete objects.")
        return found

    def _keep(self, key: str, data: bytes) -> None:
        """The object of this key has these bytes. One that is there has them, or was damaged and is mended by this."""
        for _ in range(_LOOKS_MAX):
            if self._bucket.put_new(key, data):
                return
            # Not by the checksum that S3 keeps of it, as not every store proves that, but by its bytes.
            found = self._bucket.get(key)
            if found is not None and (found.data == data or self._bucket.put_over(key, data, found.etag)):
                return
        raise Transient(
            f"{self._bucket.where(key)} changes while it is written.", hint="Nobody else may write there; tried again."
        )

    def _tail(self, key: str, count: int) -> bytes:
        tail = self._bucket.tail(key, count)
        if tail is None:
            raise missing(self._bucket.where(key), mend=_MEND)
        return tail

    def _text(self, key: str) -> str:
        """What is no UTF-8 any more is told with marks in its place: its hash will not agree."""
        body = self._bucket.get(key)
        if body is None:
            raise Transient(f"{self._bucket.where(key)} is gone since it was listed.", hint="It is tried again.")
        return body.data.decode("utf-8", "replace")


def _key(stream: Stream, name: str) -> str:
    return f"{_folder(stream)}/{name}{SUFFIX}"


def _folder_of_certificates(stream: Stream) -> str:
    return f"{CERTIFICATES}/{_folder(stream)}/"


def _folder(stream: Stream) -> str:
    """As on a disk, but for what not every address and XML carries: `%0A` is a line feed, and `%25` a `%`."""
    safe = "".join(one if one.isprintable() and one != "%" else quote(one) for one in stream.object)
    return f"{stream.source}/{safe}"
