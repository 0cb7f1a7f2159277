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

import pyarrow as pa

from ..base.batch import Tally
from ..base.codec import canonical_json
from ..base.cursor import Cursor
from ..base.errors import Misconfigured, TieoutError
from ..base.stream import Stream
from ..capture.source import Captured, Cut, Retells
from ..contract.contract import Contract
from ..ledger.facts import Certified, Landed
from ..merge.aside import Aside, HasAside
from ..merge.reading import Obligation, Reading
from ..merge.warehouse import CertificateNote, Side, Warehouse
from ..quality.books import Books
from ..quality.certificate import Certificate, Certificates, Holes, Repair, State, Uncertified, unexplained
from ..quality.chain import Link, tail_of
from ..quality.compare import Comparing
from ..quality.forecast import Forecast
from ..quality.telling import Telling
from .changed import Changed, changed
from .deriving import Deriving
from .doubt import NOT_CERTIFIED
from .house import House
from .mend import Tried, mend
from .route import Tools
from .session import Session, Warehouses
from .settle import SUPERSEDED
from .stuck import why
from .witness import Witness

TRACK = "repair"
KEYS_TOLD_MAX = 200_000
"""Of each class of difference, where every key is asked for."""

_OPEN_MAX = 1_000_000
"""Open obligations that are looked at to explain differences; a stream with more has other worries."""
_CHAIN_MAX = 1_000
"""Certificates of a stream that a warehouse is given again, should it have lost them."""
_PIECE_ROWS = 100_000
"""Rows of one capture of a repair."""

MayRepair = Callable[[Repair], bool]
"""Whether a large repair shall be made."""

Foretold = Callable[[Forecast], bool]
"""Hears what the comparison of a stream is going to cost; whether it shall be made."""


def certify(
    house: House,
    streams: Collection[Stream],
    *,
    repair: bool,
    may_repair: MayRepair,
    keys_max: int = 0,
    only_changed: bool = False,
    by_rows: bool = False,
    derived: bool = False,
    foretold: Foretold | None = None,
) -> Certificates:
    """Compares these streams with their sources; without any, all that there are.

    With `repair`, what differs lands again from the rows that were read for the comparison; a large repair only if
    `may_repair`; what was found before it is kept as a certificate of its own. `keys_max` of the keys of each class of
    difference are told with the fields that differ. `only_changed`: where a source can sum, what nothing was said of
    since the stream was last compared as a whole, and was complete, is not looked at again. `by_rows`: all rows are
    read, whatever the source can sum or count. `derived`: columns that the source computes when it is asked are
    compared in all rows, and repaired with the others. Streams of which `foretold` does not like the cost are left out.
    A stream that cannot be merged is told as uncertified. Raises Occupied while a living worker holds a lane, Transient
    when a source is away.
    """
    terms = _Terms(may_repair if repair else None, keys_max, only_changed, foretold, by_rows, derived)
    lanes = sorted({lane for stream in streams for lane in house.lanes(stream)}) or house.lanes()
    warehouses = Warehouses(house)
    try:
        found = [_certify_lane(house, lane, streams, warehouses, terms) for lane in lanes]
    finally:
        warehouses.close()
    return sum(found, start=Certificates())


@dataclass(frozen=True, slots=True)
class _Terms:
    """What was asked for; without `repairing` nothing is repaired."""

    repairing: MayRepair | None
    keys_max: int
    only_changed: bool
    foretold: Foretold | None
    by_rows: bool = False
    derived: bool = False


def certify_in_passing(house: House, session: Session, *, only_changed: bool, foretold: Foretold) -> Certificates:
    """All streams of a lane that is in our hands; nothing is repaired. Meanwhile nothing of the lane is captured."""
    return _certify_session(house, session, (), _Terms(None, 0, only_changed, foretold))


def _certify_lane(
    house: House, lane: str, wanted: Collection[Stream], warehouses: Warehouses, terms: _Terms
) -> Certificates:
    session = Session(house, lane, warehouses)
    try:
        session.drain(session.source.bound())
        mend(session.route, session.source, session.warehouse, session.route.merging(), Tried())
        return _certify_session(house, session, wanted, terms)
    finally:
        session.close()


def _certify_session(house: House, session: Session, wanted: Collection[Stream], terms: _Terms) -> Certificates:
    streams = _chosen(_told_of(session), session.source.lane, wanted)
    with (
        session.source.cut(tuple(stream.object for stream in streams)) as cut,
        _beside(session.warehouse) as aside,
    ):
        taken_at = house.tools.clock.now()
        session.drain(cut.bound)
        stuck = session.route.stuck.errors
        contracts = [_prepared(session, stream) for stream in streams if stream not in stuck]
        tellings = [Telling(aside, contract, number) for number, contract in enumerate(contracts)]
        witness = Witness(session.route, house.tools, session.source, cut, by_rows=terms.by_rows)
        since = {telling: _changed(house.tools, session, telling.contract, terms) for telling in tellings}
        if (foretold := terms.foretold) is not None:
            tellings = [telling for telling in tellings if foretold(witness.forecast(telling, since[telling]))]
        witness.hear(tellings)
        unable = (*_damage(session), *witness.unable)
        certifier = _Certifier(session, house.tools, cut, witness, taken_at, unable, terms)
        certified = tuple(certifier.certify(telling, since[telling]) for telling in tellings)
        uncertified = tuple(_uncertified(stream, stuck[stream]) for stream in streams if stream in stuck)
        return Certificates(certified, uncertified)


