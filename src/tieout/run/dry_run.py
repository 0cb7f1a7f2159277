"""A run that sends nothing: every statement by which what has landed would be merged into Snowflake, in its order.

It reads the ledger and the landing. No source is asked and nothing is written, and of the warehouse what the ledger
tells is taken for true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ..base.clock import Clock
from ..base.errors import Broken, Misconfigured
from ..base.stream import Stream
from ..land.landing import Landing
from ..merge.snowflake.dry import DryRun, Sent
from .contracts import Contracts, describes_nothing
from .hand import grouped
from .house import has_book, landing_of, opened
from .pausing import paused_now
from .project import Project
from .wished import refuse


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be sent of a stream, and how many of its batches are not merged. `left`: why nothing would be.
    `reshapes`: its contract is another one than when its newest merged batch landed, so that a run makes its tables
    follow it first, which only they know how."""

    stream: Stream
    batches: int
    sent: tuple[Sent, ...] = ()
    left: str = ""
    reshapes: bool = False


@dataclass(frozen=True, slots=True)
class Planning:
    """`opening`: what is sent before any stream is known; `lanes`: what before a lane is worked, and then of its
    streams."""

    opening: tuple[Sent, ...]
    lanes: Mapping[str, tuple[tuple[Sent, ...], tuple[Planned, ...]]]


@dataclass(frozen=True, slots=True)
class _Book:
    """What the ledger tells: the batches that landed, in its order; when which were merged; what is paused, and why."""

    landed: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, datetime] = field(default_factory=dict)
    paused: Mapping[Stream, str] = field(default_factory=dict)

    def applied(self, stream: Stream) -> dict[str, datetime]:
        return {name: at for name, at in self.merged.items() if self.landed.get(name) == str(stream)}


def dry_run(project: Project, clock: Clock, *, only: Stream | None) -> Planning:
    """Raises Misconfigured for a stream of no source, or one that has neither landed nor a contract, and what opening
    the ledger and the landing does."""
    book, landing = _book(project, clock), landing_of(project)
    contracts = Contracts(project.root, drift=project.drift)
    run = DryRun(is_made=bool(book.merged))
    lanes = {}
    for lane in _lanes(project, only):
        before = run.lane(lane)
        waiting = _waiting(book, landing, lane)
        if only is not None:
            known = {*contracts.written(lane), *(stream for stream, _ in landing.names(lane))}
            refuse(only, known, why="has not landed and has no contract")
        planned = [
            _planned(run, book, landing, contracts, stream, waiting[stream])
            for stream in sorted(waiting)
            if only in (None, stream)
        ]
        lanes[lane] = (before, tuple(planned))
    return Planning(run.opening, lanes)


def _lanes(project: Project, only: Stream | None) -> list[str]:
    if only is None:
        return sorted(project.sources)
    if only.source not in project.sources:
        raise Misconfigured(
            f"{only} belongs to no source of this project.",
            hint=f"Sources are: {', '.join(sorted(project.sources))}.",
        )
    return [only.source]


def _book(project: Project, clock: Clock) -> _Book:
    """Of a ledger that is not there yet nothing is known; it is not made for that."""
    is_there = project.ledger.exists() if isinstance(project.ledger, Path) else has_book(project)
    if not is_there:
        return _Book()
    with opened(project, clock) as house:
        ledger = house.tools.ledger
        paused = {stream: fact.reason for stream, fact in paused_now(ledger).items()}
        return _Book(ledger.landed(), ledger.merged(), paused)


def _waiting(book: _Book, landing: Landing, lane: str) -> dict[Stream, list[str]]:
    """The batches of a lane that are not merged, as a run takes them: as they landed, then those that only lie
    sealed, which it would adopt."""
    sealed = {name: stream for stream, name in sorted(landing.names(lane))}
    ordered = [*(name for name in book.landed if name in sealed), *(name for name in sealed if name not in book.landed)]
    waiting: dict[Stream, list[str]] = {}
    for name in ordered:
        if name not in book.merged:
            waiting.setdefault(sealed[name], []).append(name)
    return waiting


def _planned(
    run: DryRun, book: _Book, landing: Landing, contracts: Contracts, stream: Stream, names: Sequence[str]
) -> Planned:
    if stream in book.paused:
        return Planned(stream, len(names), left=f"it is paused: {book.paused[stream]}")
    if not contracts.has(stream):
        return Planned(stream, len(names), left="it has no contract yet: the first run drafts one")
    try:
        contract = contracts.of(stream, describes_nothing)
        groups = grouped(landing.open(stream, name) for name in names)
        applied = book.applied(stream)
        reshapes = bool(applied) and landing.footer(stream, [*applied][-1]).contract != contract.digest
        sent = run.stream(contract, groups, applied=applied)
    except (Misconfigured, Broken) as error:
        return Planned(stream, len(names), left=error.message)
    return Planned(stream, len(names), sent, reshapes=reshapes)
