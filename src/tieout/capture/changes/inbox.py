"""The edge of a `changes` source: where its files are, and how a file is known as the one that was read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written or replaced, told without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Opened(Protocol):
    """A file that stays the same one, also when its name is given to another meanwhile."""

    @property
    def file(self) -> BinaryIO: ...

    def stamp(self) -> Stamp:
        """As it is at this moment. Raises OSError."""
        ...


class Inbox(Protocol):
    """`Folder` is the one that users have; the simulation has one in memory."""

    def names(self) -> tuple[str, ...]:
        """The files there are, sorted. Raises Misconfigured when there is no such inbox, Transient when it fails."""
        ...

    def open(self, name: str) -> AbstractContextManager[Opened | None]:
        """The file, None when it is gone. Raises Misconfigured if we may not read it, Transient when the disk fails."""
        ...
