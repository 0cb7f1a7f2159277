"""Settling quarantine: what a row that was set aside becomes, once somebody has decided. Pure.

A settlement is a change like others, which lands and outlives every store but the landing: either the row as its
contract understands it today, or a mark that it is not wanted. Each names the quarantined change that it settles. Who
did it stands in the mark; for rows that were released in one more mark beside them, as they say what their source did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import CONTROL, Kind
from ..base.codec import canonical_json, sha256_hex

_CID_WIDTH = 32


def passes(judged: pa.Table) -> pa.ChunkedArray:
    """Of rows that were judged anew, which of them can be taken now."""
    says_something = pc.invert(pc.is_in(judged["_kind"], pa.array(sorted(CONTROL), pa.string())))
    return pc.and_(pc.is_null(judged["_fault"]), says_something)


def released(judged: pa.Table, cids: Sequence[str]) -> pa.Table:
    """Those that pass, each settling the quarantined change from which it was judged: `cids` in the rows' order."""
    assert judged.num_rows == len(cids), "each row was judged from one that was set aside"
    at = judged.schema.get_field_index("_settles")
    settling = judged.set_column(at, judged.schema.field(at), pa.array(cids, pa.string()))
    return settling.filter(passes(judged))


def discarded(schema: pa.Schema, cids: Sequence[str], *, reason: str, by: str) -> pa.Table:
    """A mark for each of these quarantined changes, that it is settled, why and by whom; `by` "" is nobody."""
    told = canonical_json({"reason": reason, **({"by": by} if by else {})})
    rows = [_mark(f"discard|{cid}|{told}", told, cid) for cid in cids]
    return pa.Table.from_pylist(rows, schema=schema)


def signed(settling: pa.Table, *, by: str) -> pa.Table:
    """Rows that settle others, and behind them the mark that says by whom; `by` "" is nobody."""
    if not by or not settling.num_rows:
        return settling
    told = canonical_json({"by": by})
    mark = _mark(f"release|{','.join(settling['_settles'].to_pylist())}|{told}", told, None)
    return pa.concat_tables([settling, pa.Table.from_pylist([mark], schema=settling.schema)])


def _mark(said: str, told: str, cid: str | None) -> dict[str, Any]:
    return {
        "_kind": str(Kind.MARK),
        "_cover": "[]",
        "_cid": sha256_hex(said.encode())[:_CID_WIDTH],
        "_extra": told,
        "_settles": cid,
    }
