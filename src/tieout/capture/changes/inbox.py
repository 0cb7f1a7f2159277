"""The edge of a `changes` source: where its files are, and how a file is known as the one that was read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Protocol

ENDINGS = (".ndjson", ".parquet")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written or replaced, told without reading it.

    `tag` is what a store calls just this content; "" for a file, which has times and an inode instead.
    """

    size: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0
    tag: str = ""

    def to_json(self) -> dict[str, Any]:
        told = asdict(self)
        return told if self.tag else {name: value for name, value in told.items() if name != "tag"}


class Opened(Protocol):
    """A file that stays the same one, also when its name is given to another meanwhile."""

    @property
    def file(self) -> BinaryIO: ...

    def stamp(self) -> Stamp:
        """As it is at this moment. Raises OSError."""
        ...


class Inbox(Protocol):
    """`Folder` and `BucketInbox` are those that users have; the simulation has one in memory."""

    def names(self) -> tuple[str, ...]:
        """The files there are, sorted. Raises Misconfigured when there is no such inbox, Transient when it fails."""
        ...

    def open(self, name: str) -> AbstractContextManager[Opened | None]:
        """The file, None when it is gone. Raises Misconfigured if we may not read it, Transient when the disk fails."""
        ...


def is_shown(name: str) -> bool:
    """Whether a file or folder of this name is looked at."""
    return not name.startswith((".", "_")) and not name.endswith(".tmp")
