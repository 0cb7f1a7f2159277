"""How tests tell a story: changes as short records, made into captured tables, judged, and sealed into batches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from hypothesis import settings

from tieout.base.batch import Batch, Footer, Span
from tieout.base.change import CAPTURED
from tieout.base.codec import canonical_json, sha256_hex
from tieout.base.cursor import Cursor
from tieout.base.order import Class
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType
from tieout.contract.contract import Contract
from tieout.contract.judge import Judged, judge

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def dear(share: int) -> settings:
    """For a law of which an example costs tenths of a second: one in `share` of the profile's number of examples."""
    return settings(max_examples=settings().max_examples // share, deadline=None)


def contract_of(stream: str = "erp.account", *, required: Sequence[str] = (), **types: str) -> Contract:
    """A contract whose key is the text column `id`, and whose fields have these types."""
    columns = [Column("id", ColumnType.parse("text"), required=True)]
    columns += [Column(name, ColumnType.parse(type_), required=name in required) for name, type_ in types.items()]
    return Contract(Stream.parse(stream), tuple(columns), ("id",), "1.0.0", "active", "digest")


@dataclass(frozen=True)
class Say:
    """One change as a source would say it. `fields` are text; a list as a value is one that no contract allows."""

    kind: str
    key: str | None
    position: int
    fields: dict[str, Any] = field(default_factory=dict)
    kind_of_order: Class = Class.EVENT
    minor: int = 0
    fault: str | None = None


def captured_of(said: Sequence[Say], contract: Contract) -> pa.Table:
    names = [column.name for column in contract.columns]
    rows = []
    for ordinal, say in enumerate(said, start=1):
        row: dict[str, Any] = dict.fromkeys(names)
        row.update({name: value for name, value in say.fields.items() if name in names}, id=say.key)
        row.update(
            _kind=say.kind,
            _position=say.position,
            _class=int(say.kind_of_order),
            _minor=say.minor,
            _rank=0,
            _cover=canonical_json(sorted(say.fields)),
            _keyed=None,
            _observed_at=NOON,
            _origin="test",
            _ordinal=ordinal,
            _fault=say.fault,
            _raw=repr(say).encode(),
        )
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=pa.schema([*CAPTURED, *(pa.field(name, pa.string()) for name in names)]))


def judged_of(said: Sequence[Say], contract: Contract) -> Judged:
    return judge(captured_of(said, contract), contract, encoding="text", epoch=1)


_numbers = itertools.count()


def batch_of(said: Sequence[Say], contract: Contract) -> Batch:
    """A batch with a name of its own, as if sealed."""
    judged = judged_of(said, contract)
    cursor = Cursor.of("test", 1, {})
    span = Span(contract.stream.source, "test", None, cursor, (contract.stream.object,))
    footer = Footer(contract.stream, span, judged.received, judged.keyless, judged.positions, contract.digest, NOON)
    return Batch(sha256_hex(str(next(_numbers)).encode()), footer, judged.changes)
