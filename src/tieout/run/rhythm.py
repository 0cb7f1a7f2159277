"""How often a worker holds its lanes against their sources by itself, between two passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..base.stream import Stream
from ..land.landing import Landing
from ..quality.chain import Link, tail_of
from ..quality.proof import exact_at


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A comparison of each stream every `every_seconds`; of all of it every `whole_seconds`, and else of what changed,
    where its source can sum."""

    every_seconds: int
    whole_seconds: int


class Beat:
    """When a lane is due, while one worker has it; without a rhythm never. A comparison that fails is due again no
    sooner than one that succeeds, or a source that cannot be compared would be asked for nothing else."""

    def __init__(self, rhythm: Rhythm | None, landing: Landing) -> None:
        self._rhythm = rhythm
        self._landing = landing
        self._next: datetime | None = None

    def is_due(self, streams: list[Stream], now: datetime) -> bool:
        """The first time the streams' newest certificates are asked; one that has none is due."""
        if self._rhythm is None or not streams:
            return False
        if self._next is None:
            newest = [self._newest(stream) for stream in streams]
            known = [link.at for link in newest if link is not None]
            self._next = min(known) + self._every if len(known) == len(newest) else now
        return now >= self._next

    def begun(self, now: datetime) -> None:
        """A comparison begins."""
        self._next = now + self._every

    def is_whole_due(self, streams: list[Stream], now: datetime) -> bool:
        """Whether one of these streams was compared as a whole too long ago."""
        assert self._rhythm is not None, "nothing is ever due"
        newest = [self._newest(stream) for stream in streams]
        oldest = timedelta(seconds=self._rhythm.whole_seconds)
        return any(link is None or now - exact_at(link.report) >= oldest for link in newest)

    @property
    def _every(self) -> timedelta:
        return timedelta(seconds=0 if self._rhythm is None else self._rhythm.every_seconds)

    def _newest(self, stream: Stream) -> Link | None:
        return tail_of(self._landing.certificates(stream, last=1)).newest
