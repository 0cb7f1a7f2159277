"""What is wrong now, from the ledger, the warehouse and the certificates; `quality/incident.py` finds the causes.

Nothing is kept for it: an incident is there for as long as what it speaks of is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..base.clock import Clock
from ..base.duration import duration
from ..base.errors import Occupied, TieoutError
from ..base.stream import Stream
from ..contract.contract import Contract
from ..ledger.facts import Advanced, Landed, Paused, Ran, Stuck
from ..ledger.ledger import Ledger
from ..merge.warehouse import Reader
from ..quality.certificate import State
from ..quality.chain import Chain
from ..quality.gate import Closed, Gate, judge
from ..quality.incident import Cause, Incident, Trouble, incidents
from .contracts import describes_nothing
from .house import House
from .outcome import ASKED_TO_STOP
from .pausing import paused_now
from .proven import blocking, proven
from .quarantine import Waiting, waiting
from .status import StreamStatus, known_streams, report
from .stuck import stuck_now

AWAY_MINUTES = 15
"""How long a source may be away before somebody is told, or its worker: most come back by themselves."""
_PASSES = 1_000
"""Of a lane, the last so many are looked at for when it began to fail."""
_WITHIN = frozenset({Cause.WAREHOUSE, Cause.STUCK, Cause.BOOKS, Cause.QUARANTINE})
"""What is not known to be over while the warehouse cannot be asked."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is wrong at a moment. `unread`: why the warehouse could not be asked, with the mend; "" where it was."""

    incidents: tuple[Incident, ...]
    unread: str = ""

    @property
    def unseen(self) -> frozenset[Cause]:
        return _WITHIN if self.unread else frozenset()


def open_incidents(house: House, reader: Reader) -> Look:
    """Of the whole project. What only the warehouse knows comes last: nothing else falls silent when that fails."""
    ledger, clock = house.tools.ledger, house.tools.clock
    streams = known_streams(house, None)
    contracts, unreadable = _contracts(house, streams)
    chains = proven(house.tools.landing, only=None)
    found = [
        *_stuck(ledger),
        *_unreadable(ledger, unreadable),
        *_paused(ledger),
        *_differing(chains),
        *_unproven(house.project.gates, chains, clock),
        *_failed(ledger, streams),
    ]
    within, unread = _within(house, reader, contracts)
    is_away = any(one.cause is Cause.WAREHOUSE for one in within)
    elsewhere = (f"the warehouse {house.project.warehouse} ",) if is_away else ()
    sources = _sources(ledger, house.lanes(), contracts, clock, elsewhere=elsewhere)
    owners = {stream: contract.owner for stream, contract in contracts.items() if contract.owner is not None}
    return Look(incidents([*sources, *found, *within], owners), unread)


def _contracts(house: House, streams: Iterable[Stream]) -> tuple[dict[Stream, Contract], dict[Stream, str]]:
    """Of the streams those that can be read, and of the others why they cannot."""
    contracts: dict[Stream, Contract] = {}
    unreadable: dict[Stream, str] = {}
    for stream in streams:
        try:
            contracts[stream] = house.tools.contracts.of(stream, describes_nothing)
        except TieoutError as error:
            unreadable[stream] = str(error)
    return contracts, unreadable


def _within(house: House, reader: Reader, contracts: Mapping[Stream, Contract]) -> tuple[list[Trouble], str]:
    """What only the warehouse knows, and why it could not be asked, "" where it could. That another process holds it is
    no trouble: a worker holds it all day, and answers as soon as it listens."""
    try:
        if house.has_warehouse:
            reader.query("select 1")
        known = report(house, reader, only=None).streams
        untold = {one.stream: one.reason for one in known if one.figures is None or one.stream not in contracts}
        rows = waiting(house, reader, only=None, but=untold)
        silent = {stream: reason for stream, reason in untold.items() if stream in contracts}
        seconds = house.project.quarantine_seconds
        return [*_books(known), *_unreadable(house.tools.ledger, silent), *_waiting(rows, contracts, seconds)], ""
    except Occupied as error:
        return [], str(error)
    except TieoutError as error:
        mend = error.hint or "Run `tieout doctor`."
        return [Trouble(Cause.WAREHOUSE, None, None, None, error.message, mend)], str(error)


def _sources(
    ledger: Ledger,
    lanes: Iterable[str],
    contracts: Mapping[Stream, Contract],
    clock: Clock,
    *,
    elsewhere: tuple[str, ...],
) -> Iterator[Trouble]:
    """Those that cannot be read, and those that nobody reads. `elsewhere`: how the reason of a pass begins that tells
    of another trouble, and nothing of its source."""
    stuck = tuple(stuck_now(ledger))
    for lane in lanes:
        found = _away(ledger, lane, stuck, clock, elsewhere) or _unattended(ledger, lane, stuck, contracts, clock)
        if found is not None:
            yield found


