"""Certifying: a lane is drained up to a cut of its source, and each stream compared with what the source has there.

Under the lane's lease nobody merges meanwhile, so both sides are of one moment. A repair is nothing but rows read at
that moment that land again, on a track of ours; after it the same comparison is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from ..base.batch import Tally
from ..base.codec import canonical_json
from ..base.cursor import Cursor
from ..base.errors import Misconfigured, TieoutError
from ..base.stream import Stream
from ..capture.source import Captured, Cut, Retells
from ..contract.contract import Contract
from ..ledger.facts import Certified, Landed
from ..merge.aside import HasAside
from ..merge.reading import Obligation, Reading
from ..merge.warehouse import Side, Warehouse
from ..quality.books import Books
from ..quality.certificate import Certificate, Certificates, Holes, Repair, State, Uncertified, unexplained
from ..quality.compare import Comparing
from ..quality.telling import Telling
from .doubt import NOT_CERTIFIED
from .house import House
from .mend import Tried, mend
from .retell import retell
from .route import Tools
from .session import Session, Warehouses
from .settle import SUPERSEDED
from .stuck import why

TRACK = "repair"

_OPEN_MAX = 1_000_000
"""Open obligations that are looked at to explain differences; a stream with more has other worries."""
_PIECE_ROWS = 100_000
"""Rows of one capture of a repair."""

MayRepair = Callable[[Repair], bool]
"""Whether a large repair shall be made."""


def certify(house: House, streams: Collection[Stream], *, repair: bool, may_repair: MayRepair) -> Certificates:
    """Compares these streams with their sources; without any, all that there are.

    With `repair`, what differs lands again from the rows that were read for the comparison; a large repair only if
    `may_repair`. A stream that cannot be merged is told as uncertified. Raises Occupied while a living worker holds a
    lane, Transient when a source is away.
    """
    repairing = may_repair if repair else None
    lanes = sorted({lane for stream in streams for lane in house.lanes(stream)}) or house.lanes()
    warehouses = Warehouses(house)
    try:
        found = [_certify_lane(house, lane, streams, warehouses, repairing) for lane in lanes]
    finally:
        warehouses.close()
    return sum(found, start=Certificates())


def _certify_lane(
    house: House, lane: str, wanted: Collection[Stream], warehouses: Warehouses, repairing: MayRepair | None
) -> Certificates:
    session = Session(house, lane, warehouses)
    try:
        session.drain(session.source.bound())
        mend(session.route, session.source, session.warehouse, session.route.merging(), Tried())
        streams = _chosen(_told_of(session), lane, wanted)
        with (
            session.source.cut(tuple(stream.object for stream in streams)) as cut,
            _beside(session.warehouse) as connection,
        ):
            taken_at = house.tools.clock.now()
            session.drain(cut.bound)
            stuck = session.route.stuck.errors
            contracts = [_prepared(session, stream) for stream in streams if stream not in stuck]
            tellings = [Telling(connection, contract, number) for number, contract in enumerate(contracts)]
            by_object = {telling.contract.stream.object: telling for telling in tellings}
            unable = (*_damage(session), *retell(session.route, house.tools, cut, by_object, session.source))
            certifier = _Certifier(session, house.tools, cut, taken_at, unable, repairing)
            certified = tuple(certifier.certify(telling) for telling in tellings)
            uncertified = tuple(_uncertified(stream, stuck[stream]) for stream in streams if stream in stuck)
            return Certificates(certified, uncertified)
    finally:
        session.close()


def _beside(warehouse: Warehouse) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    assert isinstance(warehouse, HasAside), "both sides are compared where the tables are"
    return warehouse.aside()


def _told_of(session: Session) -> list[Stream]:
    """The streams that have landed and that the source still has: a table may be read no longer."""
    landed = session.route.streams()
    if isinstance(session.source, Retells):
        return landed
    described = {one.object for one in session.source.describe()}
    return [stream for stream in landed if stream.object in described]


def _chosen(known: list[Stream], lane: str, wanted: Collection[Stream]) -> list[Stream]:
    of_lane = {stream for stream in wanted if stream.source == lane}
    if unknown := sorted(of_lane - set(known)):
        raise Misconfigured(
            f"{unknown[0]} has never landed or is read no longer, so there is nothing to compare.",
            hint=f"Known are: {', '.join(str(stream) for stream in known) or 'none yet'}.",
        )
    return sorted(of_lane) or known


def _prepared(session: Session, stream: Stream) -> Contract:
    """The stream's contract, its tables having the columns of it. Raises Retyped."""
    contract = session.route.contract(stream)
    session.warehouse.prepare(contract, Side.LIVE)
    return contract


def _uncertified(stream: Stream, error: TieoutError) -> Uncertified:
    told = why(stream, error)
    return Uncertified(stream, told.reason, told.hint)


def _damage(session: Session) -> list[str]:
    return [f"A sealed batch cannot be read: {error.message}" for _, error in sorted(session.route.damaged.items())]


