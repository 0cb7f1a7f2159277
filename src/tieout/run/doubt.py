"""A sweep that mentions a key nobody can read deletes nothing: it might be any of those that seem left out.

The source sees to it for what it cannot decode; this is for keys that only their contract finds unreadable.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import Kind
from ..capture.source import Captured
from ..contract.contract import Contract
from ..contract.judge import Judged, judge


def judge_doubting(
    captured: Captured, object_: str, contract: Contract, *, keyless_before: Callable[[], int]
) -> Judged:
    """Captured rows under their contract; a sweep that mentions a key nobody can read is held back.

    `keyless_before` counts such keys in the earlier pieces of the same track, where the sweep may have begun.
    """
    table = captured.tables[object_]
    judged = judge(table, contract, encoding=captured.encoding, epoch=captured.epoch)
    if _has_sweep(table) and (keyless := judged.keyless + keyless_before()):
        return judge(_doubted(table, keyless), contract, encoding=captured.encoding, epoch=captured.epoch)
    return judged


def _has_sweep(captured: pa.Table) -> bool:
    return bool(pc.any(_is_sweep(captured)).as_py())


def _doubted(captured: pa.Table, keyless: int) -> pa.Table:
    """The table with its sweeps turned into faulty rows, which go to quarantine and say why."""
    why = f"sweep_not_certified: it mentions {keyless} keys that cannot be read under the contract"
    at = captured.schema.get_field_index("_fault")
    is_unfit = pc.and_(_is_sweep(captured), pc.is_null(captured["_fault"]))
    faults = pc.if_else(is_unfit, pa.scalar(why, pa.string()), captured["_fault"])
    return captured.set_column(at, captured.schema.field(at), faults)


def _is_sweep(captured: pa.Table) -> pa.ChunkedArray:
    return pc.equal(captured["_kind"], str(Kind.SWEEP))
