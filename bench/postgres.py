"""PostgreSQL: its tables read whole and landed, and its log followed; the floors only receive the same bytes.

The guess, on paper. Snapshot: ADBC brings 500,000 rows of eight columns for 0.35 CPU-s of ours; judging them takes
2 CPU-s and sealing 1.3, so we cost ten times the floor in CPU. In wall time the server's second is on both sides: four
times.

Stream: psycopg2 hands over 200,000 messages for 0.4 CPU-s. A value costs 150 ns to cut out and 50 to put into a column,
a message a microsecond or two beside: with eight columns 0.6 s more. So 1.2 CPU-s in all, three times the floor, and
170,000 changes a CPU-second.

CPU is ours alone; what the server spends is in the wall time of both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory

import psycopg2
import psycopg2.errors
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from psycopg2.extras import REPLICATION_LOGICAL, LogicalReplicationConnection

from tieout.base.batch import Span
from tieout.base.cursor import Cursor
from tieout.base.errors import Transient
from tieout.capture.postgres.source import PostgresSource
from tieout.capture.source import Bound
from tieout.contract.judge import judge
from tieout.land.local import LocalLanding
from tieout.run.clock import SystemClock
from tieout.sim.server import PostgresServer

from .shop import CONTRACT, SQL, content_of, footer_over
from .timing import Content, Pair, Trial, Watch

_TRANSACTION_CHANGES = 100
_SLOT = "bench"
_ROW_MESSAGES = frozenset(b"IUD")
_QUIET_SECONDS = 0.05
_SILENT_TURNS_MAX = 600
_BUSY_SECONDS = 0.05
_BUSY_TURNS_MAX = 200


@contextmanager
def _snapshot(rows: int) -> Iterator[Trial]:
    with _server() as (server, url, folder):
        server.execute(SQL("fill_source", first=0, last=rows - 1), database=_SLOT)

        def subject(watch: Watch) -> Content:
            source, landing = _source(url), LocalLanding(folder / "landing")
            with watch:
                names = _landed(source, landing)
            source.close()
            server.execute(SQL("drop_slot"), database=_SLOT)
            changes = pa.concat_tables(landing.open(CONTRACT.stream, name).changes for name in names)
            return content_of(changes.filter(pa.compute.equal(changes["_kind"], "image")))

        def floor(watch: Watch) -> Content:
            with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor, watch:
                cursor.execute(str(SQL("all_orders")))
                table = cursor.fetch_arrow_table()
            return content_of(table.set_column(3, "amount", _text(table["amount"]).cast(pa.decimal128(12, 2))))

        yield Trial(subject, floor)


def _landed(source: PostgresSource, landing: LocalLanding) -> list[str]:
    """Reads the table whole, judges it and seals it, piece by piece."""
    names = []
    for piece in source.capture({}, until=source.bound()):
        for object_, table in piece.tables.items():
            judged = judge(table, CONTRACT, encoding=piece.encoding, epoch=piece.epoch)
            span = Span("shop", piece.after.track, piece.before, piece.after, (object_,))
            names.append(landing.put(footer_over(span, judged), judged.changes))
    return names


@contextmanager
def _stream(rows: int) -> Iterator[Trial]:
    with _server() as (server, url, _):
        progress, until = _followed(server, url, rows)

        def subject(watch: Watch) -> Content:
            source = _source(url)
            with watch:
                pieces = [table for piece in source.capture(progress, until=until) for table in piece.tables.values()]
            source.close()
            return (sum(piece.num_rows for piece in pieces),)

        def floor(watch: Watch) -> Content:
            with _replication(url) as cursor, watch:
                return (counted(cursor, until.position),)

        yield Trial(subject, floor)


def _followed(server: PostgresServer, url: str, rows: int) -> tuple[dict[str, Cursor], Bound]:
    """A slot behind which these changes lie, where it stands, and where they end. Nothing confirms them, so every
    turn reads them anew."""
    source = _source(url)
    progress = {piece.after.track: piece.after for piece in source.capture({}, until=source.bound())}
    source.close()
    turns = rows // _TRANSACTION_CHANGES
    server.execute(SQL("change_source", turns=turns, size=_TRANSACTION_CHANGES), database=_SLOT)
    return progress, source.bound()


def counted(cursor: psycopg2.extras.ReplicationCursor, until: int) -> int:
    """Row messages up to a position; nothing of them is read but their first byte."""
    count = silent = 0
    while silent < _SILENT_TURNS_MAX:
        message = cursor.read_message()
        if message is not None:
            count += message.payload[0] in _ROW_MESSAGES
        elif (cursor.wal_end or 0) >= until:
            return count
        elif not select([cursor], [], [], _QUIET_SECONDS)[0]:
            cursor.send_feedback(reply=True)  # type: ignore[no-untyped-call]
            silent += 1
    raise Transient("PostgreSQL has fallen silent in the midst of its log.", hint="Run it again.")


@contextmanager
def _replication(url: str) -> Iterator[psycopg2.extras.ReplicationCursor]:
    connection = psycopg2.connect(url, connection_factory=LogicalReplicationConnection)
    try:
        with connection.cursor() as cursor:
            _start(cursor)
            yield cursor
    finally:
        connection.close()


def _start(cursor: psycopg2.extras.ReplicationCursor) -> None:
    """The server may take a moment to see that whoever read the slot before has gone."""
    options, clock = {"proto_version": "1", "publication_names": _SLOT}, SystemClock()
    for turn in range(_BUSY_TURNS_MAX):
        try:
            cursor.start_replication(slot_name=_SLOT, slot_type=REPLICATION_LOGICAL, options=options, decode=False)
            return
        except psycopg2.errors.ObjectInUse:
            if turn == _BUSY_TURNS_MAX - 1:
                raise
            clock.sleep(_BUSY_SECONDS)


@contextmanager
def _server() -> Iterator[tuple[PostgresServer, str, Path]]:
    """A server of our own with an empty table of orders, its URL, and a folder beside it."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder, PostgresServer(Path(folder) / "data") as server:
        url = server.create_database(_SLOT)
        server.execute(SQL("create_source_orders"), database=_SLOT)
        yield server, url, Path(folder)


def _source(url: str) -> PostgresSource:
    return PostgresSource("shop", url, {"orders": "public.orders"}, slot=_SLOT, publication=_SLOT, clock=SystemClock())


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """ADBC hands numerics over as an opaque type that holds text."""
    return pa.chunked_array([getattr(chunk, "storage", chunk) for chunk in column.chunks], pa.string())


PAIRS = (
    Pair("snapshot", 500_000, 10.0, "ADBC's COPY into Arrow alone", _snapshot),
    Pair("stream", 200_000, 3.0, "psycopg2 counting the messages", _stream),
)
