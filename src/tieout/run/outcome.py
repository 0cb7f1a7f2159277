"""How a pass over a lane ended, and who must move next: whatever went wrong, with its reason and its mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import structlog

from ..base.errors import Fenced, Misconfigured, Occupied, Stopped, TieoutError, Transient
from ..capture.source import FallsShort, Remarks, Source
from .route import Route
from .stuck import why

REMARKS_MAX = 5
"""Remarks of a source that are told in full; the count tells of the others."""

log = structlog.get_logger()

ASKED_TO_STOP = "the run was asked to stop."
"""Why a pass was cut short that somebody ended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass over a lane ended: "complete", "partial" (cut short, go on later) or "failed" (someone must act)."""

    lane: str
    outcome: str
    reason: str = ""
    hint: str = ""
    exit_code: int = 0
    received: int = 0
    merged: int = 0
    quarantined: int = 0
    is_passing: bool = False
    """Whether the same may succeed after a pause."""
    is_held: bool = False
    """Whether all is done but for streams that wait for somebody."""
    is_elsewhere: bool = False
    """Whether another living process works the lane: how the lane is, is its to tell."""
    keeps_pace: bool = False
    """Whether the lane goes on as ever though a part of its source could not be read."""
    through: datetime | None = None
    """When the bound was taken to which the pass came; None where it did not."""
    apart: Mapping[str, datetime] = field(default_factory=dict)
    """Of a source that vouches for each object by itself: the moment of each, as far as it is known."""

    @property
    def is_well(self) -> bool:
        """Whether it may go on as ever."""
        return self.exit_code == 0 or self.is_held


class Counts(NamedTuple):
    """Rows that were received, merged, and put into quarantine."""

    received: int = 0
    merged: int = 0
    quarantined: int = 0

    @classmethod
    def of(cls, counted: Outcome | Route) -> Counts:
        return cls(counted.received, counted.merged, counted.quarantined)

    def plus(self, other: Counts) -> Counts:
        return Counts(*(one + more for one, more in zip(self, other, strict=True)))

    def minus(self, other: Counts) -> Counts:
        return Counts(*(one - less for one, less in zip(self, other, strict=True)))


def counted(outcome: Outcome, counts: Counts) -> Outcome:
    return replace(outcome, received=counts.received, merged=counts.merged, quarantined=counts.quarantined)


def outcome_of(lane: str, error: Exception) -> Outcome:
    """Who must move next decides how a failure ends."""
    if isinstance(error, Stopped | Transient):
        elsewhere = isinstance(error, Fenced | Occupied)
        passing = isinstance(error, Transient) and not elsewhere
        return Outcome(
            lane, "partial", error.message, error.hint, exit_code=3, is_passing=passing, is_elsewhere=elsewhere
        )
    if isinstance(error, Misconfigured):
        return Outcome(lane, "failed", error.message, error.hint, exit_code=2)
    if isinstance(error, TieoutError):
        return Outcome(lane, "failed", error.message, error.hint, exit_code=1)
    if isinstance(error, MemoryError):
        why, mend = f"there is not enough memory: {error or 'no more is given'}.", "Give the machine more memory."
        return Outcome(lane, "partial", why, mend, exit_code=3, is_passing=True)
    log.exception("a fault of tieout's own", lane=lane)
    return Outcome(
        lane, "failed", f"{type(error).__name__}: {error}", "This is a fault in tieout; please report it.", exit_code=1
    )


def with_remarks(outcome: Outcome, source: Source) -> Outcome:
    """What is left out of a source fails nothing, and must not be forgotten."""
    remarks = source.remarks() if isinstance(source, Remarks) else ()
    if not remarks:
        return outcome
    told = " ".join(remark.text for remark in remarks[:REMARKS_MAX])
    rest = f" And {len(remarks) - REMARKS_MAX} more." if len(remarks) > REMARKS_MAX else ""
    return replace(outcome, reason=f"Left out: {told}{rest}", hint=remarks[0].hint)


def with_shortfall(outcome: Outcome, source: Source) -> Outcome:
    """A part of the source that could not be read stops no other, and nobody may call the run complete."""
    if not isinstance(source, FallsShort) or source.shortfall is None:
        return outcome
    return replace(outcome_of(outcome.lane, source.shortfall), keeps_pace=True)


def with_paused(outcome: Outcome, route: Route) -> Outcome:
    """A stream that waits for somebody stops no other, and nobody may call the run complete."""
    if not route.paused:
        return outcome
    stream, paused = min(route.paused.items())
    more = f"; {len(route.paused) - 1} more streams are paused" if len(route.paused) > 1 else ""
    reason = f"{stream} is paused: {paused.reason}{more}"
    ended, code = ("partial", 3) if paused.contract else ("failed", 2)
    return replace(outcome, outcome=ended, reason=reason, hint=paused.hint, exit_code=code, is_held=True)


def with_stuck(outcome: Outcome, route: Route) -> Outcome:
    """A stream that cannot be merged fails the run, by its name, and no other stream."""
    stuck = sorted(route.stuck.errors.items())
    if not stuck:
        return outcome
    first = why(*stuck[0])
    told = [f"{first.stream} cannot be merged: {first.reason}"]
    if len(stuck) > 1:
        told.append(f"Nor can {', '.join(str(stream) for stream, _ in stuck[1:])}.")
    if outcome.is_held:
        told.append(f"{outcome.reason}.")
    code = exit_code([outcome, *(outcome_of(outcome.lane, error) for _, error in stuck)])
    return replace(outcome, outcome="failed", reason=" ".join(told), hint=first.hint, exit_code=code, is_held=True)


def with_damage(outcome: Outcome, route: Route) -> Outcome:
    """A damaged batch that the ledger does not know stops nothing, but nobody may call the lane complete."""
    if not route.damaged:
        return outcome
    first = next(iter(route.damaged.values()))
    reason = f"{len(route.damaged)} sealed batches cannot be read; the first: {first.message}"
    return replace(outcome, outcome="partial", reason=reason, hint=first.hint, exit_code=3, is_held=False, through=None)


def exit_code(outcomes: list[Outcome]) -> int:
    """Of a run: wrong configuration before failure before cut short before complete."""
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in (2, 1, 3) if code in codes), 0)
