"""A query as the org answers it: which rows at the moment of asking, and what they say at the moment of each page.

It is no snapshot. `Selection` keeps the ids that fitted when the query was asked; a page shows those rows as they are
by then, without the ones that have gone. REST and Bulk both read from it: `Org.select` makes it, `values.rest` and
`values.bulk` write its values by the field of each column.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from ...base.sql import Sql, Statements, name
from .conditions import Conditions
from .errors import OrgError
from .grouping import group, grouped_field, is_of_group, must_fit
from .paths import Paths
from .schema import DECIMALS, Field, SObject, Stored
from .schemas import Schemas
from .soql import DAY_ONLY, Item, Ordering, Query, near
from .store import Store

SQL: Final = Statements(__package__, "selecting.sql")
_ALL_ROWS: Final = -1
_FIELDS_MOST: Final = 200
_OFFSET_MOST: Final = 2000
_COUNTED: Final = Field("count", "int")


@dataclass(frozen=True, slots=True)
class Column:
    names: tuple[str, ...]
    """As the schema spells the path: `("Account", "Name")`; of an aggregate its alias."""
    field: Field
    """Tells how its values are written."""


class Kept(Enum):
    """Which rows a reading keeps: those of `query`, of a reading by id, and of `queryAll`."""

    CURRENT = ("IsDeleted", "IsArchived")
    LIVING = ("IsDeleted",)
    EVERYTHING = ()

    @property
    def passed_over(self) -> tuple[str, ...]:
        names: tuple[str, ...] = self.value
        return names


class Selection:
    """`columns` and `total` (rows of the query as it was asked)."""

    def __init__(self, store: Store, schemas: Schemas, query: Query, *, now: datetime, kept: Kept) -> None:
        self._store = store
        self._schemas = schemas
        self.kept = kept
        self.sobject: SObject = schemas[query.object]
        self.query = _with_all_fields(query, self.sobject, schemas)
        self._paths = Paths(schemas, self.sobject, query.text)
        self._conditions = Conditions(self._paths, query.text, now)
        if query.offset > _OFFSET_MOST:
            raise OrgError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_OFFSET_MOST}")
        self._resolved = [self._resolve(item, at) for at, item in enumerate(self.query.items)]
        self.columns = [column for column, _ in self._resolved]
        self.aggregates: list[tuple[Stored, ...]] | None = None
        self.ids: list[str] = []
        with store.lock:
            self.total = self._select()

    def page(self, start: int, count: int) -> list[tuple[Stored, ...]]:
        """The rows of `ids[start:start + count]` that are still there: their values, in the order of `columns`."""
        if self.aggregates is not None:
            return self.aggregates[start : start + count]
        return [row[:-1] for row in self.keyed_page(start, count)]

    def keyed_page(self, start: int, count: int) -> list[tuple[Stored, ...]]:
        """As `page`, with the row's id behind its values. Not for aggregates."""
        wanted = json.dumps(self.ids[start : start + count])
        visible, values = self._visible()
        statement = SQL(
            "rows",
            table=name(self.sobject.name),
            columns=Sql(", ".join([*(sql for _, sql in self._resolved), name("t0", "Id")])),
            joins=self._paths.joins,
            where=visible,
        )
        return self._store.execute(statement, (wanted, *values))

    def _select(self) -> int:
        where = self._conditions.sql(self.query.where)
        visible, values = self._visible()
        order = Sql(", ".join(self._ordering(each) for each in self.query.order_by) or "null")
        parts: dict[str, Any] = {
            "table": name(self.sobject.name),
            "joins": self._paths.joins,
            "where": Sql(f"{where} and {visible}"),
        }
        bound: list[Any] = [*self._conditions.values, *values]
        limits = [_ALL_ROWS if self.query.limit is None else self.query.limit, self.query.offset]
        if self.query.is_count:
            self.aggregates = []
            return int(self._store.execute(SQL("count", **parts), bound)[0][0])
        if self.query.is_aggregate:
            groups = Sql(", ".join(map(self._group, self.query.group_by)))
            columns = Sql(", ".join(sql for _, sql in self._resolved))
            statement = SQL("aggregate", columns=columns, groups=groups, order=order, **parts)
            self.aggregates = self._store.execute(statement, [*bound, *limits])
            must_fit(len(self.aggregates))
            return len(self.aggregates)
        self.ids = [row[0] for row in self._store.execute(SQL("ids", order=order, **parts), [*bound, *limits])]
        return len(self.ids)

    def _visible(self) -> tuple[Sql, list[str]]:
        passed_over = [each for each in self.kept.passed_over if self.sobject.field(each) is not None]
        parts = ["1", *(f"{name('t0', each)} = 0" for each in passed_over)]
        unseen = self._schemas.hidden_rows.get(self.sobject.name)
        if unseen:
            parts.append(f"{name('t0', 'Id')} not in (select value from json_each(?))")
        return Sql(" and ".join(parts)), [json.dumps(sorted(unseen))] if unseen else []

    def _ordering(self, ordering: Ordering) -> Sql:
        found = self._paths.resolve(ordering.path, ordering.at)
        column = f"cast({found.column} as real)" if found.field.type in DECIMALS else found.column
        if found.sobject is self.sobject and found.field.name in ("Id", "SystemModstamp", "CreatedDate"):
            return Sql(f"{column} desc" if ordering.descending else column)
        nulls = "last" if ordering.nulls_last else "first"
        return Sql(f"{column} {'desc' if ordering.descending else 'asc'} nulls {nulls}")

    def _group(self, item: Item) -> Sql:
        return group(self._paths.resolve(item.path, item.at), item, self.query.text)

    def _label(self, item: Item, at: int) -> str:
        unnamed = [each for each in self.query.items[:at] if each.function is not None and each.alias is None]
        return item.alias or f"expr{len(unnamed)}"

    def _resolve(self, item: Item, at: int) -> tuple[Column, Sql]:
        if item.function in (None, DAY_ONLY):
            found = self._paths.resolve(item.path, item.at)
            if self.query.is_aggregate and not is_of_group(self.query, item):
                message = f"Field must be grouped or aggregated: {item.path}"
                raise OrgError("MALFORMED_QUERY", f"{near(self.query.text, item.at)}{message}")
            names = found.names if item.function is None else (self._label(item, at),)
            return Column(names, grouped_field(found, item)), self._group(item)
        label = self._label(item, at)
        if not item.path:
            return Column((label,), _COUNTED), Sql("count(*)")
        found = self._paths.resolve(item.path, item.at)
        if item.function in ("count", "count_distinct"):
            distinct = "distinct " if item.function == "count_distinct" else ""
            return Column((label,), _COUNTED), Sql(f"count({distinct}{found.column})")
        exact = found.field.type in DECIMALS
        column = f"cast({found.column} as real)" if exact else found.column
        return Column((label,), found.field), Sql(f"{item.function}({column})")


def _with_all_fields(query: Query, sobject: SObject, schemas: Schemas) -> Query:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` and `FIELDS(CUSTOM)` written out."""
    items: list[Item] = []
    for item in query.items:
        if item.function != "fields":
            items.append(item)
            continue
        if query.limit is None or query.limit > _FIELDS_MOST:
            message = f"The SOQL FIELDS function must have a LIMIT of at most {_FIELDS_MOST}"
            raise OrgError("MALFORMED_QUERY", message)
        wanted = {"all": (True, False), "custom": (True,), "standard": (False,)}.get(item.path.lower(), ())
        hidden = schemas.hidden(sobject.name)
        items += [
            Item(each.name) for each in sobject.fields if each.custom in wanted and each.name.lower() not in hidden
        ]
    return replace(query, items=tuple(items))
