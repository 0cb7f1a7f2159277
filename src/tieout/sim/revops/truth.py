"""What every row of the org was, and since when: heard from the org itself as it commits, past every interface.

By it alone is judged whether the warehouse holds what is true, and whether a claim of freshness was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from ..org.org import Org
from ..org.schema import Row

_COMPARED = frozenset({"id", "string", "picklist", "multipicklist", "textarea", "reference", "email", "phone", "url"})
"""Types whose values are written alike on both sides."""


@dataclass(slots=True)
class Versions:
    """Of one row, the oldest first: from each moment on it was this. None: it was not there, or in the recycle bin.
    `silent`: nobody could know that it became this, so that it may be seen as it was before, too."""

    since: list[datetime] = field(default_factory=list)
    rows: list[Row | None] = field(default_factory=list)
    silent: list[bool] = field(default_factory=list)

    def from_on(self, moment: datetime) -> Sequence[Row | None]:
        """What it was at a moment, and ever since. Before its first version it was as it is not known."""
        at = bisect_right(self.since, moment) - 1
        while at > 0 and self.silent[at]:
            at -= 1
        return self.rows[at:] if at >= 0 else []

    def become(self, at: datetime, row: Row | None, *, silently: bool) -> None:
        self.since.append(at)
        self.rows.append(row)
        self.silent.append(silently)


@dataclass(frozen=True, slots=True)
class Lie:
    """A claim that did not hold: a stream was said to be complete through a moment, and a row here was older, in these
    fields; in none where it is dead on one side alone."""

    object_: str
    id: str
    through: datetime
    said_at: datetime
    fields: tuple[str, ...]


class Truth:
    """Hears from now on. Rows that do not change are as they were."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._lock = Lock()
        self._versions: dict[str, dict[str, Versions]] = {}
        org.witnesses.append(self._heard)
        org.silent_witnesses.append(self._seen)

    def changes(self) -> int:
        """How many versions were heard of."""
        with self._lock:
            return sum(len(one.rows) for rows in self._versions.values() for one in rows.values())

    def compared(self, object_: str) -> tuple[str, ...]:
        """The columns of an object in which both sides are compared: those of plain text, that events tell too."""
        sobject = self._org.schemas[object_]
        return tuple(one.name for one in sobject.fields if one.type in _COMPARED and one.formula is None)

    def lies(
        self, object_: str, through: datetime, said_at: datetime, held: Mapping[str, Mapping[str, object] | None]
    ) -> list[Lie]:
        """Of the rows that changed those that are older in `held` than they were at `through`. `held`: by id, the
        compared columns as the warehouse has them; None: it says that the row is dead."""
        columns = self.compared(object_)
        with self._lock:
            changed = {id_: tuple(one.from_on(through)) for id_, one in self._versions.get(object_, {}).items()}
        older = {id_: _older(held.get(id_), versions, columns) for id_, versions in changed.items() if versions}
        return [Lie(object_, id_, through, said_at, fields) for id_, fields in older.items() if fields is not None]

    def _heard(self, at: datetime, rows: Iterable[tuple[str, str, Row | None]]) -> None:
        with self._lock:
            for object_, id_, row in rows:
                versions = self._versions.setdefault(object_, {}).setdefault(id_, Versions())
                versions.become(at, _living(row), silently=False)

    def _seen(self, at: datetime, rows: Iterable[tuple[str, str, Row | None]]) -> None:
        """Of a row that has not changed otherwise nothing is claimed."""
        with self._lock:
            for object_, id_, row in rows:
                if (versions := self._versions.get(object_, {}).get(id_)) is not None:
                    versions.become(at, _living(row), silently=True)


def _living(row: Row | None) -> Row | None:
    return None if row is None or row.get("IsDeleted") else dict(row)


def _older(
    held: Mapping[str, object] | None, versions: Sequence[Row | None], columns: Sequence[str]
) -> tuple[str, ...] | None:
    """The fields that hold what none of these versions did: field by field, as an event tells of some of them alone,
    and makes these newer than the others. None: none does."""
    there = [version for version in versions if version is not None]
    if held is None:
        return () if len(there) == len(versions) else None
    if not there:
        return ()
    told = [name for name in columns if name in held]
    return tuple(name for name in told if held[name] not in [one.get(name) or None for one in there]) or None
