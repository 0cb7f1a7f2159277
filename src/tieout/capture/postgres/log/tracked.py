"""The tables for which the log is followed, and their strangers: partitions that told of rows and that nobody knows.

A partition tells its rows under its table's name. One that is attached and detached between two passes leaves no trace
in the catalogue, but its rows were told, and nobody tells that they went. The server announces a partition right behind
its table, so the log itself says who spoke. Values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .pgoutput import Relation

Strange = Mapping[str, Mapping[int, int]]
"""Per object, its strangers, and up to where in the log they may have told of rows."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table that is captured: as which object, and its key by name, for tables that log whole old rows.
    `append_only`: of it nothing is told but what was added. `parts` of a partitioned one are those that its reading
    knows; None where nobody asks what becomes of its rows."""

    object: str
    key: tuple[str, ...]
    append_only: bool = False
    parts: frozenset[int] | None = None


class Strangers:
    """Hears the announcements of one connection in their order. `tables` are those captured, by schema and name."""

    def __init__(self, tables: Mapping[tuple[str, str], Tracked]) -> None:
        self._tables = tables
        self._above: Tracked | None = None
        self.met: set[tuple[str, int]] = set()

    def announced(self, relation: Relation) -> None:
        above, self._above = self._above, self._tables.get((relation.schema, relation.name))
        if self._above is not None or above is None or above.parts is None:
            return
        if relation.relation not in above.parts:
            self.met.add((above.object, relation.relation))

    def emptied(self, relations: Iterable[int]) -> None:
        """Whoever is emptied under its own name is no partition; and with the whole table none is announced."""
        self._above = None
        own = set(relations)
        self.met = {(object_, part) for object_, part in self.met if part not in own}

    def until(self, lsn: int) -> Strange:
        """Those met so far: they may have told of rows up to `lsn`."""
        return {object_: {part: lsn for whose, part in self.met if whose == object_} for object_, _ in self.met}


def together(some: Strange, others: Strange) -> Strange:
    """Both; where both know a stranger, as `others` say."""
    return {object_: {**some.get(object_, {}), **others.get(object_, {})} for object_ in some.keys() | others.keys()}
