"""What the org holds: one table an object in an SQLite database in memory, behind one lock.

It knows neither rules nor users: `Org` and its transactions do. Values are `Stored`. Text compares without case, as
SOQL does; ids with it. Deleted rows stay here, with IsDeleted, until they are purged.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Final

from ...base.sql import Sql, Statements, literal, name
from .schema import DECIMALS, IDS, WHOLE, Field, Row, SObject, Stored

SQL: Final = Statements(__package__, "store.sql")
_UNASKED: Final = frozenset({"OwnerId", "CreatedById", "LastModifiedById", "MasterRecordId", "ManagerId"})
_BY_TIME: Final = ("SystemModstamp", "CreatedDate")
_DEFINED: Final = {
    "whole": Sql(" integer"),
    "exact": Sql(" text"),
    "worded": Sql(" text collate nocase"),
}


def _column(field: Field) -> Sql:
    if field.type in WHOLE or field.type == "boolean":
        kind = "whole"
    elif field.type in DECIMALS or field.type in IDS or field.type in ("date", "datetime", "time"):
        kind = "exact"
    else:
        kind = "worded"
    return Sql(name(field.name) + _DEFINED[kind])


def _index(table: str, column: str) -> Sql:
    return name(f"{table} by {column}")


def _is_indexed(field: Field) -> bool:
    return (
        field.name in _BY_TIME
        or field.unique
        or field.external_id
        or (field.type == "reference" and field.name not in _UNASKED and not field.name.startswith("Converted"))
    )


class Store:
    def __init__(self) -> None:
        self.lock = RLock()
        """Held by everyone who reads or writes, for as long as what they do must be one thing."""
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._depth = 0
        self._texts: dict[tuple[str, ...], Sql] = {}
        for pragma in ("pragma synchronous = off", "pragma journal_mode = memory", "pragma cache_size = -65536"):
            self._database.execute(pragma)
        for statement in ("create_deletions", "create_deletions_by_time"):
            self._database.execute(SQL(statement))

    def define(self, function: str, arguments: int, compute: Any) -> None:
        """Let statements call `compute` by this name."""
        self._database.create_function(function, arguments, compute, deterministic=True)

    def execute(self, statement: Sql, values: Sequence[Stored] = ()) -> list[tuple[Any, ...]]:
        with self.lock:
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Everything within happens, or nothing does. May be nested."""
        with self.lock:
            self._depth += 1
            if self._depth == 1:
                self._database.execute("begin")
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._database.execute("rollback")
                raise
            else:
                if self._depth == 1:
                    self._database.execute("commit")
            finally:
                self._depth -= 1

    def create(self, sobject: SObject) -> None:
        table = name(sobject.name)
        self.execute(SQL("create_table", table=table, columns=[_column(each) for each in sobject.stored_fields]))
        for field in sobject.stored_fields:
            self._index(sobject, field)

    def _index(self, sobject: SObject, field: Field) -> None:
        if _is_indexed(field):
            index = _index(sobject.name, field.name)
            self.execute(SQL("create_index", index=index, table=name(sobject.name), column=name(field.name)))

    def add_column(self, sobject: SObject, field: Field) -> None:
        default = Sql("null") if field.default is None else literal(str(field.default))
        self.execute(SQL("add_column", table=name(sobject.name), column=_column(field), default=default))
        self._index(sobject, field)

    def drop_column(self, sobject: SObject, field: Field) -> None:
        self.execute(SQL("drop_index", index=_index(sobject.name, field.name)))
        self.execute(SQL("drop_column", table=name(sobject.name), column=name(field.name)))

    def rename_column(self, sobject: SObject, old: str, new: str) -> None:
        self.execute(SQL("rename_column", table=name(sobject.name), column=name(old), to=name(new)))

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Stored]]) -> None:
        statement = self._text("insert", table, columns)
        with self.at_once():
            self._database.executemany(statement, rows)

    def update(self, table: str, record: str, values: Mapping[str, Stored]) -> None:
        if values:
            self.execute(self._text("update", table, tuple(values)), (*values.values(), record))

    def update_many(self, table: str, records: Collection[str], values: Mapping[str, Stored]) -> None:
        text = self._text("update_where", table, tuple(values))
        self.execute(text, (*values.values(), json.dumps(list(records))))

    def remove(self, table: str, records: Collection[str]) -> None:
        self.execute(SQL("remove", table=name(table)), (json.dumps(list(records)),))

    def purge(self, table: str, records: Collection[str]) -> None:
        """Out of the recycle bin, or past it."""
        with self.at_once():
            self.remove(table, records)
            self.execute(SQL("leave_bin"), (table, json.dumps(list(records))))

    def row(self, sobject: SObject, record: str) -> Row | None:
        """The committed row, deleted or not."""
        names = [field.name for field in sobject.stored_fields]
        found = self.execute(self._text("row", sobject.name, names), (record,))
        return dict(zip(names, found[0], strict=True)) if found else None

    def children(self, sobject: SObject, through: str, parent: str) -> list[Row]:
        """Committed rows that name `parent` in the field `through`, deleted or not."""
        names = [field.name for field in sobject.stored_fields]
        found = self.execute(self._text("children", sobject.name, names, through), (parent,))
        return [dict(zip(names, row, strict=True)) for row in found]

    def _text(self, statement: str, table: str, columns: Sequence[str], through: str = "Id") -> Sql:
        """A statement written out once for a table and its columns: nearly all are asked again and again."""
        key = (statement, table, through, *columns)
        if key not in self._texts:
            named = [name(each) for each in columns]
            self._texts[key] = SQL(
                statement,
                table=name(table),
                through=name(through),
                listed=Sql(", ".join(named)),
                marks=Sql(", ".join("?" for _ in named)),
                settings=Sql(", ".join(f"{each} = ?" for each in named)),
            )
        return self._texts[key]

    def bounds(self, table: str) -> tuple[str, str] | None:
        """The first and the last id; None: no rows."""
        found: tuple[str, str] = self.execute(self._text("bounds", table, ()))[0]
        return found if found[0] is not None else None

    def from_id(self, table: str, record: str) -> str | None:
        """The first id at or behind this one."""
        found = self.execute(self._text("from_id", table, ()), (record,))
        return found[0][0] if found else None

    def holders(self, table: str, column: str, value: Stored) -> list[str]:
        """Ids of the rows that hold a value, deleted ones too."""
        return [row[0] for row in self.execute(self._text("ids_where", table, (column,)), (value,))]

    def values(self, table: str, column: str) -> list[tuple[str, Stored]]:
        """Id and value of every row that has one."""
        return [(row[0], row[1]) for row in self.execute(self._text("all_values", table, (column,)))]
