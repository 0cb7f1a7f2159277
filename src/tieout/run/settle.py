"""Settling: rows in quarantine are released under today's contract, or discarded with a reason.

Both are acts of an operator and land as batches, so that they survive the loss of every other store. A source that can
be asked for a row is asked; one that only tells changes has its own bytes decoded again. A sweep that was held back is
never let through as it is, since nobody knows which keys it left out: its table is read anew, once, and ended anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from ..base.errors import Misconfigured
from ..base.order import Order, sweep_floor
from ..base.stream import Stream
from ..capture.source import Captured, Kept, Retells
from ..contract.contract import Contract
from ..contract.judge import batch_schema, tallied
from ..merge.reading import Reading, SetAside
from ..merge.rule import Token
from ..merge.warehouse import Side
from ..quality.quarantine import discarded, passes, released, signed
from .doubt import NOT_CERTIFIED, judge_captured
from .house import House
from .mend import TRACK as REREAD
from .session import Session, Warehouses

TRACK = "settlement"
SUPERSEDED = "superseded by a re-read"

_PAGE_ROWS = 10_000
"""Rows settled in one batch."""


def release(house: House, stream: Stream, ids: Collection[str], *, by: str) -> int:
    """Judges these rows (all that wait, when none is named) under today's contract and moves over those that pass.

    Where a sweep is among them its table is read anew, to its end; what that has overtaken is settled as well. `by` is
    who wants it, and is kept for ever.
    Returns how many; the others stay. Raises Misconfigured when an id does not wait in the stream's quarantine.
    """
    with _opened(house, stream) as session:
        contract = session.route.contract(stream)
        settled = _settle(session, contract, ids, _settling(session, by))
        told = ""
        if _reads_anew(session, contract, ids):
            session.drain(session.source.bound())
            told = _told_whole(session, contract)
        return settled + _settle_overtaken(session, contract, ids, told=told, by=by)


def release_mended(session: Session, stream: Stream) -> int:
    """The same of all that wait, after a contract was mended under which a stream had been paused: it goes on. A table
    that is read anew is so in the next pass, a chunk at a time like any other."""
    contract = session.route.contract(stream)
    settled = _settle(session, contract, (), _settling(session, ""))
    _reads_anew(session, contract, ())
    return settled


def discard(house: House, stream: Stream, ids: Collection[str], reason: str, *, by: str) -> int:
    """Gives these rows up for good; `by` as in `release`. Returns how many. Raises Misconfigured as that does, and
    without a reason."""
    if not reason.strip():
        raise Misconfigured(
            "a row is given up for a reason, and none was said.", hint="Write --reason TEXT; it is kept for ever."
        )
    if not ids:
        return 0
    with _opened(house, stream) as session:
        contract = session.route.contract(stream)

        def give_up(session: Session, contract: Contract, page: Sequence[SetAside]) -> pa.Table:
            return discarded(batch_schema(contract), [row.cid for row in page], reason=reason, by=by)

        return _settle(session, contract, ids, give_up)


@contextmanager
def _opened(house: House, stream: Stream) -> Iterator[Session]:
    """The stream's lane, drained, with tables that fit the contract. Raises Retyped."""
    (lane,) = house.lanes(stream)
    warehouses = Warehouses(house)
    try:
        session = Session(house, lane, warehouses)
        try:
            session.drain(session.source.bound())
            if stream not in session.route.streams():
                raise Misconfigured(f"{stream} has never landed, so nothing of it waits in quarantine.")
            session.route.merge(session.warehouse, stream)
            session.route.prepare(session.warehouse, session.route.contract(stream), Side.LIVE)
            yield session
        finally:
            session.close()
    finally:
        warehouses.close()


Settle = Callable[[Session, Contract, Sequence[SetAside]], pa.Table]
"""The changes that settle rows of a page: at most one for each."""


def _settling(session: Session, by: str) -> Settle:
    return partial(_rejudge if isinstance(session.source, Retells) else _reread, by=by)


