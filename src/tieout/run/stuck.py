"""Stuck: a stream that cannot be merged as it is, by its contract or for a batch of it, while the others go on.

What it says lands all the same. It is tried again now and then, and the book says of it alone that it is stuck, and
when it is free again.
"""

from __future__ import annotations

from datetime import timedelta

from ..base.clock import Clock
from ..base.errors import TieoutError
from ..base.stream import Stream
from ..ledger.facts import Freed, Stuck
from ..ledger.ledger import Ledger
from .patience import Rest

AGAIN_SECONDS = 30.0
"""How long a stuck stream is left alone: it waits for a person, and a try may read all of it that has landed."""


def stuck_now(ledger: Ledger) -> dict[Stream, Stuck]:
    """The streams that are stuck, and why."""
    stuck: dict[Stream, Stuck] = {}
    for entry in ledger.entries(Stuck, Freed):
        match entry.fact:
            case Stuck():
                stuck[Stream.parse(entry.fact.stream)] = entry.fact
            case Freed():
                stuck.pop(Stream.parse(entry.fact.stream), None)
    return stuck


def free(ledger: Ledger, stream: Stream) -> None:
    """The stream's tables are as its contract wants them."""
    if stream in stuck_now(ledger):
        ledger.append([Freed(str(stream))], given=[])


def why(stream: Stream, error: TieoutError) -> Stuck:
    """The fact that this is why the stream is stuck. It names the stream once, and needs not do so in its reason."""
    return Stuck(str(stream), error.message.removeprefix(f"{stream}: "), error.hint)


class StuckStreams:
    """Those that a route could not merge when it last tried: `errors` has the reason of each."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._rests: dict[Stream, Rest] = {}
        self._known: dict[Stream, Stuck] | None = None
        self.errors: dict[Stream, TieoutError] = {}

    def is_left_alone(self, stream: Stream) -> bool:
        """Whether it was tried a moment ago."""
        rest = self._rests.get(stream)
        return rest is not None and rest.lasts(self._clock.now())

    def enter(self, stream: Stream, error: TieoutError) -> None:
        """It could not be merged."""
        self.errors[stream] = error
        self._rests[stream] = Rest(self._clock.now(), timedelta(seconds=AGAIN_SECONDS))
        told = why(stream, error)
        if self._standing().get(stream) != told:
            self._ledger.append([told], given=[])
            self._standing()[stream] = told

    def leave(self, stream: Stream) -> None:
        """It was merged."""
        self.errors.pop(stream, None)
        self._rests.pop(stream, None)
        if self._standing().pop(stream, None) is not None:
            self._ledger.append([Freed(str(stream))], given=[])

    def _standing(self) -> dict[Stream, Stuck]:
        """What the book says. Only who holds the lane writes of it, so that it is read once."""
        if self._known is None:
            self._known = stuck_now(self._ledger)
        return self._known
