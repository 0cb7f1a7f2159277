"""Looks at a bucket of changes: whether its files can be listed, and are ours to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...base.errors import TieoutError
from ...base.finding import Finding
from ...base.s3 import Bucket
from .bucket import is_ours
from .checkup import CODES
from .inbox import is_shown

_listed_max = 20


class BucketCheckup:
    """A `SourceCheckup`. `reach` makes the bucket, and asks nothing of it yet."""

    def __init__(self, reach: Callable[[], Bucket]) -> None:
        self._reach = reach

    def check(self) -> tuple[Finding, ...]:
        try:
            return tuple(self._findings(self._reach()))
        except TieoutError as error:
            return (CODES("changes.folder.unreadable", error.message, hint=error.hint),)

    def setup_sql(self) -> str:
        """What a bucket's administrator does is no SQL."""
        return ""

    def _findings(self, bucket: Bucket) -> Iterator[Finding]:
        keys = [entry.key for entry in bucket.entries()]
        files = sum(map(is_ours, keys))
        ignored = [key for key in keys if not is_ours(key) and all(map(is_shown, key.split("/")))]
        if ignored:
            told = ", ".join(ignored[:_listed_max])
            yield CODES("changes.file.ignored", f"files: {len(ignored):,}, such as {told}")
        if files:
            yield CODES("changes.folder.ok", f"files: {files:,}")
        else:
            yield CODES("changes.folder.empty", f"{bucket.address} holds no changes")
