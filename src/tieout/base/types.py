"""Column types: what a value may be, and what holds it without loss on the road and in the embedded warehouse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from .errors import Misconfigured

DECIMAL_DIGITS_MAX = 38


class Kind(StrEnum):
    BOOLEAN = "boolean"
    INT16 = "smallint"
    INT32 = "integer"
    INT64 = "bigint"
    DECIMAL = "decimal"
    NUMERIC = "numeric"
    FLOAT32 = "real"
    FLOAT64 = "double"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    UUID = "uuid"
    JSON = "json"
    BINARY = "binary"


_ARROW = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INT16: pa.int16(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.NUMERIC: pa.string(),
    Kind.FLOAT32: pa.float32(),
    Kind.FLOAT64: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.time64("us"),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
    Kind.UUID: pa.string(),
    Kind.JSON: pa.string(),
    Kind.BINARY: pa.binary(),
}

_DUCKDB = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INT16: "SMALLINT",
    Kind.INT32: "INTEGER",
    Kind.INT64: "BIGINT",
    Kind.NUMERIC: "VARCHAR",
    Kind.FLOAT32: "FLOAT",
    Kind.FLOAT64: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    Kind.UUID: "UUID",
    Kind.JSON: "JSON",
    Kind.BINARY: "BLOB",
}

_SPELLINGS = {
    "boolean": Kind.BOOLEAN, "bool": Kind.BOOLEAN,
    "smallint": Kind.INT16, "int2": Kind.INT16,
    "integer": Kind.INT32, "int": Kind.INT32, "int4": Kind.INT32,
    "bigint": Kind.INT64, "int8": Kind.INT64,
    "numeric": Kind.NUMERIC,
    "real": Kind.FLOAT32, "float4": Kind.FLOAT32,
    "double": Kind.FLOAT64, "double precision": Kind.FLOAT64, "float8": Kind.FLOAT64, "float": Kind.FLOAT64,
    "text": Kind.TEXT, "varchar": Kind.TEXT, "character varying": Kind.TEXT, "char": Kind.TEXT, "character": Kind.TEXT,
    "bpchar": Kind.TEXT, "string": Kind.TEXT,
    "date": Kind.DATE,
    "time": Kind.TIME, "time without time zone": Kind.TIME,
    "timestamp": Kind.TIMESTAMP, "timestamp without time zone": Kind.TIMESTAMP, "datetime": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ, "timestamp with time zone": Kind.TIMESTAMPTZ,
    "uuid": Kind.UUID,
    "json": Kind.JSON, "jsonb": Kind.JSON,
    "bytea": Kind.BINARY, "binary": Kind.BINARY, "blob": Kind.BINARY,
}  # fmt: skip

INTEGERS = frozenset({Kind.INT16, Kind.INT32, Kind.INT64})

_DECIMAL = re.compile(r"(?:decimal|numeric|number)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_SIZED = re.compile(r"([a-z ]+?)\s*\(\s*\d+\s*\)(\s+with(?:out)? time zone)?")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`precision` and `scale` belong to DECIMAL alone: digits in all, digits behind the point.

    NUMERIC is a decimal without bounds. No warehouse holds those in a number, so it travels as its exact text.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __post_init__(self) -> None:
        if self.kind is Kind.DECIMAL and not 0 <= self.scale <= self.precision <= DECIMAL_DIGITS_MAX:
            raise Misconfigured(
                f"decimal({self.precision},{self.scale}) is not a type.",
                hint=f"Write decimal(p,s) with 0 <= s <= p <= {DECIMAL_DIGITS_MAX}, or numeric for exact text.",
            )

    @classmethod
    def parse(cls, physical: str) -> ColumnType:
        """From a physicalType such as `decimal(18,2)`, `bigint`, `timestamptz`, `varchar(40)`. Raises Misconfigured."""
        text = " ".join(physical.lower().split())
        if match := _DECIMAL.fullmatch(text):
            precision, scale = int(match[1]), int(match[2] or 0)
            if precision > DECIMAL_DIGITS_MAX or scale > precision:
                return cls(Kind.NUMERIC)
            return cls(Kind.DECIMAL, precision, scale)
        if text not in _SPELLINGS and (match := _SIZED.fullmatch(text)):
            text = match[1] + (match[2] or "")
        if text not in _SPELLINGS:
            allowed = ", ".join(sorted(kind.value for kind in Kind))
            raise Misconfigured(f"type {physical!r} is not known.", hint=f"Allowed: {allowed}, decimal(p,s).")
        return cls(_SPELLINGS[text])

    @property
    def arrow(self) -> pa.DataType:
        if self.kind is Kind.DECIMAL:
            return pa.decimal128(self.precision, self.scale)
        return _ARROW[self.kind]

    @property
    def duckdb(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB[self.kind]

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Column:
    """`required`: the source promises a value in every row. `physical` is the source's own word for the type."""

    name: str
    type: ColumnType
    required: bool = False
    physical: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a contract says of an object to the source that reads it: its key, and its columns' types."""

    key: tuple[str, ...]
    types: Mapping[str, ColumnType]


@dataclass(frozen=True, slots=True)
class Described:
    """What a source's own catalogue says of one object: its columns in order, and the names of its key in order.
    `note`: what of it cannot be captured, in a sentence."""

    object: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    note: str = ""