def _settle(session: Session, contract: Contract, ids: Collection[str], settle: Settle) -> int:
    reading = session.warehouse.reading(contract)
    wanted, after, settled = sorted(set(ids)), "", 0
    _check(reading, wanted)
    while page := reading.quarantine_page(wanted, after=after, limit=_PAGE_ROWS):  # bounded: `after` rises
        changes = settle(session, contract, page)
        if changes.num_rows:
            _land(session, contract, changes)
        settled += pc.count(changes["_settles"]).as_py()
        after = page[-1].cid
    session.route.merge(session.warehouse, contract.stream)
    return settled


def _land(session: Session, contract: Contract, changes: pa.Table) -> None:
    encoding = "json" if isinstance(session.source, Retells) else "text"
    session.route.land_judged(contract.stream, tallied(changes), TRACK, encoding=encoding)


def _reads_anew(session: Session, contract: Contract, ids: Collection[str]) -> bool:
    """Whether the table is read anew now: a sweep of it waits among these, and no later one has overtaken it. While the
    stream is paused, what is read would not be merged."""
    if contract.stream in session.route.paused:
        return False
    reading = session.warehouse.reading(contract)
    waits = any(one.reason == NOT_CERTIFIED for one in reading.keyless(sorted(set(ids))))
    return waits and session.read_anew(contract.stream.object)


def _told_whole(session: Session, contract: Contract) -> Token:
    """The floor of the newest sweep that still waits. It may not delete; but its read mentioned every row of the table,
    also those that could not be read before, so of these the ones that it set aside itself are enough."""
    reading = session.warehouse.reading(contract)
    return max((sweep_floor(one.sweep) for one in reading.keyless() if one.sweep), default="")


def _settle_overtaken(session: Session, contract: Contract, ids: Collection[str], *, told: Token, by: str) -> int:
    """Gives up what a later sweep has told all about."""
    cids = session.warehouse.reading(contract).overtaken(sorted(set(ids)), by=told)
    for start in range(0, len(cids), _PAGE_ROWS):
        page = cids[start : start + _PAGE_ROWS]
        _land(session, contract, discarded(batch_schema(contract), page, reason=SUPERSEDED, by=by))
    session.route.merge(session.warehouse, contract.stream)
    return len(cids)


def _check(reading: Reading, wanted: Sequence[str]) -> None:
    found = {row.cid for row in reading.quarantine_page(wanted, after="", limit=len(wanted))} if wanted else set()
    if unknown := sorted(set(wanted) - found):
        raise Misconfigured(
            f"{unknown[0]} does not wait in this stream's quarantine.",
            hint="`tieout quarantine list --rows` shows the ids.",
        )


def _rejudge(session: Session, contract: Contract, page: Sequence[SetAside], *, by: str) -> pa.Table:
    """The rows' own bytes, decoded and judged again."""
    source = session.source
    assert isinstance(source, Retells), "asked only of such a source"
    object_ = contract.stream.object
    captured = source.recapture(object_, [_kept(row) for row in page])
    judged = judge_captured(captured, captured.tables[object_], contract)
    return signed(released(judged.changes, [row.cid for row in page]), by=by)


def _reread(session: Session, contract: Contract, page: Sequence[SetAside], *, by: str) -> pa.Table:
    """The rows' keys as the source has them now. What reads well lands like any re-read, and supersedes the rows."""
    keys = tuple(sorted({row.key for row in page if row.key is not None}))
    readable: set[str] = set()
    if keys:
        with session.source.reread({contract.stream.object: keys}) as told:
            for captured in told:
                readable |= _land_readable(session, contract, captured)
    cids = [row.cid for row in page if row.key in readable]
    return discarded(batch_schema(contract), cids, reason=SUPERSEDED, by=by)


def _land_readable(session: Session, contract: Contract, captured: Captured) -> set[str]:
    """Lands those rows that can be read; returns their keys."""
    object_ = contract.stream.object
    table = captured.tables[object_]
    judged = judge_captured(captured, table, contract).changes
    readable = passes(judged)
    fit = table.filter(readable)
    if fit.num_rows:
        session.route.land_aside(replace(captured, tables={object_: fit}), REREAD)
    keys: list[str] = judged.filter(readable)["_key"].to_pylist()
    return set(keys)


def _kept(row: SetAside) -> Kept:
    order = None if row.order is None else Order.from_token(row.order)
    return Kept(row.raw, row.kind, order, row.observed_at)
