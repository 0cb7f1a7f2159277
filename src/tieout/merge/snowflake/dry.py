"""What a merge would send to Snowflake, found without one: a connection that answers from what is known.

The real session and the real warehouse work on it, so what it writes down is what the driver would be given. What only
the warehouse knows is assumed, and each answer that was assumed says so. Nothing leaves this process but a file of
rows, which is measured and goes with the merge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...base.batch import Batch
from ...base.codec import canonical_json
from ...base.errors import Broken
from ...base.order import TOKEN_WIDTH
from ...base.sql import Statements, without_purpose
from ...base.types import ColumnType
from ...contract.contract import Contract
from ..reshape import shape_of
from ..warehouse import Side, Turn
from .naming import fold, type_of
from .session import Session
from .staging import measured
from .warehouse import SCHEMAS, SnowflakeWarehouse, micros

MARK = "dry"
"""Stands where a session has letters of its own in the names of what it works with."""

_FENCE = 1
"""Of which lease it would be written is not known; only the transaction's name tells of it."""
_RAISED = "9" * TOKEN_WIDTH
_PUT = re.compile(r"put 'file://(.*)' (@\S+) (.*)", re.DOTALL)
_COPY = re.compile(r"copy into \S+ from @\S*/(\S+)\s")
_ASKS = re.compile(r"(?:select|with|show|describe)\b")
_MERGE, _RESHAPE, _SWAP, _SESSION = (
    Statements(__package__, file) for file in ("merge.sql", "reshape.sql", "swap.sql", "session.sql")
)
_READS = {
    _MERGE: ("schemas", "has_bookkeeping", "applied", "meanwhile", "fence_of", "floor_of", "is_noted"),
    _RESHAPE: ("shape_of", "columns_of", "is_empty", "unfit_fields", "kept_apart", "covers"),
    _SWAP: ("half_swapped", "session", "tables_next", "tables_of"),
    _SESSION: ("transaction",),
}
"""The statements by which a merge reads."""
_BEGINNINGS = {name: file.begins(name) for file, names in _READS.items() for name in names}
_RAISES_FLOOR, _NOTES_APPLIED = _MERGE.begins("raise_floor"), _MERGE.begins("note_applied")
_BATCH_AT = 2
"""Among the values of `note_applied`."""


class Answer(NamedTuple):
    """`assumed`: what is taken for true where it was not known; "" where it was."""

    rows: Sequence[Mapping[str, Any]]
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the warehouse without asking it.

    fence      the one under which it would be written
    applied    the batches that the ledger says are merged
    shape      of the contract that its tables were made for last; None: it has none yet
    is_made    whether tieout's own tables are there
    answers    where more is known: the rows of a statement, by the statement's name
    """

    fence: int
    applied: Mapping[str, datetime] = field(default_factory=dict)
    shape: str | None = None
    is_made: bool = True
    answers: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as the driver would be given it, a `?` for each value. `told`: of a file its size and rows."""

    text: str
    values: tuple[Any, ...] = ()
    told: str = ""
    assumed: str = ""

    @property
    def summarised(self) -> tuple[str, ...]:
        """What kind of value stands for each `?`. Some are of rows, so none is shown."""
        return tuple(_summary(value) for value in self.values)


class DryRun:
    """A run's one session. `opening`: what it sends before it knows of any stream."""

    def __init__(self, *, is_made: bool) -> None:
        self._connection = DryConnection(Known(_FENCE, is_made=is_made))
        self._warehouse = opened(self._connection)
        self.opening = self._connection.take()

    def lane(self, lane: str) -> tuple[Sent, ...]:
        """What is sent before a lane is worked."""
        self._warehouse.fence_of(lane)
        return self._connection.take()

    def stream(
        self,
        contract: Contract,
        groups: Iterable[Sequence[Batch]],
        *,
        applied: Mapping[str, datetime],
    ) -> tuple[Sent, ...]:
        """What prepares the stream's tables and merges these groups of batches. `applied` are those that the ledger
        says are merged."""
        shape = shape_of(contract) if applied else None
        self._connection.turn_to(contract, Known(_FENCE, applied, shape))
        turn = Turn(contract.stream.source, _FENCE)
        self._warehouse.prepare(contract, Side.LIVE, turn=turn)
        for batches in groups:
            merged_at = {batch.name: batch.footer.captured_at for batch in batches}
            self._warehouse.merge(contract, batches, turn=turn, merged_at=merged_at, side=Side.LIVE)
        return self._connection.take()