def _away(
    ledger: Ledger, lane: str, stuck: Iterable[Stream], clock: Clock, elsewhere: tuple[str, ...]
) -> Trouble | None:
    """Its last pass failed, or none has come to its end for a while; and since when."""
    since: datetime | None = None
    outcome, reason = "", ""
    for entry in ledger.entries(Ran, lane=lane, last=_PASSES):
        assert isinstance(entry.fact, Ran), "only Ran was asked for"
        if entry.fact.reason.startswith(elsewhere):
            continue
        outcome, reason = entry.fact.outcome, entry.fact.reason
        since = None if _is_well(entry.fact, stuck) else since or entry.at
    if since is None or (outcome != "failed" and clock.now() - since <= timedelta(minutes=AWAY_MINUTES)):
        return None
    return Trouble(Cause.SOURCE, lane, None, since, reason, f"Run `tieout doctor --source {lane}`.")


def _unattended(
    ledger: Ledger, lane: str, stuck: Iterable[Stream], contracts: Mapping[Stream, Contract], clock: Clock
) -> Trouble | None:
    """All was well, and no worker has said a word of it since for longer than a contract promises: it was killed, or
    nothing starts it any more. Where nothing is promised nobody knows how often it is meant to be read."""
    promised = [
        (promise.seconds, stream)
        for stream, contract in contracts.items()
        if stream.source == lane
        for promise in contract.promises
    ]
    last = next(ledger.entries(Ran, Advanced, Landed, lane=lane, last=1), None)
    if not promised or last is None:
        return None
    # A worker that fails says so once, and goes on trying.
    if isinstance(last.fact, Ran) and not _is_well(last.fact, stuck):
        return None
    (seconds, stream), silence = min(promised), (clock.now() - last.at).total_seconds()
    if silence <= max(seconds, AWAY_MINUTES * 60):
        return None
    what = f"Nobody has read it for {duration(silence)}, and {stream} is promised within {duration(seconds)}."
    return Trouble(Cause.SOURCE, lane, None, last.at, what, "Start `tieout run`, or see why it is not started.")


def _is_well(ran: Ran, stuck: Iterable[Stream]) -> bool:
    """But for what other troubles tell of."""
    is_stuck = ran.reason.startswith(tuple(f"{stream} cannot be merged" for stream in stuck))
    return ran.outcome == "complete" or ran.reason == ASKED_TO_STOP or is_stuck


def _stuck(ledger: Ledger) -> Iterator[Trouble]:
    began = _last_of(ledger, Stuck)
    for stream, stuck in stuck_now(ledger).items():
        yield Trouble(Cause.STUCK, stream.source, stream, began.get(str(stream)), stuck.reason, stuck.hint)


def _unreadable(ledger: Ledger, reasons: Mapping[Stream, str]) -> Iterator[Trouble]:
    """Those of which nothing can be said, as with a contract that cannot be read: no run has met it yet."""
    stuck = stuck_now(ledger)
    for stream, reason in reasons.items():
        if stream not in stuck:
            mend = f"Mend it, and see `tieout status --stream {stream}`."
            yield Trouble(Cause.STUCK, stream.source, stream, None, reason, mend)


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
    """Streams that keep a gate closed, once each with all their gates."""
    told: dict[Stream, dict[str, Closed]] = {}
    for gate in gates:
        for closed in judge(gate, chains, clock.now()).closed:
            told.setdefault(closed.stream, {})[gate.name] = closed
    for stream, by in told.items():
        what = " ".join(f"It keeps the gate {name} closed: {closed.why}" for name, closed in by.items())
        hint = next(iter(by.values())).hint
        yield Trouble(Cause.UNPROVEN, stream.source, stream, None, what, hint, tuple(by))


def _failed(ledger: Ledger, streams: Iterable[Stream]) -> Iterator[Trouble]:
    for stream, names in blocking(ledger, streams).items():
        what = f"Checks that block have failed: {', '.join(names)}."
        yield Trouble(Cause.CHECK, stream.source, stream, None, what, f"See `tieout check {stream}`.", names)


def _last_of(ledger: Ledger, kind: type[Stuck] | type[Paused]) -> dict[str, datetime]:
    """When each stream was last said to be so."""
    return {entry.fact.stream: entry.at for entry in ledger.entries(kind) if isinstance(entry.fact, Stuck | Paused)}
