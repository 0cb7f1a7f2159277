"""fakesnow's cursor with our rewriting around its own, DuckDB's own MERGE instead of its emulation, and its errors told
as Snowflake tells them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import duckdb
import fakesnow.conn  # type: ignore[import-not-found]
import fakesnow.cursor  # type: ignore[import-not-found]
import fakesnow.rowtype  # type: ignore[import-not-found]
import pyarrow as pa
from fakesnow import statement_type
from fakesnow.transforms.merge import operations  # type: ignore[import-not-found]
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp  # type: ignore[import-not-found]

from . import answers
from .errors import refusal
from .functions import no_boolean
from .rewriting import after, before
from .session import Session

_TRANSLATED_MAX = 200
_CHANGES_ROWS = re.compile(r"(?:\s|--[^\n]*\n)*(insert|merge)\b", re.IGNORECASE)


class Cursor(fakesnow.cursor.FakeSnowflakeCursor):  # type: ignore[misc]
    """One statement. `session` is asked of the connection, where the login has put it."""

    rows: pa.Table
    columns: list[answers.Column]
    type_id: int = statement_type.UNKNOWN
    text = ""
    """The statement as it was sent; "" where it was made here."""

    @property
    def session(self) -> Session:
        session: Session = self._conn.tieout_session
        return session

    def run(self, statement: exp.Expression, values: list[Any] | dict[str, Any] | None) -> list[Callable[[], object]]:
        """Runs it; returns what does the same once more, without an answer."""
        self.type_id = statement_type.statement_type_id(statement)
        self.check_db_and_schema(statement)
        if isinstance(statement, exp.Update) and self.session.is_set("ERROR_ON_NONDETERMINISTIC_UPDATE"):
            self._refuse_twice_updated(statement.copy(), values)
        if isinstance(statement, exp.Merge) and self.session.is_set("ERROR_ON_NONDETERMINISTIC_MERGE"):
            return [self._merge(statement, values)]
        again: list[Callable[[], object]] = []
        for ready in self._ready("parts", partial(self._transform_explode, statement), values):
            bound = values if ready.find(exp.Placeholder) else None
            again.append(partial(self._once_more, ready, bound))
            self._execute(ready.copy(), bound)
        self.rows = self._arrow_table
        self.columns = self._described()
        return again

    def answer(self, table: pa.Table, *, type_id: int = statement_type.UNKNOWN) -> None:
        """An answer that the engine did not make."""
        self.rows, self.columns, self.type_id = table, answers.described(table), type_id
        self._arrow_table, self._last_transformed, self._sfqid = table, exp.Null(), str(uuid.uuid4())

    def say(self, sentence: str = "Statement executed successfully.") -> None:
        self.answer(answers.texts(["status"], [(sentence,)]))

    def _refuse_twice_updated(self, statement: exp.Update, values: Any) -> None:
        if (source := statement.args.get("from_")) is None:
            return
        target = statement.this
        row = exp.column("ROWID", table=target.alias_or_name)
        twice = exp.select(row).from_(target).join(source.this, join_type="cross")
        if (where := statement.args.get("where")) is not None:
            twice = twice.where(where.this)
        ready = self._transform(twice.group_by(row).having("count(*) > 1").limit(1), values)
        if self.engine(ready.sql(dialect="duckdb"), values if ready.find(exp.Placeholder) else None):
            raise refusal("duplicate_row")

    def _ready(self, how: str, parts: Callable[[], list[exp.Expression]], values: Any) -> list[exp.Expression]:
        """In the engine's words; nobody changes them. What comes again as it was, and changes rows, is not translated
        again: that takes a second for a wide table, which is most of what a merge takes here."""
        session = self.session
        if not _CHANGES_ROWS.match(self.text):
            return [self._transform(part, values) for part in parts()]
        place = (how, self.text, self._conn.database, self._conn.schema, *sorted(session.temporaries.items()))
        if place not in session.translated:
            session.translated[place] = [self._transform(part, values) for part in parts()]
            while len(session.translated) > _TRANSLATED_MAX:
                session.translated.popitem(last=False)
        session.translated.move_to_end(place)
        return session.translated[place]

    def _merge(self, statement: exp.Merge, values: Any) -> Callable[[], object]:
        counted = operations(statement)
        (whole,) = self._ready("whole", lambda: [statement], values)
        ready = whole.sql(dialect="duckdb") + " returning merge_action"
        done = [action for (action,) in self.engine(ready, values)]
        names = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
        used = [name for name, clauses in counted.items() if clauses]
        counts = [done.count(names[name]) for name in used]
        self.answer(answers.texts([f"number of rows {name}" for name in used], [counts]), type_id=statement_type.MERGE)
        return partial(self.engine, ready, values)

    def _once_more(self, ready: exp.Expression, bound: Any) -> None:
        Cursor(self._conn, self._duck_conn)._execute(ready.copy(), bound)

    def engine(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Straight in DuckDB's words."""
        try:
            found: list[tuple[Any, ...]] = self._duck_conn.execute(sql, values or None).fetchall()
        except duckdb.Error as error:
            raise told(error) from error
        return found

    def _transform(self, expression: exp.Expression, params: Any) -> exp.Expression:
        return after(super()._transform(before(expression, self.session), params))

    def _execute(self, transformed: exp.Expression, params: Any = None) -> None:
        if self.session.transaction is not None:
            for kept_elsewhere in ("text_lengths", "table_comment"):  # The engine writes to one database within one.
                transformed.args.pop(kept_elsewhere, None)
        try:
            super()._execute(transformed, params)
        except duckdb.Error as error:
            raise told(error) from error
        except ProgrammingError as error:
            if isinstance(error.__cause__, duckdb.BinderException | duckdb.ConversionException):
                raise told(error.__cause__) from error
            raise

    def _described(self) -> list[answers.Column]:
        with self._conn.cursor() as described:
            parsed = fakesnow.cursor.sqlglot.parse_one(f"DESCRIBE {self._last_sql}", read="duckdb")
            described._execute(parsed, self._last_params)
            columns: list[answers.Column] = fakesnow.rowtype.describe_as_rowtype(described.fetchall())
        return columns


def told(error: duckdb.Error) -> Error:
    """As Snowflake tells it, as far as what the engine says lets us know."""
    text = str(error)
    if "cannot affect the same target row more than once" in text:
        return refusal("duplicate_row")
    if (function := no_boolean(text)) is not None:
        return refusal("no_boolean", function=function)
    if isinstance(error, duckdb.BinderException) and "not found in FROM clause" in text:
        return refusal("identifier", what=text.split("\n")[0])
    if isinstance(error, duckdb.InterruptException):
        return refusal("cancelled")
    if isinstance(error, duckdb.ConstraintException) and "NOT NULL" in text:
        return ProgrammingError(msg=f"NULL result in a non-nullable column: {text}", errno=100072, sqlstate="22000")
    for kind, number, state in _KINDS:
        if isinstance(error, kind):
            return ProgrammingError(msg=text.split("\n")[0], errno=number, sqlstate=state)
    return ProgrammingError(msg=f"The stand-in's engine: {text}", errno=300002, sqlstate="XX000")


_KINDS: Sequence[tuple[type[duckdb.Error], int, str]] = (
    (duckdb.OutOfRangeException, 100039, "22003"),
    (duckdb.ConversionException, 100038, "22018"),
    (duckdb.TransactionException, 625, "57014"),
    (duckdb.CatalogException, 2003, "42S02"),
    (duckdb.BinderException, 1044, "42P13"),
    (duckdb.ParserException, 1003, "42000"),
)

fakesnow.conn.FakeSnowflakeCursor = Cursor