def opened(connection: DryConnection) -> SnowflakeWarehouse:
    return SnowflakeWarehouse(lambda: Session(lambda: connection, "a dry run"), mark=MARK)


class DryConnection:
    """As much of a connection of the driver as our session uses. `sent` is what it was given since `take`."""

    def __init__(self, known: Known, contract: Contract | None = None) -> None:
        self.sent: list[Sent] = []
        self._answers = _of_all(known)
        self._staged: dict[str, int] = {}
        self._noted: list[Mapping[str, Any]] = []
        self._is_floor_raised = False
        if contract is not None:
            self.turn_to(contract, known)

    def turn_to(self, contract: Contract, known: Known) -> None:
        """From now on it is asked of this stream."""
        self._answers = {**self._answers, **_of_stream(contract, known)}
        self._is_floor_raised = False
        self._noted.clear()

    def take(self) -> tuple[Sent, ...]:
        taken, self.sent = tuple(self.sent), []
        return taken

    def cursor(self) -> _DryCursor:
        return _DryCursor(self._answered)

    def close(self) -> None:
        """Nothing is open."""

    def _answered(self, text: str, values: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        if put := _PUT.fullmatch(text):
            return self._put(Path(put[1]), put[2], put[3])
        bare = without_purpose(text)
        if copy := _COPY.match(bare):
            self.sent.append(Sent(text, told=f"rows: {self._staged[copy[1]]:,}"))
            return [{"rows_loaded": self._staged[copy[1]]}]
        if not _ASKS.match(bare):
            self._is_floor_raised = self._is_floor_raised or bare.startswith(_RAISES_FLOOR)
            if bare.startswith(_NOTES_APPLIED):
                self._noted.append({"batch": values[_BATCH_AT], "merged_at": 0})
            self.sent.append(Sent(text, tuple(values)))
            return []
        answer = self._read(bare)
        self.sent.append(Sent(text, tuple(values), assumed=answer.assumed))
        return answer.rows

    def _put(self, file: Path, stage: str, how: str) -> Sequence[Mapping[str, Any]]:
        size, rows = measured(file)
        self._staged[file.name] = rows
        # Where on this machine it would lie for a moment is another place each time.
        self.sent.append(Sent(f"put 'file://{file.name}' {stage} {how}", told=f"bytes: {size:,}, rows: {rows:,}"))
        return [{"status": "UPLOADED"}]

    def _read(self, text: str) -> Answer:
        asked = next((name for name, beginning in _BEGINNINGS.items() if text.startswith(beginning)), None)
        if asked not in self._answers:
            raise Broken(f"a dry run knows no answer to {text[:80]!r}")
        if asked == "floor_of" and self._is_floor_raised:
            return Answer([{"floor": _RAISED, "gap": None}], "these batches raise the floor: a truncation or a sweep")
        if asked == "applied":
            known = self._answers[asked]
            return Answer([*known.rows, *self._noted], known.assumed)
        return self._answers[asked]


class _DryCursor:
    """`rowcount` is that of a statement that finds what it looks for: one row."""

    rowcount = 1

    def __init__(self, answered: Callable[[str, Sequence[Any]], Sequence[Mapping[str, Any]]]) -> None:
        self._answered = answered
        self._rows: Sequence[Mapping[str, Any]] = ()

    def __enter__(self) -> _DryCursor:
        return self

    def __exit__(self, *told: object) -> None:
        """Nothing is held."""

    def execute(self, text: str, values: Sequence[Any] | None = None, **options: Any) -> _DryCursor:
        self._rows = self._answered(text, values or ())
        return self

    @property
    def description(self) -> list[_Named]:
        return [_Named(name) for name in (self._rows[0] if self._rows else ())]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._rows]


