"""How many characters a column of text holds at most, which DuckDB does not keep: checked after each change."""

from __future__ import annotations

from sqlglot import exp  # type: ignore[import-not-found]

from .errors import refusal
from .locks import Table
from .session import Session

Number = tuple[str, int]
"""A table's database and its number there, which stays when it is renamed and is not given to another."""

Widths = dict[Number, dict[str, int]]

_TEXT = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.CHAR, exp.DataType.Type.NVARCHAR)


def number(session: Session, table: Table) -> Number | None:
    found = session.engine.execute(
        "select table_oid from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        list(table),
    ).fetchone()
    return (table[0], found[0]) if found is not None else None


def learn(session: Session, widths: Widths, statement: exp.Expression) -> None:
    """From a CREATE TABLE or an ALTER TABLE that has run; its names are in capitals."""
    table = statement.this.find(exp.Table) if isinstance(statement.this, exp.Expression) else None
    if table is None or not isinstance(statement, exp.Create | exp.Alter):
        return
    key = number(session, session.resolve(table.catalog, table.db, table.name))
    if key is None:
        return
    known = widths.setdefault(key, {})
    for column in statement.find_all(exp.ColumnDef):
        _note(known, column.name, column.kind)
    for column in statement.find_all(exp.AlterColumn):
        _note(known, column.name, column.args.get("dtype"))
    for source in statement.find_all(exp.LikeProperty, exp.Clone):
        other = source.this
        like = number(session, session.resolve(other.catalog, other.db, other.name))
        known.update(widths.get(like, {}) if like is not None else {})


def _note(known: dict[str, int], column: str, kind: exp.DataType | None) -> None:
    if kind is None:
        return
    known.pop(column, None)
    if kind.this in _TEXT and kind.expressions:
        known[column] = int(kind.expressions[0].name)


def check(session: Session, widths: Widths, table: Table) -> None:
    """After a change of it, in the same transaction."""
    key = number(session, table)
    known = widths.get(key, {}) if key is not None else {}
    for column, most in known.items():
        name = exp.column(column, quoted=True)
        wide = exp.select(name).from_(exp.table_(*reversed(table), quoted=True)).where(exp.func("length", name) > most)
        found = session.engine.execute(wide.limit(1).sql(dialect="duckdb")).fetchone()
        if found is not None:
            raise refusal("too_long", value=found[0])
