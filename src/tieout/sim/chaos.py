"""When the worker is killed: drawn by a seed, before anything runs. First while tables are being read, then while the
log is followed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_IN_SNAPSHOT = (1, 2)
"""Batches that a worker lands before it is killed, for the kills that are to hit the first read of the tables."""
_TIMED_MIN = 4
_APART_SECONDS = 8.0
_SNAPSHOT_SECONDS = 9.0
"""About how long the first kills take, restarts included."""
_TRICKLE_SECONDS = 10.0
"""A worker that lands nothing for so long is killed all the same."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Kill a worker `seconds` after its start, or when it has landed `batches`, whichever comes first."""

    seconds: float
    batches: int | None = None

    def is_due(self, *, seconds: float, batches: int) -> bool:
        """Whether it strikes a worker that has run for `seconds` and landed `batches` in them."""
        return seconds >= self.seconds or (self.batches is not None and batches >= self.batches)


def strikes(*, seed: int, seconds: float) -> tuple[Strike, ...]:
    """One after the other, each upon the worker that the one before has made necessary; some `seconds` in all."""
    dice = Random(seed)
    early = [Strike(_TRICKLE_SECONDS, batches) for batches in _IN_SNAPSHOT]
    left = max(seconds - _SNAPSHOT_SECONDS, 0.0)
    count = max(_TIMED_MIN, round(left / _APART_SECONDS))
    mean = max(left / count, _APART_SECONDS / 2)
    # Down to a third: some workers are killed before they have come up, which must not matter either.
    gaps = [mean * dice.uniform(0.33, 1.4) for _ in range(count)]
    # The longest comes first, as that worker is the first to merge, and has whole tables to.
    longest = gaps.index(max(gaps))
    gaps[0], gaps[longest] = gaps[longest], gaps[0]
    return (*early, *(Strike(gap) for gap in gaps))