class _Named(NamedTuple):
    name: str


def _of_all(known: Known) -> dict[str, Answer]:
    if known.is_made:
        made = "as the ledger has a merge, the schemas and tieout's own tables are there"
    else:
        made = "as nothing was ever merged, the database is empty"
    schemas = [{"name": schema} for schema in (SCHEMAS if known.is_made else ())]
    return {
        "schemas": Answer(schemas, made),
        "has_bookkeeping": Answer([{"is_there": known.is_made}], made),
        "half_swapped": Answer([], "no swap was cut short"),
        "session": Answer([{"session": 1}], "a session's number"),
        "transaction": Answer([{"id": "1"}], "a transaction's number, the same until its end"),
        "fence_of": Answer([{"fence": known.fence}], "no newer worker has written"),
    }


def _of_stream(contract: Contract, known: Known) -> dict[str, Answer]:
    shape, its = known.shape, f"{contract.stream}'s tables"
    given = {name: Answer(rows) for name, rows in known.answers.items()}
    applied = [{"batch": batch, "merged_at": micros(moment)} for batch, moment in known.applied.items()]
    cover = canonical_json(sorted(column.name for column in contract.fields))
    return {
        "applied": Answer(applied, "the warehouse has what the ledger says is merged"),
        "meanwhile": Answer([{"ours": 0, "others": 0, "half": 0}], "nobody has merged or swapped meanwhile"),
        "tables_next": Answer([], "no swap has left a table"),
        "tables_of": Answer([{"table_schema": one} for one in ("RAW", "LATEST", "QUARANTINE")], f"{its} are there"),
        "floor_of": Answer([{"floor": None, "gap": None}], "no truncation and no sweep was merged before"),
        "shape_of": Answer([] if shape is None else [{"shape": shape}], _shape_assumed(its, shape, contract)),
        "columns_of": Answer(catalogue(shape or shape_of(contract)), f"{its} have the columns of that contract"),
        "is_empty": Answer([{"is_empty": shape is None}], "" if shape is None else f"{its} have rows"),
        "unfit_fields": Answer([], "nothing was told that its column did not admit"),
        "kept_apart": Answer([], "nothing was told of the columns that are new"),
        "covers": Answer([{"cover": cover}], "every row told all of the contract's columns"),
        "is_noted": Answer([{"is_noted": False}], "the certificate is not noted yet"),
        **given,
    }


def _shape_assumed(tables: str, shape: str | None, contract: Contract) -> str:
    if shape is None:
        return f"{tables} are not there yet, as nothing of the stream was ever merged"
    if shape == shape_of(contract):
        return f"{tables} are as this contract wants them; if it changed since the last merge, a run changes them first"
    return f"{tables} were made for an earlier contract"


def catalogue(shape: str) -> list[dict[str, Any]]:
    """The columns of a stream's tables as Snowflake's catalogue tells them."""
    columns = [(fold(name), str(type_of(ColumnType.parse(type_)))) for name, type_, *_ in json.loads(shape)["columns"]]
    return [
        {"table_schema": schema, "column_name": name, **_told_type(type_)}
        for schema in ("RAW", "LATEST")
        for name, type_ in columns
    ]


def _told_type(type_: str) -> dict[str, Any]:
    word, _, digits = type_.removesuffix(")").partition("(")
    precision, scale = map(int, digits.split(",")) if word == "NUMBER" else (None, None)
    return {"data_type": {"VARCHAR": "TEXT"}.get(word, word), "numeric_precision": precision, "numeric_scale": scale}


def _summary(value: Any) -> str:
    if value is None:
        return "null"
    return f"text of {len(value):,}" if isinstance(value, str) else type(value).__name__