def _changed(tools: Tools, session: Session, contract: Contract, terms: _Terms) -> Changed | None:
    """On what the comparison of a stream may rest, where that is wished."""
    if not terms.only_changed:
        return None
    chain = tail_of(tools.landing.certificates(contract.stream, last=_CHAIN_MAX))
    return changed(contract, chain, tools.ledger, session.warehouse)


def _beside(warehouse: Warehouse) -> AbstractContextManager[Aside]:
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
    session.route.prepare(session.warehouse, contract, Side.LIVE)
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
    witness: Witness
    taken_at: datetime
    unable: tuple[str, ...]
    terms: _Terms

    def certify(self, telling: Telling, since: Changed | None) -> Certificate:
        """Compares, repairs if that is wanted, and enters what it came to."""
        deriving = Deriving(self.cut, telling, self.session.route, of_all=self.terms.derived)
        comparing, found = self._compare(telling, since, deriving)
        certificate = self._kept(found)
        if (landing := self._to_repair(found, comparing, deriving)) is not None:
            rows, patches = landing
            plan = Repair(found.stream, rows.num_rows, max(found.compared.source_rows, found.compared.current_rows))
            if self._may(plan):
                self._repair(found.stream, rows, patches)
                telling.aside.forget(telling.contract)
                # What was found in all of it is mended only if it is not found there any more.
                since = None if found.proof.since is None else since
                comparing, found = self._compare(telling, since, deriving)
                certificate = self._kept(replace(found, repaired=rows.num_rows + patches.num_rows))
            else:
                hint = f"The repair would land {plan.rows} of {plan.of_rows} rows again; agree to it, or pass --yes."
                certificate = replace(certificate, hint=hint)
        return replace(certificate, differing=comparing.differing(keys_max=self.terms.keys_max))

    def _kept(self, found: Certificate) -> Certificate:
        """With its hint; it stands in the landing, as the next of its chain, in the warehouse, and in the ledger."""
        certificate = replace(found, hint=self._hint(found))
        # Whoever took the lane over meanwhile may have merged beyond the cut; then nothing is certified.
        self.session.route.renew()
        stream, landing = certificate.stream, self.tools.landing
        chain = tail_of(landing.certificates(stream, last=_CHAIN_MAX))
        link = chain.following(self.tools.clock.now(), certificate.report())
        landing.keep_certificate(stream, link.number, link.text)
        notes = [_note(one) for one in (*chain.links, link)]
        self.session.warehouse.note_certificates(stream, notes, turn=self.session.route.turn())
        self.tools.ledger.append([Certified(str(stream), certificate.state.value, notes[-1].report)], given=[])
        return replace(certificate, number=link.number, hash=link.hash)

    def _compare(self, telling: Telling, since: Changed | None, deriving: Deriving) -> tuple[Comparing, Certificate]:
        with self.session.route.busy():
            return self._compared(telling, since, deriving)

    def _compared(self, telling: Telling, since: Changed | None, deriving: Deriving) -> tuple[Comparing, Certificate]:
        reading = self.session.warehouse.reading(telling.contract)
        total, open_ = reading.obligations(limit=_OPEN_MAX)
        stream = telling.contract.stream
        paused = self.session.route.paused.get(stream)
        obliged = [one.key for one in open_ if one.key is not None]
        discarded = reading.discarded(but=SUPERSEDED)
        proof = self.witness.tell(telling, obliged, since)
        is_by_content = stream.object in self.cut.by_content
        comparing = Comparing(telling, obliged, discarded, by_content=is_by_content, derived=deriving.columns)
        certificate = Certificate(
            stream=stream,
            compared=comparing.compare(),
            holes=replace(_holes(total, open_, reading), paused=paused is not None),
            books=self._books(stream, reading),
            freshness_p95_seconds=reading.freshness().p95_seconds,
            unable=(*self.unable, *([] if paused is None else [f"It is paused: {paused.reason}."])),
            proof=proof,
            cut=self._cut_json(),
            contract=telling.contract.digest,
        )
        certificate = replace(certificate, derived=deriving.compare())
        return comparing, certificate

    def _to_repair(
        self, found: Certificate, comparing: Comparing, deriving: Deriving
    ) -> tuple[pa.Table, pa.Table] | None:
        """What has to land again, whole rows and derived columns, where a repair is wanted and can help."""
        if self.terms.repairing is None or self._retells or found.holes.paused:
            return None  # what a paused stream lacks has landed, or would not be merged if it did
        rows = comparing.repair(position=self.cut.bound.position, now=self.tools.clock.now())
        patches = deriving.repair(self.tools.clock.now())
        return (rows, patches) if rows.num_rows or patches.num_rows else None

    def _may(self, plan: Repair) -> bool:
        return self.terms.repairing is not None and (not plan.is_large or self.terms.repairing(plan))

    def _repair(self, stream: Stream, rows: pa.Table, patches: pa.Table) -> None:
        after = Cursor.of(TRACK, 1, {"position": self.cut.bound.position})
        # Whole rows are of the cut's moment; derived columns were computed when they were read, each at its watermark.
        for told, at_one_moment in ((rows, True), (patches, False)):
            for start in range(0, told.num_rows, _PIECE_ROWS):
                piece = {stream.object: told.slice(start, _PIECE_ROWS)}
                captured = Captured(None, after, self.cut.epoch, "native", piece, at_one_moment=at_one_moment)
                self.session.route.land_aside(captured, TRACK)
        self.session.route.merge(self.session.warehouse, stream)

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
        if differs and self.terms.repairing is None and not self._retells:
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


def _note(link: Link) -> CertificateNote:
    return CertificateNote(link.number, link.hash, link.at, str(link.report["state"]), canonical_json(link.report))
