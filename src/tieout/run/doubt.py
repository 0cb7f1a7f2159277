"""A sweep that mentions a key nobody can read deletes nothing: it might be any of those that seem left out.

The source sees to it for what it cannot decode; this is for keys that only their contract finds unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import Kind
from ..capture.source import Captured
from ..contract.contract import Contract
from ..contract.judge import Judged, judge

NOT_CERTIFIED = "sweep_not_certified"
"""The reason under which a sweep waits in quarantine, whoever held it back."""

_ALIVE = pa.array([Kind.IMAGE.value, Kind.UNDELETE.value])


def judge_doubting(
    captured: Captured, object_: str, contract: Contract, *, keyless_before: Callable[[], int]
) -> Judged:
    """Captured rows under their contract; a sweep that mentions a key nobody can read is held back.

    `keyless_before` counts such keys in the earlier pieces of the same track, where the sweep may have begun.
    """
    table = captured.tables[object_]
    judged = judge_captured(captured, table, contract)
    if doubts := _doubts(table, judged, keyless_before):
        return judge_captured(captured, _doubted(table, doubts), contract)
    return judged


def judge_captured(captured: Captured, table: pa.Table, contract: Contract) -> Judged:
    """A table of this capture, or what somebody made of one, under its contract."""
    return judge(
        table, contract, encoding=captured.encoding, epoch=captured.epoch, at_one_moment=captured.at_one_moment
    )


def _doubts(captured: pa.Table, judged: Judged, keyless_before: Callable[[], int]) -> dict[int, int]:
    """By its row, each sweep that mentions keys that cannot be read, and how many: those behind its beginning, or, when
    it did not begin in this piece, all before it."""
    if not pc.any(pc.equal(captured["_kind"], Kind.SWEEP.value)).as_py():
        return {}
    keyless = _keyless(judged.changes)
    doubts: dict[int, int] = {}
    begun: int | None = None
    for at, (kind, fault) in enumerate(zip(captured["_kind"].to_pylist(), captured["_fault"].to_pylist(), strict=True)):
        if kind == Kind.MARK and fault is None:
            begun = at
        elif kind == Kind.SWEEP and fault is None:
            found = sum(keyless[begun:at]) + (keyless_before() if begun is None else 0)
            if found:
                doubts[at] = found
    return doubts


def _keyless(changes: pa.Table) -> list[bool]:
    """Of each row, whether it says that a key lives which cannot be read."""
    has_no_key = pc.and_(pc.is_valid(changes["_fault"]), pc.is_null(changes["_key"]))
    found: list[bool] = pc.and_(has_no_key, pc.is_in(changes["_kind"], _ALIVE)).to_pylist()
    return found


def _doubted(captured: pa.Table, doubts: Mapping[int, int]) -> pa.Table:
    """The table with these sweeps turned into faulty rows, which go to quarantine and say why."""
    faults = captured["_fault"].to_pylist()
    for at, keyless in doubts.items():
        faults[at] = f"{NOT_CERTIFIED}: it mentions {keyless} keys that cannot be read under the contract"
    place = captured.schema.get_field_index("_fault")
    return captured.set_column(place, captured.schema.field(place), pa.array(faults, pa.string()))
