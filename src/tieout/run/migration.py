"""The file migration.yaml: which old tables there are, what stands for each now, and where the old rows lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..base import form, yamlfile
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import Document, Place, nearest
from ..contract.contract import Contract

FILE = "migration.yaml"

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\([0-9]+(, ?[0-9]+)?\))?")
_READ = {".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Column:
    """An old column and the field that says it now; `type`: what the old one was, in the warehouse's words, or None for
    the field's own."""

    name: str
    field: str
    type: str | None


@dataclass(frozen=True, slots=True)
class Legacy:
    """Where the old rows lie: a table (schema and name), or a file that is "csv" or "parquet"."""

    table: tuple[str, str] | None
    file: Path | None
    format: Literal["table", "csv", "parquet"]


@dataclass(frozen=True, slots=True)
class Moved:
    """An old table. `key`: the old columns that say the contract's key, in its order. `legacy` None: the old table
    stands under its own name until the cut-over, and is put aside then."""

    name: str
    stream: Stream
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    legacy: Legacy | None

    def field(self, old: str) -> str:
        return next(column.field for column in self.columns if column.name == old)


@dataclass(frozen=True, slots=True)
class Migration:
    """`schema` is where the old names are asked for."""

    schema: str
    tables: tuple[Moved, ...]


class _MigrationForm(BaseModel):
    schema_: str = Field(alias="schema", min_length=1)
    tables: dict[str, dict[str, Any]] = Field(min_length=1)


class _LegacyForm(BaseModel):
    table: str | None = None
    file: str | None = None


class _TableForm(BaseModel):
    stream: str
    key: list[str] = Field(min_length=1)
    columns: dict[str, Any] = Field(min_length=1)
    legacy: dict[str, Any] | None = None


class _ColumnForm(BaseModel):
    field: str
    type: str


def load_migration(root: Path) -> Migration:
    """The file in the project's folder. Raises Misconfigured for the first wrong setting."""
    path = root / FILE
    if not path.is_file():
        raise Misconfigured(f"There is no {FILE} in {root}.", hint="See docs/operate/migration.md for one.")
    document = yamlfile.load(path)
    settings = form.read(_MigrationForm, document)
    schema = settings.schema_
    if schema in ("latest", "raw", "quarantine", "tieout"):
        raise document.wrong(("schema",), f"is {schema}, where tieout has its own tables; write another.")
    return Migration(schema, tuple(_table(document, root, name) for name in settings.tables))


def check_against(moved: Moved, contract: Contract) -> None:
    """Raises Misconfigured where a field is not the contract's, or the key is another."""
    known = {column.name for column in contract.columns}
    for column in moved.columns:
        if column.field not in known:
            where = f"{FILE}: tables.{moved.name}.columns.{column.name} is {column.field}"
            raise Misconfigured(f"{where}, which {moved.stream} has not.", hint=nearest(column.field, known))
    fields = tuple(moved.field(old) for old in moved.key)
    if fields != tuple(contract.key):
        where = f"{FILE}: tables.{moved.name}.key says {', '.join(fields)}"
        raise Misconfigured(f"{where}, and the key of {moved.stream} is {', '.join(contract.key)}.")


def _table(document: Document, root: Path, name: str) -> Moved:
    place: Place = ("tables", name)
    said = form.read(_TableForm, document, place)
    columns = tuple(_column(document, (*place, "columns", old)) for old in said.columns)
    for index, old in enumerate(said.key):
        if old not in said.columns:
            hint = nearest(old, said.columns)
            raise document.wrong((*place, "key", index), f"is {old}, which is none of the columns.", hint=hint)
    try:
        stream = Stream.parse(said.stream)
    except Misconfigured as error:
        raise document.wrong((*place, "stream"), f"is not usable: {error.message}", hint=error.hint) from error
    legacy = None if said.legacy is None else _legacy(document, root, (*place, "legacy"))
    return Moved(name, stream, tuple(said.key), columns, legacy)


def _column(document: Document, place: Place) -> Column:
    told = yamlfile.descend(document.content, place)
    name = str(place[-1])
    if isinstance(told, str) and told:
        return Column(name, told, None)
    if not isinstance(told, dict):
        raise document.wrong(place, f"is {document.found(place)}; write a field, or {{field: Amount, type: double}}.")
    said = form.read(_ColumnForm, document, place)
    if not _TYPE.fullmatch(said.type):
        raise document.wrong((*place, "type"), f"is {document.found((*place, 'type'))}; write a type such as double.")
    return Column(name, said.field, said.type)


def _legacy(document: Document, root: Path, place: Place) -> Legacy:
    said = form.read(_LegacyForm, document, place)
    if (said.table is None) is (said.file is None):
        raise document.wrong(place, "needs one of table and file.", hint="Write {file: ./legacy/opportunity.csv}.")
    if said.file is not None:
        file = root / said.file
        if file.suffix not in _READ:
            raise document.wrong((*place, "file"), f"is {said.file}; write one that ends in .csv or .parquet.")
        return Legacy(None, file, "csv" if file.suffix == ".csv" else "parquet")
    schema, dot, table = str(said.table).partition(".")
    if not (schema and dot and table):
        raise document.wrong((*place, "table"), f"is {said.table}; write schema.table.")
    return Legacy((schema, table), None, "table")
