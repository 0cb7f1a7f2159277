"""What the server's catalogue says of the tables we are to capture, and which tables we must refuse.

A table is refused before anything is published: to publish the updates of a table that has no replica identity makes
the application's own updates fail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...base.change import is_reserved
from ...base.errors import Misconfigured
from ...base.sql import Sql, literal, name
from ...base.stream import Stream
from ...base.types import INTEGERS, Column, ColumnType, Declared, Described, Kind
from ..source import Remark
from .appends import ROW_ID, refuse, refuse_left
from .values.compositions import Compositions
from .values.nested import Composition
from .values.types import NESTED, OTHER, PASSAGES, Passage, Read, passage_of, type_of

_TABLE, _PARTITIONED = "r", "p"
_BY_NOTHING, _STORED = "", "s"

GENERATED_SINCE = 18_00_00
"""The server that can publish columns that are generated and stored."""


TableName = str | tuple[str, str]
"""`public.orders`, or its schema and its name, for names that hold dots."""


@dataclass(frozen=True, slots=True)
class Field:
    """`physical`: the server's word for the type. `cast`: the type's name without its modifier.
    `composition`: of an array or a row of columns, which come as JSON. `is_retyped`: its contract gives it another type
    than the database, so a read takes the server's text, from which the log's values are read too."""

    name: str
    physical: str
    required: bool
    passage: Passage
    cast: Sql
    composition: Composition | None = None
    is_retyped: bool = False

    @property
    def type(self) -> ColumnType:
        return type_of(self.passage, self.physical)

    def read(self, expression: Sql) -> Sql:
        """How a read asks for it."""
        return (Read.AS_WRITTEN if self.is_retyped else self.passage.read).of(expression)

    def declared(self, declared: Declared | None) -> Field:
        """The same under this contract."""
        wanted = None if declared is None else declared.types.get(self.name)
        return replace(self, is_retyped=wanted is not None and self._is_another(wanted.kind))

    def _is_another(self, wanted: Kind) -> bool:
        """Of values that the driver makes: a whole number is the same in whatever holds it."""
        ours = self.passage.kind
        both = {ours, wanted} <= INTEGERS
        return self.passage.read is Read.AS_IT_IS and self.composition is None and ours != wanted and not both


@dataclass(frozen=True, slots=True)
class Table:
    """A table as an object of ours. `key` are the columns by which the log tells its rows, `untold` generated ones that
    it does not tell. `append_only`: only what is added to it is told, and its first field is the name of a row."""

    object: str
    schema: str
    name: str
    partitioned: bool
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    untold: tuple[str, ...] = ()
    append_only: bool = False

    @property
    def quoted(self) -> Sql:
        return name(self.schema, self.name)

    @property
    def literal(self) -> Sql:
        """The same name as a value."""
        return literal(self.quoted)

    def described(self) -> Described:
        columns = tuple(Column(field.name, field.type, field.required, field.physical) for field in self.fields)
        note = f"Generated columns that the log does not tell are left out: {', '.join(self.untold)}."
        return Described(self.object, columns, self.key, note if self.untold else "")

    def declared(self, declared: Declared | None) -> Table:
        """The same, its columns read as this contract needs them."""
        return replace(self, fields=tuple(field.declared(declared) for field in self.fields))

    @property
    def compositions(self) -> dict[str, Composition]:
        """The columns that come as JSON made of the server's text."""
        return {field.name: field.composition for field in self.fields if field.composition is not None}


