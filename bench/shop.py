"""The rows that are measured with: orders of a shop, eight columns of common types, made from their number.

Equal on every machine and at every time, so that two measurements measure the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from tieout.base.batch import Batch, Footer, Span
from tieout.base.change import CAPTURED
from tieout.base.codec import canonical_json, sha256_hex
from tieout.base.cursor import Cursor
from tieout.base.order import Class
from tieout.base.sql import Statements
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType
from tieout.contract.contract import Contract
from tieout.contract.judge import Judged, judge

SQL = Statements("bench", "bench.sql")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TYPES = {
    "id": "bigint",
    "customer_id": "bigint",
    "status": "text",
    "amount": "decimal(12,2)",
    "quantity": "integer",
    "note": "text",
    "placed_at": "timestamptz",
    "is_gift": "boolean",
}
CONTRACT = Contract(
    Stream("shop", "orders"),
    tuple(Column(name, ColumnType.parse(type_), required=name == "id") for name, type_ in TYPES.items()),
    ("id",),
    "1.0.0",
    "active",
    "bench",
)


def captured(rows: int, *, position: int, first: int = 0, step: int = 1) -> pa.Table:
    """Images of so many orders, as PostgreSQL writes them in its log. At another position they have other amounts."""
    span = {"first": first, "last": first + rows * step, "step": step}
    parts = {"position": position, "class": int(Class.EVENT), **span}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        cover = canonical_json(sorted(TYPES))
        table = connection.sql(SQL("captured"), params={**parts, "cover": cover}).to_arrow_table()
    schema = pa.schema([*CAPTURED, *(pa.field(name, pa.string()) for name in TYPES)])
    return table.cast(schema).combine_chunks()


def judged(rows: int, *, position: int, first: int = 0, step: int = 1) -> Judged:
    told = captured(rows, position=position, first=first, step=step)
    return judge(told, CONTRACT, encoding="text", epoch=1)


def footer_of(found: Judged) -> Footer:
    span = Span("shop", "bench", None, Cursor.of("bench", 1, {}), (CONTRACT.stream.object,))
    return footer_over(span, found)


def footer_over(span: Span, found: Judged) -> Footer:
    return Footer(
        stream=CONTRACT.stream,
        span=span,
        received=found.received,
        keyless=found.keyless,
        positions=found.positions,
        contract=CONTRACT.digest,
        captured_at=NOON,
    )


def batch_of(found: Judged) -> Batch:
    """As if sealed: to merge, a batch needs a name of its own and not a file."""
    return Batch(sha256_hex(found.received.checksum.encode()), footer_of(found), found.changes)


def content_of(table: pa.Table | pa.RecordBatchReader) -> tuple[object, ...]:
    """Of typed orders: how many, and the sums of what a fault in any of them would change."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("orders", table)
        row = connection.execute(SQL("content", orders=SQL("registered"))).fetchone()
    assert row is not None
    return tuple(row)
