"""The inbox of webhooks in memory: its files appear whole, and tieout can be stopped wherever it reaches for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from ....base.errors import Misconfigured
from ....capture.changes.inbox import Inbox, Stamp

Reach = Callable[[str], None]


class HookInbox:
    """What the middleman writes into. All processes share it, each has it by `seen_by`. `made`: somebody has made it
    before its first file came."""

    def __init__(self, *, made: bool = False) -> None:
        self.made = made
        self.files: dict[str, tuple[Stamp, bytes]] = {}
        self._written = 0

    def put(self, name: str, content: bytes) -> None:
        self._written += 1
        self.files[name] = Stamp(len(content), self._written, self._written, self._written), content

    def seen_by(self, reach: Reach) -> Inbox:
        return _Seen(self, reach)


@dataclass(frozen=True, slots=True)
class _Opened:
    file: BinaryIO
    stamped: Stamp

    def stamp(self) -> Stamp:
        return self.stamped


@dataclass(frozen=True, slots=True)
class _Seen:
    """Implements `Inbox`."""

    inbox: HookInbox
    reach: Reach

    def names(self) -> tuple[str, ...]:
        self.reach("inbox.names.before")
        if not (self.inbox.made or self.inbox.files):
            raise Misconfigured("simulated: the inbox is not there yet.", hint="Let its first file come.")
        names = tuple(sorted(self.inbox.files))
        self.reach("inbox.names.after")
        return names

    @contextmanager
    def open(self, name: str) -> Iterator[_Opened | None]:
        self.reach("inbox.open.before")
        found = self.inbox.files.get(name)
        self.reach("inbox.open.after")
        yield _Opened(BytesIO(found[1]), found[0]) if found is not None else None
