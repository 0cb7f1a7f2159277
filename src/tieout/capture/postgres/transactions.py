"""Messages of the log become captured tables; only whole transactions leave.

Where a change stands in the source's order: `_position` is the transaction's commit (Begin.final_lsn), `_minor` the
record's own place in the log, `_rank` its index among all row messages of the transaction. All three are the same
when the server sends the transaction again. Row messages of tables that are not captured (a publication may be wider
than we asked) take their rank and leave no row.

A changed key is a delete of the old key and an image of the new one; where the new row's TOASTed values were neither
sent nor to be had from the old row, a gap for the new key stands beside them. All of these share one place in the
order: they speak of different keys or of different registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from ...base.errors import Broken
from .lsn import lsn_text
from .pgoutput import Begin, Commit, Delete, Insert, Relation, Truncate, Update, decode
from .sheet import Sheet

_loose_changes_max = 50_000
_loose_size_max = 16 * 2**20
"""Changes and bytes that may wait as Python objects; then they are put into columns, in the midst of a transaction too,
because a transaction of millions of rows is held in memory until its commit."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table that is captured: as which object, and its key by name, for tables that log whole old rows."""

    object: str
    key: tuple[str, ...]


class Transactions:
    """Hears the messages of one connection in their order. `tables` are those captured, by schema and name."""

    def __init__(self, tables: Mapping[tuple[str, str], Tracked]) -> None:
        self._tables = tables
        self._sheets: dict[int, Sheet | None] = {}
        self._done: dict[str, list[pa.Table]] = {}
        self._begin: Begin | None = None
        self._origin = ""
        self._rank = 0
        self._loose_changes = self._loose_size = 0
        self._changes = 0
        self._size = 0
        self.end: int | None = None
        """Where the last whole transaction ended in the log."""

    @property
    def open(self) -> bool:
        """In the midst of a transaction."""
        return self._begin is not None

    @property
    def changes(self) -> int:
        """Changes heard and not taken."""
        return self._changes

    @property
    def size(self) -> int:
        """Bytes of the messages of those changes."""
        return self._size

    def hear(self, lsn: int, payload: bytes) -> None:
        """One message, and where in the log it stands. Raises Broken when it cannot follow what was heard before."""
        message = decode(payload)
        if isinstance(message, Insert | Update | Delete | Truncate):
            self._change(message, lsn, payload)
        elif isinstance(message, Begin):
            self._start(message)
        elif isinstance(message, Commit):
            self._finish(message)
        elif isinstance(message, Relation):
            self._learn(message)

    def take(self) -> dict[str, pa.Table]:
        """The changes of the whole transactions heard since the last call, per object. Only between transactions."""
        if self._begin is not None:
            raise Broken("a piece of the log was to end in the midst of a transaction.")
        self._tidy()
        taken = {object_: pa.concat_tables(tables, promote_options="default") for object_, tables in self._done.items()}
        self._done = {}
        self._changes = self._size = 0
        return taken

    def _start(self, begin: Begin) -> None:
        if self._begin is not None:
            raise Broken(f"transaction {begin.xid} begins within transaction {self._begin.xid}.")
        self._begin = begin
        self._origin = f"wal {lsn_text(begin.final_lsn)}"
        self._rank = 0

    def _finish(self, commit: Commit) -> None:
        if self._begin is None or self._begin.final_lsn != commit.commit_lsn:
            raise Broken(f"a commit at {lsn_text(commit.commit_lsn)} ends no transaction that began.")
        self._begin = None
        self.end = commit.end_lsn

    def _learn(self, relation: Relation) -> None:
        """The server announces a relation before its first use and whenever its cache of it was thrown away: mostly
        nothing has changed. New columns begin a new sheet."""
        tracked = self._tables.get((relation.schema, relation.name))
        held = self._sheets.get(relation.relation)
        if held is not None and held.relation == relation:
            return
        if held is not None:
            self._shelve(held)
        self._sheets[relation.relation] = Sheet(tracked.object, relation, tracked.key) if tracked is not None else None

    def _change(self, message: Insert | Update | Delete | Truncate, lsn: int, payload: bytes) -> None:
        begin, rank = self._begin, self._rank
        if begin is None:
            raise Broken(f"a change at {lsn_text(lsn)} belongs to no transaction.")
        self._rank = rank + 1
        place = (begin.final_lsn, lsn, rank, begin.commit_time, self._origin, payload)
        for relation in message.relations if isinstance(message, Truncate) else (message.relation,):
            if relation not in self._sheets:
                raise Broken(f"a change at {lsn_text(lsn)} is of relation {relation}, which was not announced.")
            sheet = self._sheets[relation]
            if sheet is not None:
                self._count(sheet.hear(message, place), len(payload))

    def _count(self, changes: int, size: int) -> None:
        self._changes += changes
        self._size += size
        self._loose_changes += changes
        self._loose_size += size
        if self._loose_changes >= _loose_changes_max or self._loose_size >= _loose_size_max:
            self._tidy()

    def _tidy(self) -> None:
        for sheet in self._sheets.values():
            if sheet is not None:
                self._shelve(sheet)
        self._loose_changes = self._loose_size = 0

    def _shelve(self, sheet: Sheet) -> None:
        if len(sheet):
            self._done.setdefault(sheet.object, []).append(sheet.table())
