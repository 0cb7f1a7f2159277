"""A merge's rows on their way into Snowflake: one Parquet file, staged under the hash of its bytes.

Pure but for the file. A row bears which of its contract's fields it speaks of, so that no statement reads a cover.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...base.batch import Batch
from ...base.change import Kind
from ...base.codec import sha256_hex
from ...base.errors import Broken
from ...base.sql import Sql, Statements
from ...contract.contract import Contract
from ..aligned import aligned
from ..columns import covers_table
from .naming import Shapes
from .session import Session

_SQL = Statements(__package__, "merge.sql")

_FOLDER_LETTERS = 16
_OF_THE_WHOLE = pa.array([Kind.TRUNCATE, Kind.SWEEP, Kind.GAP], pa.string())


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of a merge call for: between which keys and positions they stand (None where none has one), and
    whether some go to quarantine, settle what waits there, or may raise the floor or leave a gap of the whole."""

    key_min: str | None
    key_max: str | None
    position_min: int | None
    position_max: int | None
    have_faults: bool
    settle: bool
    may_raise_floor: bool

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        keys, positions = pc.min_max(table["_key"]).as_py(), pc.min_max(table["_position"]).as_py()
        return cls(
            key_min=keys["min"],
            key_max=keys["max"],
            position_min=positions["min"],
            position_max=positions["max"],
            have_faults=table["_fault"].null_count < table.num_rows,
            settle=table["_settles"].null_count < table.num_rows,
            may_raise_floor=bool(pc.any(pc.is_in(table["_kind"], _OF_THE_WHOLE)).as_py()),
        )


def incoming(contract: Contract, batches: Sequence[Batch]) -> pa.Table:
    """The batches as one table in the contract's columns, with each row's batch, its ordinal, and what it covers."""
    pieces = []
    for batch in batches:
        piece = aligned(batch, contract)
        pieces.append(piece.append_column("_batch", pa.repeat(batch.name, piece.num_rows)))
    table = pa.concat_tables(pieces)
    table = table.append_column("_ordinal", pa.array(range(table.num_rows), pa.int64()))
    return _with_covers(table, contract)


def stage_of(lane: str) -> Sql:
    """Where a lane's files lie until they are loaded: one writer at a time has a lane, so what is left is nobody's."""
    return Sql(f"@tieout.incoming/{sha256_hex(lane.encode())[:_FOLDER_LETTERS]}")


def load(session: Session, table: pa.Table, into: Sql, stage: Sql) -> None:
    """The rows into a table of this session, that has these columns. A name that is the hash of a file's bytes never
    means two things. Raises Broken when a row is lacking."""
    with parquet(table) as file:
        session.put(file, stage)
        told = session.rows(_SQL("copy", staged=Sql(f"{stage}/{file.name}"), table=into))
    loaded = sum(int(row["rows_loaded"]) for row in told if "rows_loaded" in row)
    if loaded != table.num_rows:
        raise Broken(f"{table.num_rows} rows were staged, {loaded} were loaded.", hint="See copy_history.")


@contextmanager
def parquet(table: pa.Table) -> Iterator[Path]:
    """The table as a file that is named by its bytes' hash, as long as the context lasts."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", coerce_timestamps="us")
    data = sink.getvalue()
    with TemporaryDirectory(prefix="tieout-") as folder:
        file = Path(folder) / f"{sha256_hex(data)}.parquet"
        file.write_bytes(data)
        yield file


def measured(file: Path) -> tuple[int, int]:
    """Its bytes, and its rows."""
    return file.stat().st_size, pq.read_metadata(file).num_rows


def _with_covers(table: pa.Table, contract: Contract) -> pa.Table:
    covers = covers_table(contract, table["_cover"].unique().to_pylist())
    at = pc.index_in(table["_cover"], value_set=covers["cover"].combine_chunks())
    told = covers.take(at.combine_chunks() if isinstance(at, pa.ChunkedArray) else at)
    table = table.append_column("__is_complete", told["is_complete"])
    names = [column for column in covers.column_names if column.startswith("__covered")]
    for name, shape in zip(names, Shapes.of(contract).fields, strict=True):
        table = table.append_column(str(shape.covered), told[name])
    return table
