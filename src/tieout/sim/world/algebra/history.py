"""The small history of one object at its source: what happened, in which order, and how it stood after each commit.

Positions rise with the commits; at the grain of a second several commits share one. Within a position events have
their minor. A key that is renamed is deleted and inserted at one place of the order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..chance import Chance
from .oracle import Deed, Row, Table

EPOCH_SPAN = 2**32
"""Positions are numbered through all incarnations of the source, each of which has so many."""
_FIRST = 10

_KEYS = ("a", "b", "c", "d")
_FIELDS = ("x", "y", "z")
_ORIGINS = (0, -14, 2**40, -(2**62))
_WAYS = (("patch",), ("image",), ("partial",), ("patch", "image", "partial"))
_OF_THE_LIVING = ("update",) * 6 + ("delete",) * 3 + ("rename", "purge")
_OF_THE_DEAD = ("insert",) * 3 + ("undelete",)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the object and its source are like.

    required    the fields without which a row is not told; never null
    origin      the source's own number for the first position of each incarnation
    by_second   whether commits may share a position
    is_stamped  whether a row tells when it was last written
    is_exact    whether a look sees the source as it stood at exactly its watermark
    late        commits of which we heard nothing, since we were not there yet
    ways        how it tells an update: what it wrote (patch), the row (image), or the row without what it did not write
    holes       whether something of the whole object may be left out
    loses       whether events are lost, and nobody says so
    poisoned    a key of which no look can read the row; "" for none
    """

    keys: tuple[str, ...]
    fields: tuple[str, ...]
    required: frozenset[str]
    origin: int
    by_second: bool
    is_stamped: bool
    is_exact: bool
    late: int
    ways: tuple[str, ...]
    holes: bool
    loses: bool
    poisoned: str

    @classmethod
    def drawn(cls, chance: Chance) -> Setting:
        fields = _FIELDS[: chance.between(1, 3)]
        by_second = chance.happens(0.5)
        is_stamped = chance.happens(0.5)
        keys = _KEYS[: chance.between(1, 4)]
        late = chance.between(1, 4) if chance.happens(0.2) else 0
        return cls(
            keys=keys,
            fields=fields,
            required=frozenset(fields[: chance.below(len(fields) + 1)]),
            origin=chance.pick(_ORIGINS),
            by_second=by_second,
            is_stamped=is_stamped,
            is_exact=not by_second and not is_stamped and chance.happens(0.5),
            late=late,
            ways=chance.pick(_WAYS),
            holes=chance.happens(0.35),
            loses=chance.happens(0.15),
            poisoned=chance.pick(keys) if chance.happens(0.5 if late else 0.05) else "",
        )

    @property
    def undeletes_in_part(self) -> bool:
        """Whether a row that comes back tells only what has changed: honest where all was told that went before.

        Behind a hole that a full look has closed, nobody knows what else such a row holds, and the rule opens nothing.
        """
        return not self.late and not self.holes and not self.loses


class Event(NamedTuple):
    """One event of the source: a deed, or the two of a rename; and the whole row of an update behind it."""

    deeds: tuple[Deed, ...]
    row: Row


@dataclass(slots=True)
class History:
    """What happened.

    events     per commit, its events
    positions  of each commit
    tables     how the source stood after so many commits; the first is empty
    stamps     after so many commits, by key the position at which its row was last written
    """

    setting: Setting
    events: list[list[Event]] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    tables: list[Table] = field(default_factory=lambda: [{}])
    stamps: list[dict[str, int]] = field(default_factory=lambda: [{}])

    def horizon(self, commits: int) -> int:
        """The greatest honest watermark of a look that sees so many commits: nothing that is still to come stands at
        or before it."""
        if commits < len(self.positions):
            return self.positions[commits] - 1
        return self.positions[-1] + 3


class _Writer:
    """Does what chance says, to a table of its own."""

    def __init__(self, chance: Chance, setting: Setting) -> None:
        self._chance = chance
        self._setting = setting
        self._table: Table = {}
        self._bin: Table = {}
        self._stamps: dict[str, int] = {}
        self._written = 0

    def event(self, position: int, minor: int) -> Event:
        chance, table = self._chance, self._table
        if table and chance.happens(0.05):
            return self._do(Deed(position, minor, "truncate", "", {}))
        key = chance.pick(self._setting.keys)
        if key in table:
            word = chance.pick(_OF_THE_LIVING)
            free = [other for other in self._setting.keys if other not in table] if word == "rename" else []
            if free:
                return self._renamed(position, minor, key, chance.pick(free))
            if word in ("delete", "purge"):
                return self._do(Deed(position, minor, word, key, {}))
            return self._do(Deed(position, minor, "update", key, self._some()))
        if key in self._bin and chance.pick(_OF_THE_DEAD) == "undelete":
            return self._do(Deed(position, minor, "undelete", key, self._restored(key)))
        return self._do(Deed(position, minor, "insert", key, self._row({})))

    def note(self, history: History) -> None:
        history.tables.append(self._table.copy())
        history.stamps.append(self._stamps.copy())

    def _renamed(self, position: int, minor: int, key: str, to: str) -> Event:
        row = self._row(self._table[key])
        gone = self._do(Deed(position, minor, "delete", key, {}))
        del self._bin[key]
        come = self._do(Deed(position, minor, "insert", to, row))
        return Event(gone.deeds + come.deeds, row)

    def _restored(self, key: str) -> Row:
        fields = self._some() if self._chance.happens(0.7) else {}
        return fields if self._setting.undeletes_in_part else {**self._bin[key], **fields}

    def _do(self, deed: Deed) -> Event:
        key, word = deed.key, deed.word
        row: Row = {}
        if word == "truncate":
            self._table, self._bin = {}, {}
        elif word == "delete":
            self._bin[key] = self._table.pop(key)
        elif word == "purge":
            del self._table[key]
        else:
            row = {**(self._table.get(key) or self._bin.pop(key, {})), **deed.fields}
            self._table[key] = row
            self._stamps[key] = deed.position
        return Event((deed,), row)

    def _some(self) -> Row:
        """New values for some fields, one at least."""
        fields = self._setting.fields
        count = self._chance.between(1, len(fields))
        first = self._chance.below(len(fields))
        return {name: self._value(name) for name in (fields + fields)[first : first + count]}

    def _row(self, like: Row) -> Row:
        """A whole row: of another one all but the first field, else new."""
        return {
            name: like[name] if at and name in like else self._value(name)
            for at, name in enumerate(self._setting.fields)
        }

    def _value(self, name: str) -> int | None:
        if name not in self._setting.required and self._chance.happens(0.2):
            return None
        self._written += 1
        return self._written


def history_of(chance: Chance, setting: Setting) -> History:
    """3 to 14 commits of one or two events each."""
    history, writer = History(setting), _Writer(chance, setting)
    position, minor = EPOCH_SPAN + _FIRST, 0
    count = chance.between(3, 14)
    anew = chance.below(count) if chance.happens(0.1) else 0
    for commit in range(count):
        if commit and commit == anew:
            position, minor = 2 * EPOCH_SPAN + _FIRST, 0
        elif commit:
            step = chance.pick((1, 0, 0, 2)) if setting.by_second else chance.between(1, 3)
            position, minor = position + step, 0 if step else minor
        events = []
        for _ in range(2 if chance.happens(0.25) else 1):
            minor += 1
            events.append(writer.event(position, minor))
        history.events.append(events)
        history.positions.append(position)
        writer.note(history)
    return history