@dataclass(frozen=True, slots=True)
class Listing:
    """`tables`: those that can be followed. `left_out`: why others are not, a sentence each."""

    tables: tuple[Table, ...]
    left_out: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """Our publication: whether it tells `all_kinds` of change or `only_appends`, partitions `via_root`, and stored
    columns that are `generated`; per table, what it tells."""

    all_kinds: bool
    only_appends: bool
    via_root: bool
    generated: bool
    columns: Mapping[tuple[str, str], tuple[str, ...] | None]
    filtered: frozenset[tuple[str, str]]

    @classmethod
    def ours(cls, *, tells_generated: bool) -> Published:
        """The one that we make where there is none."""
        return cls(True, True, True, tells_generated, {}, frozenset())

    def tells(self, table: tuple[str, str], column: str, generated: str) -> bool:
        listed = self.columns.get(table)
        if listed is not None:
            return column in listed
        return generated == _BY_NOTHING or (generated == _STORED and self.generated)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server's catalogue says of the tables: the rows of the statements of these names, and our publications
    (where there is none, the one that we would make), of which `appended` is that of append-only tables."""

    columns: Sequence[tuple[Any, ...]]
    identities: Sequence[tuple[Any, ...]]
    compositions: Compositions
    published: Published
    appended: Published


def tables(
    wanted: Mapping[str, TableName],
    relations: Sequence[tuple[Any, ...]],
    answers: Answers,
    *,
    declared: Mapping[str, Declared],
    append_only: Collection[str] = (),
    may_stay_out: Collection[str] = (),
) -> Listing:
    """The tables of `wanted` (object -> schema.table). `declared` is what people say of them in contracts,
    `append_only` the objects of which only what is added shall be told. Raises Misconfigured for one that cannot be
    followed, with the command that mends it, unless its object `may_stay_out`."""
    made, left_out = [], []
    for object_, relation in zip(wanted, relations, strict=True):
        try:
            appended = object_ in append_only
            contract = declared.get(object_)
            named = () if contract is None else contract.key
            made.append(_table(object_, relation, answers, named, append_only=appended).declared(contract))
        except Misconfigured as refused:
            if object_ not in may_stay_out:
                raise
            left_out.append(Remark(refused.message, refused.hint))
    return Listing(tuple(made), tuple(left_out))


def _table(
    object_: str, found: tuple[Any, ...], answers: Answers, named: tuple[str, ...], *, append_only: bool
) -> Table:
    schema, table, relation, kind, persistence, identity = found
    where = name(schema, table)
    _refuse_object(where, object_)
    _refuse_kind(where, relation, kind, persistence)
    columns = {row[1] for row in answers.columns if row[0] == relation}
    indexes = [row[1:] for row in answers.identities if row[0] == relation]
    if append_only:
        refuse(where, columns, named, has_key=bool(indexes))
        key: tuple[str, ...] = (ROW_ID,)
    else:
        refuse_left(where, columns, named)
        key = _key(where, identity, indexes, named)
    published = answers.appended if append_only else answers.published
    fields, untold = [_ROW_ID] if append_only else [], []
    for owner, column, *type_, generated in answers.columns:
        if owner == relation and published.tells((schema, table), column, generated):
            fields.append(_field(column, type_, answers.compositions, is_key=column in key))
        elif owner == relation and generated != _BY_NOTHING:
            untold.append(column)
    _refuse_names(where, fields)
    if missing := set(key) - {field.name for field in fields}:
        raise Misconfigured(
            f"the key of table {where} names {', '.join(sorted(missing))}, of which the log does not tell.",
            hint="Name columns that the table has, in its contract; a key may hold none that is generated, nor "
            "one that the publication leaves out.",
        )
    return Table(object_, schema, table, kind == _PARTITIONED, tuple(fields), key, tuple(untold), append_only)


def all_wanted(
    named: Mapping[str, TableName], found: Sequence[tuple[str, str]], schemas: Sequence[str]
) -> dict[str, TableName]:
    """The named tables, and those found in whole `schemas` under their own names. Raises Misconfigured when two tables
    would bear one name, or one table two, and when there is none."""
    wanted = dict(named)
    taken = {object_.lower(): split(table) for object_, table in named.items()}
    _refuse_twins(named)
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
        raise Misconfigured(
            f"there is no table in schema {', '.join(schemas)}.",
            hint="Correct `schemas` in tieout.yaml; write each as the catalogue spells it.",
        )
    return wanted


def _refuse_twins(named: Mapping[str, TableName]) -> None:
    """The log tells a table's changes once, so of two objects one would miss them all."""
    objects: dict[tuple[str, str], str] = {}
    for object_, table in named.items():
        if (other := objects.setdefault(split(table), object_)) != object_:
            raise Misconfigured(
                f"{name(*split(table))} is named twice, as {other} and as {object_}; a table is one stream.",
                hint="Remove one of the two under `tables` in tieout.yaml.",
            )


def split(table: TableName) -> tuple[str, str]:
    """`public.orders` -> ("public", "orders"). Only the first dot divides; without one, the schema is public."""
    if isinstance(table, tuple):
        return table
    schema, dot, rest = table.partition(".")
    return (schema, rest) if dot else ("public", table)


