"""What is wrong now, from the ledger, the warehouse and the certificates; `quality/incident.py` finds the causes.

Nothing is kept for it: an incident is there for as long as what it speaks of is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from ..base.clock import Clock
from ..base.duration import duration
from ..base.errors import TieoutError
from ..base.stream import Stream
from ..contract.contract import Contract
from ..ledger.facts import Paused, Ran, Stuck
from ..ledger.ledger import Ledger
from ..merge.warehouse import Reader
from ..quality.certificate import State
from ..quality.chain import Chain
from ..quality.gate import Gate, judge
from ..quality.incident import Cause, Incident, Trouble, incidents
from .contracts import describes_nothing
from .house import House
from .outcome import ASKED_TO_STOP
from .pausing import paused_now
from .proven import failed_checks, proven
from .quarantine import Waiting, waiting
from .status import StreamStatus, report
from .stuck import stuck_now

AWAY_MINUTES = 15
"""How long a source may be away before somebody is told: most come back by themselves."""
_PASSES = 1_000
"""Of a lane, the last so many are looked at for when it began to fail."""


def open_incidents(house: House, reader: Reader) -> tuple[Incident, ...]:
    """Of the whole project. Raises Transient while the warehouse cannot be read."""
    ledger, clock = house.tools.ledger, house.tools.clock
    standing = report(house, reader, only=None)
    streams = [one.stream for one in standing.streams]
    contracts = _contracts(house, streams)
    unread = [stream for stream in streams if stream not in contracts]
    chains = proven(house.tools.landing, only=None)
    return incidents(
        [
            *_sources(ledger, house.lanes(), clock),
            *_stuck(ledger),
            *_unreadable(ledger, standing.streams),
            *_paused(ledger),
            *_books(standing.streams),
            *_differing(chains),
            *_waiting(waiting(house, reader, only=None, but=unread), contracts, house.project.quarantine_seconds),
            *_unproven(house.project.gates, chains, clock),
            *_failed(ledger, streams),
        ],
        {stream: contract.owner for stream, contract in contracts.items() if contract.owner is not None},
    )


def _contracts(house: House, streams: Iterable[Stream]) -> dict[Stream, Contract]:
    """Of the streams those that can be read."""
    contracts: dict[Stream, Contract] = {}
    for stream in streams:
        with suppress(TieoutError):
            contracts[stream] = house.tools.contracts.of(stream, describes_nothing)
    return contracts


def _sources(ledger: Ledger, lanes: Iterable[str], clock: Clock) -> Iterator[Trouble]:
    """Those whose last pass failed, or of which none has come to its end for a while; and since when."""
    stuck = tuple(f"{stream} cannot be merged" for stream in stuck_now(ledger))
    for lane in lanes:
        since: datetime | None = None
        outcome, reason = "", ""
        for entry in ledger.entries(Ran, lane=lane, last=_PASSES):
            assert isinstance(entry.fact, Ran), "only Ran was asked for"
            outcome, reason = entry.fact.outcome, entry.fact.reason
            is_well = outcome == "complete" or reason == ASKED_TO_STOP or reason.startswith(stuck)
            since = None if is_well else since or entry.at
        if since is not None and (outcome == "failed" or clock.now() - since > timedelta(minutes=AWAY_MINUTES)):
            yield Trouble(Cause.SOURCE, lane, None, since, reason, f"Run `tieout doctor --source {lane}`.")


def _stuck(ledger: Ledger) -> Iterator[Trouble]:
    began = _last_of(ledger, Stuck)
    for stream, stuck in stuck_now(ledger).items():
        yield Trouble(Cause.STUCK, stream.source, stream, began.get(str(stream)), stuck.reason, stuck.hint)


def _unreadable(ledger: Ledger, streams: Iterable[StreamStatus]) -> Iterator[Trouble]:
    """Those of which nothing can be said, as with a contract that cannot be read: no run has met it yet."""
    stuck = stuck_now(ledger)
    for one in streams:
        if one.figures is None and one.stream not in stuck:
            mend = f"Mend it, and see `tieout status --stream {one.stream}`."
            yield Trouble(Cause.STUCK, one.stream.source, one.stream, None, one.reason, mend)


def _paused(ledger: Ledger) -> Iterator[Trouble]:
    """But for those that are stuck for the very same reason."""
    began, stuck = _last_of(ledger, Paused), stuck_now(ledger)
    for stream, paused in paused_now(ledger).items():
        if stream in stuck and stuck[stream].reason.rstrip(".") == paused.reason.rstrip("."):
            continue
        yield Trouble(Cause.PAUSED, stream.source, stream, began.get(str(stream)), f"{paused.reason}.", paused.hint)


def _books(streams: Iterable[StreamStatus]) -> Iterator[Trouble]:
    for one in streams:
        if one.books is not None and not one.books.balanced:
            yield Trouble(
                Cause.BOOKS, one.stream.source, one.stream, None, one.reason, f"Run `tieout rebuild {one.stream}`."
            )


def _differing(chains: Mapping[Stream, Chain]) -> Iterator[Trouble]:
    """Since the first certificate behind the last that was not broken."""
    for stream, chain in chains.items():
        if chain.broken:
            mend = f"Run `tieout certificates {stream}`, and restore the landing from its copy."
            yield Trouble(Cause.DIFFERS, stream.source, stream, None, chain.broken[0], mend)
            continue
        broken = [link for link in chain.links if link.report["state"] == State.BROKEN]
        if chain.newest not in broken:
            continue
        sound = max((link.number for link in chain.links if link not in broken), default=0)
        first, newest = next(link for link in broken if link.number > sound), broken[-1]
        what, mend = (
            " ".join(newest.report["reasons"]),
            newest.report["hint"] or f"Run `tieout certify {stream} --repair`.",
        )
        yield Trouble(Cause.DIFFERS, stream.source, stream, first.at, what, mend)


def _waiting(rows: Iterable[Waiting], contracts: Mapping[Stream, Contract], seconds: int) -> Iterator[Trouble]:
    """Streams of which a row has waited for too long since it was set aside: by its contract, or else `seconds`."""
    old: dict[Stream, list[Waiting]] = {}
    for one in rows:
        contract = contracts.get(one.stream)
        limit = seconds if contract is None else contract.quarantine_seconds or seconds
        if one.age_seconds is not None and one.age_seconds > limit:
            old.setdefault(one.stream, []).append(one)
    for stream, found in old.items():
        oldest = max(found, key=lambda one: one.age_seconds or 0.0)
        count, age = sum(one.count for one in found), duration(oldest.age_seconds or 0.0)
        told = "1 row waits in quarantine" if count == 1 else f"{count:,} rows wait in quarantine, the oldest"
        what = f"{told} for {age}: {oldest.reason}."
        mend = f"See `tieout quarantine list --stream {stream}`."
        yield Trouble(Cause.QUARANTINE, stream.source, stream, oldest.since, what, mend)


def _unproven(gates: Iterable[Gate], chains: Mapping[Stream, Chain], clock: Clock) -> Iterator[Trouble]:
    """Streams that keep a gate closed, once each."""
    told: dict[Stream, Trouble] = {}
    for gate in gates:
        for closed in judge(gate, chains, clock.now()).closed:
            what = f"It keeps the gate {gate.name} closed: {closed.why}"
            trouble = Trouble(Cause.UNPROVEN, closed.stream.source, closed.stream, None, what, closed.hint)
            told.setdefault(closed.stream, trouble)
    yield from told.values()


def _failed(ledger: Ledger, streams: Iterable[Stream]) -> Iterator[Trouble]:
    for stream, names in failed_checks(ledger, streams).items():
        what = f"Checks that block have failed: {names}."
        yield Trouble(Cause.CHECK, stream.source, stream, None, what, f"See `tieout check {stream}`.")


def _last_of(ledger: Ledger, kind: type[Stuck] | type[Paused]) -> dict[str, datetime]:
    """When each stream was last said to be so."""
    return {entry.fact.stream: entry.at for entry in ledger.entries(kind) if isinstance(entry.fact, Stuck | Paused)}
