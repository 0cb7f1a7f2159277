"""A PostgreSQL database in `tieout.yaml`: how it is reached, and which of its tables are read under which names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..base import form
from ..base.codec import sha256_hex
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import Document, Place
from .postgres_url import CUT, MEND, is_cut

SECRET = frozenset({"url"})

_TABLE = re.compile(r'(?:"(?P<quoted_schema>(?:[^"]|"")+)"|(?P<schema>[^".]+))\.'
                    r'(?:"(?P<quoted_name>(?:[^"]|"")+)"|(?P<name>[^".]+))')  # fmt: skip
_SLOT = re.compile(r"[a-z0-9_]{1,63}")
_IDENTIFIER_BYTES_MAX = 63
"""PostgreSQL cuts a longer name without a word."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to read: where it stands in the source, and the object name its stream bears here. `append_only`: nothing
    shall be told of it but what is added, as it has no key."""

    schema: str
    name: str
    object: str
    append_only: bool = False


@dataclass(frozen=True, slots=True)
class PostgresConfig:
    """A PostgreSQL database: these tables, and all that stand in these schemas on the day it is asked.

    `slot` None: one of the landing's own, under the publication's name. `url` is whatever libpq takes, a password in it
    or not: kept out of repr, and to be kept out of every message. `failover`: a standby shall have the slot too;
    `heartbeat_seconds`: how often a word is left in a quiet log, 0 for never; `streaming`: it sends transactions before
    they commit.
    """

    url: str = field(repr=False)
    tables: tuple[Table, ...]
    schemas: tuple[str, ...]
    slot: str | None
    publication: str
    failover: bool
    heartbeat_seconds: float
    streaming: bool

    @property
    def wanted(self) -> dict[str, tuple[str, str]]:
        """Object -> schema and name, of the tables that are listed."""
        return {table.object: (table.schema, table.name) for table in self.tables}

    @property
    def appended(self) -> frozenset[str]:
        """The objects of which nothing shall be told but what is added."""
        return frozenset(table.object for table in self.tables if table.append_only)


class _PostgresForm(BaseModel):
    type: Literal["postgres"]
    url: str
    tables: list[Any] = []
    schemas: list[str] = []
    slot: str | None = None
    publication: str | None = None
    failover: bool = True
    heartbeat_seconds: float = Field(default=30.0, ge=0.0, le=3600.0)
    streaming: bool = False


class _TableForm(BaseModel):
    table: str
    alias: str | None = Field(default=None, alias="as")
    append_only: bool = False


def postgres(document: Document, place: Place, project: str) -> PostgresConfig:
    """The source at `place`. Raises Misconfigured for the first wrong setting."""
    settings = form.read(_PostgresForm, document, place, secret=SECRET)
    if not settings.url.startswith(("postgresql://", "postgres://")) and "=" not in settings.url:
        example = "postgresql://user@host:5432/database"
        raise document.wrong((*place, "url"), f"is no address of PostgreSQL; write one such as {example}.")
    if is_cut(settings.url):
        raise document.wrong((*place, "url"), CUT, hint=MEND)
    if not settings.tables and not settings.schemas:
        hint = "Write tables: [public.orders, ...] or schemas: [public]."
        raise document.wrong(place, "names neither tables nor schemas.", hint=hint)
    for index, schema in enumerate(settings.schemas):
        _identifier(document, (*place, "schemas", index), schema)
    slot = settings.slot
    if slot is not None and not _SLOT.fullmatch(slot):
        found = document.found((*place, "slot"))
        raise document.wrong((*place, "slot"), f"is {found}; write 1 to 63 lower-case letters, digits and '_'.")
    publication = _default_name(project, str(place[-1])) if settings.publication is None else settings.publication
    return PostgresConfig(
        url=settings.url,
        tables=_tables(document, place, settings.tables),
        schemas=tuple(dict.fromkeys(settings.schemas)),
        slot=slot,
        publication=_identifier(document, (*place, "publication"), publication),
        failover=settings.failover,
        heartbeat_seconds=settings.heartbeat_seconds,
        streaming=settings.streaming,
    )


def _tables(document: Document, place: Place, entries: list[Any]) -> tuple[Table, ...]:
    by_object: dict[str, Table] = {}
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        here = (*place, "tables", index)
        table = _table(document, here, entry, source=str(place[-1]))
        # The log tells a table's changes once, so of two streams one would miss them all.
        if (before := first.setdefault((table.schema, table.name), index)) != index:
            raise document.wrong(
                here,
                f"names {table.schema}.{table.name} as tables[{before}] does; a table is one stream.",
                hint="Remove one of the two.",
            )
        # Lower case, since the warehouse's tables are named after the objects and do not tell cases apart.
        other = by_object.setdefault(table.object.lower(), table)
        if other is not table:
            raise document.wrong(
                here,
                f"gives the object name {table.object}, which {other.schema}.{other.name} bears already.",
                hint=f"Write {{table: {table.schema}.{table.name}, as: {table.schema}_{table.name}}}.",
            )
    return tuple(by_object.values())


def _table(document: Document, place: Place, entry: object, *, source: str) -> Table:
    alias, append_only = None, False
    if isinstance(entry, dict):
        told = form.read(_TableForm, document, place)
        entry, alias, append_only = told.table, told.alias, told.append_only
    match = _TABLE.fullmatch(entry) if isinstance(entry, str) else None
    if match is None:
        hint = f"Did you mean public.{entry}?" if isinstance(entry, str) and "." not in entry else ""
        wanted = 'write schema.table, or {table: schema.table, as: name}; a name with a dot stands in "quotes"'
        raise document.wrong(place, f"is {document.found(place)}; {wanted}.", hint=hint)
    schema = match["schema"] or match["quoted_schema"].replace('""', '"')
    name = match["name"] or match["quoted_name"].replace('""', '"')
    for part in (schema, name):
        _identifier(document, place, part)
    try:
        stream = Stream(source, name if alias is None else alias)
    except Misconfigured as error:
        raise document.wrong(place, f"is not usable: {error.message}", hint=error.hint) from error
    return Table(schema=schema, name=name, object=stream.object, append_only=append_only)


def _identifier(document: Document, place: Place, name: str) -> str:
    if not 0 < len(name.encode()) <= _IDENTIFIER_BYTES_MAX or "\x00" in name:
        raise document.wrong(place, f"is {document.found(place)}; a name in PostgreSQL has 1 to 63 bytes.")
    return name


def _default_name(project: str, source: str) -> str:
    """`tieout_<project>_<source>` as PostgreSQL allows it; what had to be changed is told apart by a hash."""
    wished = f"tieout_{project}_{source}"
    allowed = re.sub(r"[^a-z0-9_]", "_", wished.lower())
    if allowed == wished and len(wished) <= _IDENTIFIER_BYTES_MAX:
        return wished
    mark = sha256_hex(wished.encode())[:8]
    return f"{allowed[: _IDENTIFIER_BYTES_MAX - len(mark) - 1]}_{mark}"