def refuse_parts(parts: Sequence[tuple[Any, ...]]) -> None:
    """The log tells what happens in a part of a partitioned table of the whole, so the part's own stream would miss it.
    `parts`: schema and name of each, and of what it is a part of that is wanted too."""
    if parts:
        schema, table, *whole = parts[0]
        raise Misconfigured(
            f"{name(schema, table)} is a part of {name(*whole)}, which is read too.",
            hint="Remove one of the two in tieout.yaml: the whole tells of all of its parts.",
        )


def refuse_publication(publication: str, published: Published, wanted: Sequence[Table]) -> None:
    """A publication of somebody's that leaves something out would make us lose it without a word. `wanted` are the
    tables that it shall tell of, all append-only or none."""
    quoted = name(publication)
    appended = any(table.append_only for table in wanted)
    if appended and not published.only_appends:
        raise Misconfigured(
            f"publication {publication} is for append-only tables, and does not tell just what is added and emptied.",
            hint=f"Run: alter publication {quoted} set (publish = 'insert, truncate');",
        )
    if not appended and not published.all_kinds:
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


def refuse_updates(publication: str, published: Published, appended: Sequence[Table]) -> None:
    """An append-only table in the publication of the others: the application's own updates would fail."""
    for table in appended:
        if (table.schema, table.name) in published.columns:
            raise Misconfigured(
                f"publication {publication} tells updates of {table.quoted}, which is append_only.",
                hint=f"Run: alter publication {name(publication)} drop table {table.quoted};"
                " where it is for all tables, make another one and name it by `publication`.",
            )


def _field(column: str, told: Sequence[Any], compositions: Compositions, *, is_key: bool) -> Field:
    """A column. An array in a key stays the text by which the server knows it again."""
    required, type_, physical, type_schema, type_name = told
    cast = name(type_schema, type_name)
    composition = compositions.of(type_)
    if composition is None:
        return Field(column, physical, required, passage_of(type_schema, type_name), cast)
    if is_key:
        return Field(column, physical, required, OTHER, cast)
    return Field(column, physical, required, NESTED, cast, composition)


_ROW_ID = Field(ROW_ID, "text", True, PASSAGES["text"], name("pg_catalog", "text"))


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
    for at, field in enumerate(fields):
        if twin := next((other.name for other in fields[:at] if other.name.lower() == field.name.lower()), None):
            raise Misconfigured(
                f"table {where} has the columns {name(twin)} and {name(field.name)}, which are one in the warehouse.",
                hint=f"Run: alter table {where} rename column {name(field.name)} to {name(field.name + '_2')};",
            )


def _refuse_object(where: Sql, object_: str) -> None:
    try:
        Stream("any", object_)
    except Misconfigured as error:
        raise Misconfigured(
            f"table {where} has a name that no stream can bear.",
            hint="Give it an alias under `tables`: {table: ..., as: NAME}.",
        ) from error


def _key(where: Sql, identity: str, indexes: Sequence[tuple[Any, ...]], named: tuple[str, ...]) -> tuple[str, ...]:
    """d(efault) tells rows by the primary key, i(ndex) by the index chosen, f(ull) by all, of which a contract may have
    `named` the key; n(othing) not at all."""
    if identity == "f" and named:
        return named
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
            hint=_ways_out(where, identity),
        )
    if identity != "f" and not chosen[2]:
        raise Misconfigured(
            f"the key of table {where} is deferrable or not valid, so the log cannot tell its rows by it.",
            hint=f"Run: alter table {where} replica identity full;",
        )
    return tuple(chosen[3])


def _ways_out(where: Sql, identity: str) -> str:
    """For a table without a primary key: a key, columns that are one though nothing says so, or no key at all."""
    index = (
        f"Or run: alter table {where} replica identity using index ...; with a unique index;"
        " or: ... replica identity full; and mark the columns with primaryKey in its contract."
    )
    named = "Or mark them with primaryKey in its contract." if identity == "f" else index
    return (
        f"Run: alter table {where} add primary key (...); with the columns that tell its rows apart. {named}"
        " Or, where rows are only ever added, write append_only: true for it under `tables` in tieout.yaml."
    )
