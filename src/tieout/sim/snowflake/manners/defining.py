"""DDL that fakesnow or DuckDB does not know: swapping tables, cloning them, their settings, the schema a database
begins with."""

from __future__ import annotations

from sqlglot import exp  # type: ignore[import-not-found]

from .cursor import Cursor
from .errors import refusal
from .locks import Table
from .rewriting import before, normal
from .session import Session


def define(cursor: Cursor, statement: exp.Expression) -> bool:
    """Whether it was such a statement, which then is done and has its answer."""
    if isinstance(statement, exp.Alter) and statement.kind in ("TABLE", "VIEW"):
        return _alter(cursor, statement)
    if isinstance(statement, exp.Create) and statement.kind == "TABLE" and statement.args.get("clone"):
        _clone(cursor, statement)
        return True
    if isinstance(statement, exp.Create) and statement.kind == "DATABASE":
        _create_database(cursor, statement)
        return True
    if isinstance(statement, exp.Drop) and statement.kind == "DATABASE":
        _drop_database(cursor, statement)
        return True
    return False


def forget(session: Session, statement: exp.Expression) -> None:
    """A temporary table that was dropped. Before that it still has its name."""
    for table in statement.find_all(exp.Table) if isinstance(statement, exp.Drop) else ():
        whole = session.resolve(*map(normal, (table.args.get("catalog"), table.args.get("db"), table.this)))
        session.temporaries.pop(whole, None)


def _alter(cursor: Cursor, statement: exp.Alter) -> bool:
    actions = statement.args.get("actions") or []
    for action in actions:
        if isinstance(action, exp.SwapTable):
            cursor.check_db_and_schema(statement)
            ready = before(statement, cursor.session)
            _swap(cursor, _resolved(cursor, ready.this), _resolved(cursor, action.this))
            return True
        if isinstance(action, exp.AlterRename):
            _refuse_another_schema(cursor, statement, action.this)
    settings = [action for action in actions if isinstance(action, exp.AlterSet)]
    if settings and settings == actions and not statement.find(exp.SchemaCommentProperty):
        cursor.run(exp.Describe(this=statement.this.copy(), kind=statement.kind), None)  # It must be there.
        cursor.say()
        return True
    return False


def _resolved(cursor: Cursor, table: exp.Table) -> Table:
    return cursor.session.resolve(*map(normal, (table.args.get("catalog"), table.args.get("db"), table.this)))


def _refuse_another_schema(cursor: Cursor, statement: exp.Alter, target: exp.Table) -> None:
    """Snowflake moves the table then; DuckDB would rename it where it is."""
    if target.db and _resolved(cursor, statement.this)[:2] != _resolved(cursor, target)[:2]:
        raise refusal("unsupported", what="RENAME into another schema in the stand-in")


def _swap(cursor: Cursor, one: Table, other: Table) -> None:
    if one[:2] != other[:2]:
        raise refusal("unsupported", what="SWAP with another schema in the stand-in")
    between = (*one[:2], f"{one[2]}~swap")
    steps = [_rename(one, between), _rename(other, one), _rename(between, other)]
    for step in ["begin", *steps, "commit"]:
        cursor.engine(step)
    cursor.say()


def _rename(table: Table, to: Table) -> str:
    renamed = exp.AlterRename(this=exp.table_(to[2], quoted=True))
    alter = exp.Alter(this=exp.table_(*reversed(table), quoted=True), kind="TABLE", actions=[renamed])
    return str(alter.sql(dialect="duckdb"))


def _clone(cursor: Cursor, statement: exp.Create) -> None:
    """Also in the place of another table, at once."""
    source = statement.args["clone"].this
    cursor.run(exp.Create(
        this=statement.this.copy(), kind="TABLE", replace=statement.args.get("replace"),
        exists=statement.args.get("exists"), expression=exp.select("*").from_(source.copy()),
    ), None)  # fmt: skip


def _create_database(cursor: Cursor, statement: exp.Create) -> None:
    """It begins with a schema PUBLIC, and the session uses both from now on."""
    cursor.run(statement, None)
    told = cursor.rows, cursor.columns
    name = exp.to_identifier(normal(statement.find(exp.Identifier)), quoted=True)
    schema = exp.Table(db=exp.to_identifier("PUBLIC", quoted=True), catalog=name)
    cursor.run(exp.Create(this=schema, kind="SCHEMA", exists=True), None)
    cursor.rows, cursor.columns = told


def _drop_database(cursor: Cursor, statement: exp.Drop) -> None:
    name = exp.to_identifier(normal(statement.find(exp.Identifier)), quoted=True).sql(dialect="duckdb")
    cursor.engine(f"detach database {'if exists ' if statement.args.get('exists') else ''}{name}")
    cursor.say()
