"""Messages of the log become captured tables, page by page.

A changed key is a delete of the old key and an image of the new one; where the new row's TOASTed values were neither
sent nor to be had from the old row, a gap for the new key stands beside them. All of these share one place in the
order (`places.py`): they speak of different keys or of different registers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from ....base.errors import Broken
from ..lsn import lsn_text
from ..standing import Within
from .heap import Flags, Heap, Numbers, Page
from .pgoutput import Decoded, Relation, Truncate, decode, torn
from .places import Places, Placing
from .sheet import Sheet
from .tracked import Strangers, Tracked

_IS_CHANGE = np.isin(np.arange(256), list(b"IUD"))
_IS_READ_ALONE = np.isin(np.arange(256), list(b"BCIUD"), invert=True)
"""By the first octet of a message: whether it is one of the few that are decoded one by one."""

_INSERT = np.uint8(ord("I"))
_ROW_SIZE_MIN = 6
"""Type, relation, and what announces a tuple."""

_NOBODY = np.empty(0, np.int64)


class Transactions:
    """Hears the messages of one connection in their order. `tables` are those captured, by schema and name; `passed`
    is what an earlier connection told of the first transaction: it is not told again."""

    def __init__(self, tables: Mapping[tuple[str, str], Tracked], passed: Within | None = None) -> None:
        self._tables = tables
        self._sheets: dict[int, Sheet | None] = {}
        self._placing = Placing(passed)
        self._seen: dict[str, int] = {}
        self._told: defaultdict[str, list[pa.Table]] = defaultdict(list)
        self._size = 0
        self.strangers = Strangers(tables)

    @property
    def end(self) -> int | None:
        """Where the last whole transaction ended in the log."""
        return self._placing.end

    @property
    def within(self) -> Within | None:
        """How far the transaction is told that has not ended; None between transactions."""
        return self._placing.within

    @property
    def changes(self) -> int:
        """Changes heard and not taken."""
        return sum(table.num_rows for tables in self._told.values() for table in tables)

    @property
    def size(self) -> int:
        """Octets of the messages of those changes, and of what came with them."""
        return self._size

    def pass_over(self, object_: str, before: int) -> None:
        """What is added to an append-only table before this position is told by a read of it."""
        self._seen[object_] = before

    def hear(self, heap: Heap) -> None:
        """The next messages, at least one. Raises Broken when they cannot follow what was heard before."""
        page = heap.page()
        kinds = page.kinds
        places = self._placing.place(page, kinds)
        changes = np.flatnonzero(_IS_CHANGE[kinds] & places.wanted)
        emptied: defaultdict[int, list[int]] = defaultdict(list)
        for message in np.flatnonzero(_IS_READ_ALONE[kinds]).tolist():
            decoded = decode(page.payloads[message])
            self._meet(decoded)
            if isinstance(decoded, Truncate) and places.wanted[message]:
                for relation in decoded.relations:
                    emptied[relation].append(message)
            elif isinstance(decoded, Relation) and self._is_news(decoded):
                before, changes = np.split(changes, [np.searchsorted(changes, message)])
                self._tell(page, places, before, emptied)
                self._learn(decoded)
                emptied.clear()
        self._tell(page, places, changes, emptied)
        self._size += len(page.octets) if self._told else 0

    def take(self) -> dict[str, pa.Table]:
        """The changes heard since the last call, per object."""
        told, self._told = self._told, defaultdict(list)
        self._size = 0
        return {object_: pa.concat_tables(tables, promote_options="default") for object_, tables in told.items()}

    def _meet(self, decoded: Decoded) -> None:
        if isinstance(decoded, Relation):
            self.strangers.announced(decoded)
        elif isinstance(decoded, Truncate):
            self.strangers.emptied(decoded.relations)

    def _is_news(self, relation: Relation) -> bool:
        """The server announces a relation before its first use and whenever its cache of it was thrown away: mostly
        nothing has changed."""
        held = self._sheets.get(relation.relation)
        if held is None:
            return relation.relation not in self._sheets or (relation.schema, relation.name) in self._tables
        return held.relation != relation

    def _learn(self, relation: Relation) -> None:
        tracked = self._tables.get((relation.schema, relation.name))
        self._sheets[relation.relation] = None if tracked is None else _sheet(tracked, relation)

    def _tell(self, page: Page, places: Places, changes: Numbers, emptied: Mapping[int, list[int]]) -> None:
        """Adds what these messages say, between two announcements. `emptied`: per relation, the truncates of it."""
        of = dict(_by_relation(page, changes))
        for relation in sorted(of.keys() | emptied.keys()):
            heard, gone = of.get(relation, _NOBODY), np.array(emptied.get(relation, ()), np.int64)
            if relation not in self._sheets:
                lsn = int(page.lsns[(*heard, *gone)[0]])
                raise Broken(f"a change at {lsn_text(lsn)} is of relation {relation}, which was not announced.")
            sheet = self._sheets[relation]
            if sheet is not None and sheet.append_only:
                heard = heard[self._is_added(page, places, heard, sheet.object)]
            if sheet is not None and (heard.size or gone.size):
                self._told[sheet.object].append(sheet.table(page, places, heard, gone))

    def _is_added(self, page: Page, places: Places, messages: Numbers, object_: str) -> Flags:
        commits = places.commits[places.transactions[messages]]
        added: Flags = (page.kinds[messages] == _INSERT) & (commits >= self._seen.get(object_, 0))
        return added


def _sheet(tracked: Tracked, relation: Relation) -> Sheet:
    return Sheet(tracked.object, relation, tracked.key, append_only=tracked.append_only)


def _by_relation(page: Page, changes: Numbers) -> Iterator[tuple[int, Numbers]]:
    """The messages of each relation, in their order."""
    if not changes.size:
        return
    if (short := np.flatnonzero(page.ends[changes] - page.starts[changes] < _ROW_SIZE_MIN)).size:
        raise torn(page.payloads[int(changes[short[0]])])
    relations = page.uint32(page.starts[changes] + 1)
    order = np.argsort(relations, kind="stable")
    found, firsts = np.unique(relations[order], return_index=True)
    yield from zip(found.tolist(), np.split(changes[order], firsts[1:]), strict=True)
