"""COPY INTO a table from a stage, with Snowflake's memory of which files it loaded into which table.

The memory is of the table, not of its name: it goes with a renamed table and ends with a dropped one. What a
transaction loaded is forgotten when that rolls back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import fakesnow.copy_into as theirs  # type: ignore[import-not-found]
import pyarrow as pa
from sqlglot import exp  # type: ignore[import-not-found]

from .answers import texts
from .cursor import told
from .errors import refusal
from .session import Session

COLUMNS = (
    "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen",
    "first_error", "first_error_line", "first_error_character", "first_error_column_name",
)  # fmt: skip

Loaded = dict[tuple[str, int], dict[str, str]]
"""By database and the table's number in it: each file that was loaded, and what was in it."""


@dataclass(frozen=True)
class Order:
    """What a COPY asks for. `files` are named below `folder`; none means all that the folder holds."""

    table: exp.Table
    columns: list[str]
    folder: str
    files: list[str]
    by_name: bool
    binary_as_text: bool
    force: bool
    purge: bool


def is_ours(statement: exp.Copy) -> bool:
    """Parquet into columns of the same name. fakesnow does the rest."""
    options = _options(statement)
    form = {key.upper(): str(value).upper() for key, value in options.get("FILE_FORMAT", {}).items()}
    return form.get("TYPE") == "PARQUET" and str(options.get("MATCH_BY_COLUMN_NAME", "NONE")).upper() != "NONE"


def copy(statement: exp.Copy, session: Session, loaded: Loaded, doing: Callable[[Callable[[], int]], int]) -> pa.Table:
    """`doing` runs what changes the table, and remembers it for the transaction."""
    order = _order(statement, session)
    key, kinds = _target(order, session)
    transaction = session.begin(implicit=True)
    before = {**loaded.get(key, {}), **{file: mark for table, file, mark in transaction.copied if table == key}}
    rows = []
    for path in _paths(order):
        mark = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        name = theirs._result_file_name(str(path))
        if before.get(name) == mark and not order.force:
            continue
        count = doing(partial(_run, session, _insert(order, path, kinds, session)))
        transaction.copied.append((key, name, mark))
        rows.append((name, "LOADED", count, count, 1, 0, None, None, None, None))
        if order.purge:
            path.unlink()
    if not rows:
        return texts(["status"], [("Copy executed with 0 files processed.",)])
    return texts(COLUMNS, rows)


def _run(session: Session, insert: str) -> int:
    try:
        (count,) = session.engine.execute(insert).fetchone() or (0,)
    except duckdb.Error as error:
        raise told(error) from error
    return int(count)


def _order(statement: exp.Copy, session: Session) -> Order:
    options = _options(statement)
    if str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper() != "ABORT_STATEMENT":
        raise refusal("unsupported", what=f"ON_ERROR={options['ON_ERROR']} in the stand-in")
    form = {key.upper(): str(value).upper() for key, value in options.get("FILE_FORMAT", {}).items()}
    table = theirs._extract_table(statement.this)
    source = theirs._from_source(statement)
    database, schema = session.connection.database, session.connection.schema
    stages = session.connection.table_stages
    if not source.startswith("@"):
        raise refusal("unsupported", what="COPY from an address in the stand-in")
    folder = theirs.stage_url_from_var(source[1:], session.engine, database, schema, stages, table)
    return Order(
        table=table,
        columns=[each.name for each in statement.this.expressions] if isinstance(statement.this, exp.Schema) else [],
        folder=folder,
        files=list(options.get("FILES", [])),
        by_name=True,
        binary_as_text=form.get("BINARY_AS_TEXT", "TRUE") == "TRUE",
        force=str(options.get("FORCE", "FALSE")).upper() == "TRUE",
        purge=str(options.get("PURGE", "FALSE")).upper() == "TRUE",
    )


def _options(statement: exp.Copy) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in statement.args.get("params") or []:
        name = option.this.name.upper()
        if name == "FILES":
            found[name] = [literal.name for literal in option.find_all(exp.Literal)]
        elif option.expressions:
            found[name] = {each.this.name: each.args["value"].name or each.args["value"] for each in option.expressions}
        else:
            found[name] = option.expression.name if option.expression is not None else "TRUE"
            if isinstance(option.expression, exp.Boolean):
                found[name] = str(option.expression.this)
    return found


def _paths(order: Order) -> Iterator[Path]:
    folder = Path(order.folder)
    if order.files:
        for file in order.files:
            path = folder / file
            if not path.is_file():
                raise refusal("no_file", name=file)
            yield path
    elif folder.is_file():
        yield folder
    else:
        root = folder if order.folder.endswith("/") else folder.parent
        prefix = order.folder
        yield from sorted(path for path in root.rglob("*") if path.is_file() and str(path).startswith(prefix))


def _target(order: Order, session: Session) -> tuple[tuple[str, int], Mapping[str, str]]:
    """The table's number, and the engine's type of each column."""
    catalog, schema, name = session.resolve(order.table.catalog, order.table.db, order.table.name)
    found = session.engine.execute(
        "select table_oid from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [catalog, schema, name],
    ).fetchone()
    if found is None:
        raise refusal("missing", kind="Table", name=f"{catalog}.{schema}.{name}")
    columns = session.engine.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [catalog, schema, name],
    ).fetchall()
    return (catalog, found[0]), dict(columns)


def _insert(order: Order, path: Path, kinds: Mapping[str, str], session: Session) -> str:
    """Columns that the file lacks stay null, whatever their default; what the table lacks is left out."""
    file = exp.Table(this=theirs.ReadParquet().read_expression(str(path)))
    held = session.engine.execute(f"describe from {file.sql(dialect='duckdb')}").fetchall()
    found = {name.upper(): (name, kind) for name, kind, *_ in held}
    wanted = order.columns or list(kinds)
    values = [
        _value(*found[each.upper()], kinds[each], order) if each.upper() in found else exp.Null() for each in wanted
    ]
    table = exp.table_(*reversed(session.resolve(order.table.catalog, order.table.db, order.table.name)), quoted=True)
    into = exp.Schema(this=table, expressions=[exp.to_identifier(each, quoted=True) for each in wanted])
    statement = exp.Insert(this=into, expression=exp.select(*values).from_(file))
    return str(statement.sql(dialect="duckdb"))


def _value(name: str, kind: str, wanted: str, order: Order) -> exp.Expression:
    column = exp.column(name, quoted=True)
    if wanted == "JSON":
        return exp.func("to_json", column)
    if kind == "BLOB" and wanted == "VARCHAR":
        return exp.Anonymous(this="decode" if order.binary_as_text else "hex", expressions=[column])
    return column


_their_urls = theirs._source_urls


def _urls(source: str, files: list[str]) -> list[str]:
    """Of what fakesnow loads itself; it takes the folder of an internal stage for no address."""
    if theirs.stage.is_internal(source):
        return [str(Path(source) / file) for file in files]
    urls: list[str] = _their_urls(source, files)
    return urls


theirs._source_urls = _urls
