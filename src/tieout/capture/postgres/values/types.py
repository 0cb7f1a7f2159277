"""PostgreSQL's types: how a value of each is asked for when a table is read, how a key of it is asked about, and what
type it has here. One table says it all, and `docs/reference/postgres-types.md` is held against it.

The one rule: a value that is read and the same value in the log come to the same thing. The log tells every value as
the server's text, so a read takes that text too, unless the driver's own value is as exact and cheaper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ....base.errors import Misconfigured
from ....base.sql import Sql, Statements
from ....base.types import ColumnType, Kind

_SQL = Statements(__package__, "types.sql")


class Read(StrEnum):
    """How a read asks for a column: each is a statement's name in `types.sql`."""

    AS_IT_IS = "as_it_is"
    AS_TEXT = "as_text"
    AS_WRITTEN = "as_written"
    AS_BIGINT = "as_bigint"

    def of(self, expression: Sql) -> Sql:
        return _SQL(self.value, value=expression)


class Asked(StrEnum):
    """How the text of a key becomes a value of the column again: each is a statement's name in `types.sql`."""

    AS_TEXT = "asked_as_text"
    AS_MOMENT = "asked_as_moment"

    def of(self, text: Sql, cast: Sql) -> Sql:
        return _SQL(self.value, text=text, cast=cast)


@dataclass(frozen=True, slots=True)
class Passage:
    """The way of one type from the server to us. `kind` None: bounds decide, as of numeric(12,2)."""

    kind: Kind | None
    read: Read
    asked: Asked = Asked.AS_TEXT


PASSAGES: Mapping[str, Passage] = {
    "bool": Passage(Kind.BOOLEAN, Read.AS_IT_IS),
    "int2": Passage(Kind.INT16, Read.AS_IT_IS),
    "int4": Passage(Kind.INT32, Read.AS_IT_IS),
    "int8": Passage(Kind.INT64, Read.AS_IT_IS),
    "oid": Passage(Kind.INT64, Read.AS_BIGINT),  # the driver takes it for a number with a sign
    "float4": Passage(Kind.FLOAT32, Read.AS_IT_IS),
    "float8": Passage(Kind.FLOAT64, Read.AS_IT_IS),
    "numeric": Passage(None, Read.AS_TEXT),  # the driver's own reading of it costs three times as much, and says `nan`
    "text": Passage(Kind.TEXT, Read.AS_IT_IS),
    "varchar": Passage(Kind.TEXT, Read.AS_IT_IS),
    "bpchar": Passage(Kind.TEXT, Read.AS_IT_IS),
    "bytea": Passage(Kind.BINARY, Read.AS_IT_IS),
    "date": Passage(Kind.DATE, Read.AS_IT_IS, Asked.AS_MOMENT),
    "time": Passage(Kind.TIME, Read.AS_IT_IS),
    "timestamp": Passage(Kind.TIMESTAMP, Read.AS_IT_IS, Asked.AS_MOMENT),
    "timestamptz": Passage(Kind.TIMESTAMPTZ, Read.AS_IT_IS, Asked.AS_MOMENT),
    "uuid": Passage(Kind.UUID, Read.AS_IT_IS),
    "json": Passage(Kind.JSON, Read.AS_TEXT),
    "jsonb": Passage(Kind.JSON, Read.AS_TEXT),
}
"""By the type's name in `pg_catalog`."""

OTHER = Passage(Kind.TEXT, Read.AS_WRITTEN)
"""All other types: the text that the server writes."""

NESTED = Passage(Kind.JSON, Read.AS_WRITTEN)
"""Arrays and rows of columns: the text that the server writes, which `nested.py` makes JSON of."""


def passage_of(schema: str, type_: str) -> Passage:
    """The passage of a type that is neither array nor row, by its name."""
    return PASSAGES.get(type_, OTHER) if schema == "pg_catalog" else OTHER


def type_of(passage: Passage, physical: str) -> ColumnType:
    """The type here. `physical` is the server's own word with its bounds; those that no decimal here has room for leave
    exact text."""
    if passage.kind is not None:
        return ColumnType(passage.kind)
    try:
        return ColumnType.parse(physical)
    except Misconfigured:  # numeric(5,-2)
        return ColumnType(Kind.NUMERIC)
