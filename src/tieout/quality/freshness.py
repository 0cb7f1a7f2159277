"""Freshness: through which moment a stream is complete here, how old that is, and whether it is as promised.

"Complete through T" says: all that the source had at T is in the tables. It is proven by a pass over the source that
came to a bound taken at T, if nothing that landed before that pass ended is held back. What is not proven is unknown,
with its reason. Pure: the passes, what is held back, and the time are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..contract.promise import About, Promise

PENDING, PAUSED, STUCK = "pending", "paused", "stuck"

NEVER_READ = "No pass over its source has come to its end since it first landed."


@dataclass(frozen=True, slots=True)
class Hold:
    """Why the last pass does not prove that a stream is complete.

    reason  PENDING (landed, not merged), PAUSED, STUCK, or the reason of open obligations
    count   of how many changes or keys; 0 where it is the stream itself
    before  the number of the ledger's fact with which it began: only passes that ended before it prove anything
    since   when that fact was entered; None, like `before`: nobody knows
    """

    reason: str
    count: int
    before: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that came to its bound: the number of the ledger's fact that tells of it, and when its bound was taken."""

    seq: int
    through: datetime


@dataclass(frozen=True, slots=True)
class Complete:
    """Through which moment a stream is complete here.

    through       all that the source had then is in the tables; None: not known, as `unknown` says
    read_through  all that the source had then has landed, whatever became of it; None: not known
    now           the moment of which all this is said
    holds         what keeps it from being complete through the last pass
    """

    now: datetime
    through: datetime | None = None
    read_through: datetime | None = None
    holds: tuple[Hold, ...] = ()
    unknown: str = ""

    @property
    def age_seconds(self) -> float | None:
        return _age(self.through, self.now)

    @property
    def read_age_seconds(self) -> float | None:
        return _age(self.read_through, self.now)


def complete(
    holds: Sequence[Hold],
    last: Pass | None,
    passed_before: Callable[[int], Pass | None],
    *,
    first: int,
    now: datetime,
    untold: str = "",
) -> Complete:
    """What is proven of a stream. `last` is the last pass that came to its bound, `passed_before` the last before a
    fact; `first` is the number of the stream's first Landed: what ended before that says nothing of it. `untold`: why
    nothing can be said."""
    held = tuple(holds)
    if last is None or last.seq < first or untold:
        return Complete(now, holds=held, unknown=untold or NEVER_READ)
    if last.through > now:
        ahead = (last.through - now).total_seconds()
        why = f"Its source was last read at a time that is yet to come, in {ahead:.0f} seconds: the clock was set back."
        return Complete(now, holds=held, unknown=why)
    if undated := [one.reason for one in held if one.before is None]:
        return Complete(now, None, last.through, held, f"It is not known since when it is held back ({undated[0]}).")
    proof = last
    if (before := min((one.before for one in held if one.before is not None), default=None)) is not None:
        found = last if before > last.seq else passed_before(before)
        if found is None or found.seq < first or found.through > now:
            reasons = ", ".join(one.reason for one in held)
            why = f"It was never proven complete: what holds it back ({reasons}) came before a pass had ended."
            return Complete(now, None, last.through, held, why)
        proof = found
    return Complete(now, proof.through, last.through, held)


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise against what is now. `found_seconds`: how old that is which may be `promise.seconds` old; None, like
    `holds`: not known."""

    promise: Promise
    found_seconds: float | None

    @property
    def holds(self) -> bool | None:
        return None if self.found_seconds is None else self.found_seconds <= self.promise.seconds


def kept(promises: Sequence[Promise], complete: Complete) -> tuple[Kept, ...]:
    """Latency is promised of what is here, frequency of how the source is read."""
    ages = {About.LATENCY: complete.age_seconds, About.FREQUENCY: complete.read_age_seconds}
    return tuple(Kept(promise, ages[promise.about]) for promise in promises)


def latency_promised(promises: Sequence[Promise]) -> float | None:
    """The least latency in seconds that is promised; None where none is."""
    return min((promise.seconds for promise in promises if promise.about is About.LATENCY), default=None)


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else (now - moment).total_seconds()