@dataclass(frozen=True, slots=True)
class _Certifier:
    """Certifies the streams of one lane at one cut."""

    session: Session
    tools: Tools
    cut: Cut
    taken_at: datetime
    unable: tuple[str, ...]
    repairing: MayRepair | None

    def certify(self, telling: Telling) -> Certificate:
        """Compares, repairs if that is wanted, and enters what it came to."""
        certificate, comparing = self._compare(telling)
        if self.repairing is not None:
            certificate = self._repaired(telling, certificate, comparing, self.repairing)
        certificate = replace(certificate, hint=certificate.hint or self._hint(certificate))
        # Whoever took the lane over meanwhile may have merged beyond the cut; then nothing is certified.
        self.session.route.renew()
        stream, state, report = certificate.stream, certificate.state.value, canonical_json(certificate.to_json())
        turn, now = self.session.route.turn(), self.tools.clock.now()
        self.session.warehouse.note_certificate(stream, at=now, state=state, report=report, turn=turn)
        self.tools.ledger.append([Certified(str(stream), state, report)], given=[])
        return certificate

    def _compare(self, telling: Telling) -> tuple[Certificate, Comparing]:
        reading = self.session.warehouse.reading(telling.contract)
        total, open_ = reading.obligations(limit=_OPEN_MAX)
        stream = telling.contract.stream
        paused = self.session.route.paused.get(stream)
        obliged = [one.key for one in open_ if one.key is not None]
        discarded = reading.discarded(but=SUPERSEDED)
        comparing = Comparing(telling, obliged, discarded, by_content=stream.object in self.cut.by_content)
        certificate = Certificate(
            stream=stream,
            compared=comparing.compare(),
            holes=replace(_holes(total, open_, reading), paused=paused is not None),
            books=self._books(stream, reading),
            freshness_p95_seconds=reading.freshness().p95_seconds,
            unable=(*self.unable, *([] if paused is None else [f"It is paused: {paused.reason}."])),
            how=self._how(stream),
            cut=self._cut_json(),
        )
        return certificate, comparing

    def _repaired(self, telling: Telling, found: Certificate, comparing: Comparing, may: MayRepair) -> Certificate:
        if self._retells or found.holes.paused:
            return found  # what a paused stream lacks has landed, or would not be merged if it did
        rows = comparing.repair(position=self.cut.bound.position, now=self.tools.clock.now())
        plan = Repair(found.stream, rows.num_rows, max(found.compared.source_rows, found.compared.current_rows))
        if not plan.rows:
            return found
        if plan.is_large and not may(plan):
            hint = f"The repair would land {plan.rows} of {plan.of_rows} rows again; agree to it, or pass --yes."
            return replace(found, hint=hint)
        after = Cursor.of(TRACK, 1, {"position": self.cut.bound.position})
        for start in range(0, plan.rows, _PIECE_ROWS):
            piece = {found.stream.object: rows.slice(start, _PIECE_ROWS)}
            self.session.route.land_aside(
                Captured(None, after, self.cut.epoch, "native", piece, at_one_moment=True), TRACK
            )
        self.session.route.merge(self.session.warehouse, found.stream)
        certificate, _ = self._compare(telling)
        return replace(certificate, repaired=plan.rows)

    def _hint(self, certificate: Certificate) -> str:
        stream, differs = certificate.stream, certificate.compared.differing
        if certificate.state is State.COMPLETE:
            return ""
        if (paused := self.session.route.paused.get(stream)) is not None:
            return paused.hint
        unexplains = unexplained(certificate.compared, certificate.holes)
        is_waiting = certificate.books.quarantined.count and not certificate.compared.discards
        if differs and not unexplains and is_waiting:
            return "See `tieout quarantine list`: what differs waits there."
        if differs and self.repairing is None and not self._retells:
            return f"Run `tieout certify {stream} --repair`."
        if certificate.state is State.BROKEN:
            return f"Run `tieout rebuild {stream}`, which makes the tables anew from the landing."
        if certificate.books.quarantined.count:
            return "See `tieout quarantine list`."
        return ""

    def _books(self, stream: Stream, reading: Reading) -> Books:
        accounts, applied = reading.posted()
        entries = self.tools.ledger.entries(Landed, lane=stream.source, stream=str(stream))
        landed = {entry.fact.batch: entry.fact.received for entry in entries if isinstance(entry.fact, Landed)}
        return Books.of(
            sum(landed.values(), start=Tally()),
            accounts,
            sum((tally for batch, tally in landed.items() if batch not in applied), start=Tally()),
            superseded=reading.superseded(),
            ambiguous=reading.ambiguous(),
        )

    def _how(self, stream: Stream) -> str:
        if stream.object in self.cut.by_content:
            return "exact, row by row as a multiset of contents, as the source knows no key"
        return "exact, against all changes folded by the rule" if self._retells else "exact"

    @property
    def _retells(self) -> bool:
        return isinstance(self.session.source, Retells)

    def _cut_json(self) -> dict[str, Any]:
        at = self.taken_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"position": self.cut.bound.position, "at": at}


def _holes(total: int, open_: tuple[Obligation, ...], reading: Reading) -> Holes:
    object_gap = any(one.key is None and one.reason == "gap" for one in open_)
    waiting = {one.reason: one.count for one in reading.keyless()}
    held_back = waiting.pop(NOT_CERTIFIED, 0) > 0
    return Holes(total, object_gap, sum(waiting.values()), held_back)
