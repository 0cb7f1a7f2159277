"""What the server's catalogue says of the tables we are to capture, and which tables we must refuse.

A table is refused before anything is published: to publish the updates of a table that has no replica identity makes
the application's own updates fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.change import is_reserved
from ...base.errors import Misconfigured
from ...base.sql import Sql, literal, name
from ...base.types import Column, ColumnType, Described, Kind

_NATIVE = frozenset({16, 17, 20, 21, 23, 25, 700, 701, 1042, 1043})
"""bool, bytea, int8, int2, int4, text, float4, float8, bpchar, varchar: what Arrow holds as the server does.

Dates and timestamps are not among them: `infinity` would arrive as a wrong moment without a word."""

_TABLE, _PARTITIONED = "r", "p"


TableName = str | tuple[str, str]
"""`public.orders`, or its schema and its name, for names that hold dots."""


@dataclass(frozen=True, slots=True)
class Field:
    """`native`: read as an Arrow value, else as the server's text. `cast`: the type's name without its modifier."""

    name: str
    physical: str
    required: bool
    native: bool
    cast: Sql

    @property
    def type(self) -> ColumnType:
        try:
            return ColumnType.parse(self.physical)
        except Misconfigured:
            return ColumnType(Kind.NUMERIC if self.physical.startswith("numeric") else Kind.TEXT)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as an object of ours. `key` are the columns by which the log tells its rows."""

    object: str
    schema: str
    name: str
    partitioned: bool
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    @property
    def quoted(self) -> Sql:
        return name(self.schema, self.name)

    @property
    def literal(self) -> Sql:
        """The same name as a value."""
        return literal(self.quoted)

    def described(self) -> Described:
        columns = tuple(Column(field.name, field.type, field.required, field.physical) for field in self.fields)
        return Described(self.object, columns, self.key)


@dataclass(frozen=True, slots=True)
class Published:
    """Our publication: whether it tells `all_kinds` of change, and partitions `via_root`; per table, what it tells."""

    all_kinds: bool
    via_root: bool
    columns: Mapping[tuple[str, str], tuple[str, ...] | None]
    filtered: frozenset[tuple[str, str]]


def tables(
    wanted: Mapping[str, TableName],
    relations: Sequence[tuple[Any, ...]],
    columns: Sequence[tuple[Any, ...]],
    identities: Sequence[tuple[Any, ...]],
    published: Published | None,
) -> tuple[Table, ...]:
    """The tables of `wanted` (object -> schema.table), from the rows of the statements of these names. Raises
    Misconfigured, with the command that mends it."""
    made = []
    for object_, (schema, table, relation, kind, persistence, identity) in zip(wanted, relations, strict=True):
        where = name(schema, table)
        _refuse_kind(where, relation, kind, persistence)
        listed = published.columns.get((schema, table)) if published is not None else None
        fields = tuple(
            Field(column, physical, required, type_ in _NATIVE, name(type_schema, type_name))
            for owner, column, required, type_, physical, type_schema, type_name in columns
            if owner == relation and (listed is None or column in listed)
        )
        _refuse_names(where, fields)
        key = _key(where, identity, [row[1:] for row in identities if row[0] == relation])
        if missing := set(key) - {field.name for field in fields}:
            raise Misconfigured(
                f"table {where} has {sorted(missing)} in its key, which the log does not carry.",
                hint="A key may not hold generated columns, nor columns that the publication leaves out.",
            )
        made.append(Table(object_, schema, table, kind == _PARTITIONED, fields, key))
    return tuple(made)


def all_wanted(named: Mapping[str, TableName], found: Sequence[tuple[str, str]]) -> dict[str, TableName]:
    """The named tables, and those found in whole schemas under their own names. Raises Misconfigured when two tables
    would bear one name."""
    wanted = dict(named)
    taken = {object_.lower(): split(table) for object_, table in named.items()}
    for schema, table in found:
        if (schema, table) in taken.values():
            continue
        if table.lower() in taken:
            raise Misconfigured(
                f"{name(schema, table)} and {name(*taken[table.lower()])} would both be called {table}.",
                hint=f"Give one an alias under `tables`: {{table: {schema}.{table}, as: {schema}_{table}}}.",
            )
        taken[table.lower()] = (schema, table)
        wanted[table] = (schema, table)
    if not wanted:
        raise Misconfigured("the schemas hold no tables.", hint="Correct `schemas` in tieout.yaml.")
    return wanted


def split(table: TableName) -> tuple[str, str]:
    """`public.orders` -> ("public", "orders"). Only the first dot divides; without one, the schema is public."""
    if isinstance(table, tuple):
        return table
    schema, dot, rest = table.partition(".")
    return (schema, rest) if dot else ("public", table)


def refuse_publication(publication: str, published: Published, wanted: Sequence[Table]) -> None:
    """A publication of somebody's that leaves something out would make us lose it without a word."""
    quoted = name(publication)
    if not published.all_kinds:
        raise Misconfigured(
            f"publication {publication} does not tell every kind of change.",
            hint=f"Run: alter publication {quoted} set (publish = 'insert, update, delete, truncate');",
        )
    for table in wanted:
        if table.partitioned and not published.via_root:
            raise Misconfigured(
                f"publication {publication} tells of the parts of {table.quoted}, not of the table.",
                hint=f"Run: alter publication {quoted} set (publish_via_partition_root = true);",
            )
        if (table.schema, table.name) in published.filtered:
            raise Misconfigured(
                f"publication {publication} filters the rows of {table.quoted}, so a comparison could never agree.",
                hint=f"Run: alter publication {quoted} drop table {table.quoted}; it is then added again, whole.",
            )


def _refuse_kind(where: Sql, relation: int | None, kind: str, persistence: str) -> None:
    if relation is None:
        raise Misconfigured(
            f"there is no table {where}.",
            hint="Correct `tables` in tieout.yaml; write schema.table as the catalogue spells it.",
        )
    if kind not in (_TABLE, _PARTITIONED):
        raise Misconfigured(f"{where} is not a table.", hint="Name the tables it is made of; only tables are logged.")
    if persistence != "p":
        raise Misconfigured(f"table {where} is not logged.", hint=f"Run: alter table {where} set logged;")


def _refuse_names(where: Sql, fields: Sequence[Field]) -> None:
    if taken := sorted(field.name for field in fields if is_reserved(field.name)):
        raise Misconfigured(
            f"table {where} has columns {taken}, which are tieout's own names.",
            hint=f"Run: alter table {where} rename column {name(taken[0])} to {name(taken[0].lstrip('_'))};",
        )


def _key(where: Sql, identity: str, indexes: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    """d(efault) tells rows by the primary key, i(ndex) by the index chosen, f(ull) by all; n(othing) not at all."""
    primary = next((index for index in indexes if index[0]), None)
    chosen = next((index for index in indexes if index[1]), None) if identity == "i" else primary
    if identity == "n":
        raise Misconfigured(
            f"table {where} logs nothing by which a changed row could be told (REPLICA IDENTITY NOTHING).",
            hint=f"Run: alter table {where} replica identity default;",
        )
    if chosen is None:
        raise Misconfigured(
            f"table {where} has no primary key, so its rows cannot be told apart.",
            hint=f"Run: alter table {where} add primary key (...); with the columns that tell its rows apart.",
        )
    if identity != "f" and not chosen[2]:
        raise Misconfigured(
            f"the key of table {where} is deferrable or not valid, so the log cannot tell its rows by it.",
            hint=f"Run: alter table {where} replica identity full;",
        )
    return tuple(chosen[3])
