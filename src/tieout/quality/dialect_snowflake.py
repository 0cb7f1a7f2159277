"""The dialect of Snowflake: `checks_snowflake.sql`. Needs no driver.

Where Snowflake reads a text otherwise than DuckDB does, what a contract says is brought to one spelling here, so that
the same checks of the same rows come to the same.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from ..base.sql import Sql, Statements
from ..base.types import Column, Kind
from ..merge.snowflake.naming import folded, type_of
from .dialect import Bind

_SQL = Statements(__package__, "checks_snowflake.sql")
_OURS = "__"
"""What names of results begin with in a statement that reads a contract's columns."""
_KEYS = re.compile(r"keys\d*")
_BYTE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
_TEXT = Sql("VARCHAR")
_AS_TEXT = {
    Kind.DATE: "day_as_text",
    Kind.TIME: "time_as_text",
    Kind.TIMESTAMP: "moment_as_text",
    Kind.TIMESTAMPTZ: "instant_as_text",
    Kind.BINARY: "bytes_as_text",
}


class SnowflakeDialect:
    """Implements `Dialect`."""

    statements = _SQL
    whole = Sql("NUMBER(38,0)")
    double = Sql("FLOAT")

    def name(self, *parts: str) -> Sql:
        return folded(*parts)

    def result(self, word: str) -> Sql:
        return folded(f"{_OURS}{word}")

    def comparable(self, column: Column) -> tuple[Sql, Sql]:
        match column.type.kind:
            case Kind.NUMERIC:
                return self.as_double(column), self.double
            case Kind.BOOLEAN | Kind.BINARY:
                return self.as_text(column, folded(column.name)), _TEXT
            case _:
                return folded(column.name), type_of(column.type)

    def as_moment(self, column: Column) -> Sql:
        statement = "moment_of_day" if column.type.kind is Kind.DATE else "moment"
        return _SQL(statement, column=folded(column.name))

    def as_double(self, column: Column) -> Sql:
        statement = "text_as_double" if column.type.kind is Kind.NUMERIC else "as_double"
        return _SQL(statement, column=folded(column.name))

    def as_text(self, column: Column, named: Sql) -> Sql:
        return _SQL(_AS_TEXT.get(column.type.kind, "as_text"), column=named)

    def among(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        value, type_ = self.comparable(column)
        spelled = dict.fromkeys(_spelled(column.type.kind, text) for text in texts)
        return _SQL("among", texts=[bind(text) for text in spelled], value=value, type=type_)

    def among_texts(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        value = self.as_text(column, folded(column.name))
        return _SQL("among", texts=[bind(text) for text in dict.fromkeys(texts)], value=value, type=_TEXT)

    def pattern(self, pattern: str) -> str:
        return f"(.|\n)*({pattern})(.|\n)*"

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {_word(column): _told(_word(column), value) for column, value in row.items()}


def _word(column: str) -> str:
    return column.removeprefix(_OURS)


def _told(word: str, value: Any) -> Any:
    if _KEYS.fullmatch(word):
        return [key for key in json.loads(value or "[]") if key is not None]
    return int(value) if isinstance(value, Decimal) and not value.as_tuple().exponent else value


def _spelled(kind: Kind, text: str) -> str:
    """A value as Snowflake is told it. One that is none of this kind stays as it is, and is among no values."""
    match kind:
        case Kind.BOOLEAN if text.lower() in _TRUE | _FALSE:
            return "true" if text.lower() in _TRUE else "false"
        case Kind.UUID:
            with suppress(ValueError):
                return str(UUID(text))
        case Kind.FLOAT32:  # Snowflake keeps such a number as a double, and the double of its text is another one
            with suppress(ValueError, OverflowError):
                return repr(struct.unpack("f", struct.pack("f", float(text)))[0])
        case Kind.BINARY:  # written as DuckDB does: letters, and `\xFF` for other bytes
            return _BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode()).hex().upper()
    return text
