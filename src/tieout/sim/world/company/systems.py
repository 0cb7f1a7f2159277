"""The simulated system of record: what is true, in plain dictionaries, and every commit that made it so.

Transactions may last: what they write is stamped when it is written and seen when they commit, and the rows that they
hold wait for them, so that of one row they are serial. What `rows` says is the truth that everything else is held
against; so this file knows nothing of what is tested.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ..chance import Chance
from .company import COMPANY, KEY, Change, Commit, Field, Kept, Row, Transaction, key_of
from .values import POISONS, Value, value_of

_NOTES: Final = ("text", "integer", "decimal(9,2)")
_COLUMNS_MAX: Final = 9
"""Of an object, fields at most: it gains no more."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a system is used; odds from 0 to 1, spans in seconds.

    lasting, longest   how many transactions last, and how long at most
    poison             how many writes leave a value that no contract takes
    objects            how many kinds of things it keeps
    keys               how many rows an object has at most, so that keys are used again
    """

    lasting: float = 0.2
    longest: float = 6.0
    poison: float = 0.02
    objects: int = len(COMPANY)
    keys: int = 12
    changes: int = 5


class System:
    """One system. `skew` is by how many seconds its clock is ahead of ours; it may be changed, and the clock then waits
    rather than step back."""

    def __init__(self, *, began: float = 0.0, skew: float = 0.0, habits: Habits = Habits()) -> None:
        self.habits = habits
        self.skew = skew
        self.fields: dict[str, tuple[Field, ...]] = dict(list(COMPANY.items())[: habits.objects])
        self.kept: dict[str, dict[str, Kept]] = {object_: {} for object_ in self.fields}
        self.commits: list[Commit] = []
        self.open: list[Transaction] = []
        self.position = 1000
        self.second = int(began + skew)
        self._now = began
        self._versions = 0
        self._notes = 0

    @property
    def now(self) -> float:
        return self._now

    def rows(self, object_: str) -> dict[str, Row]:
        """By key, what is true now."""
        return {key: dict(kept.row) for key, kept in self.kept[object_].items()}

    def stepped(self) -> int:
        """The next position of the log, at which something is noted that changes nothing."""
        self.position += 8
        return self.position

    def tick(self, now_seconds: float) -> None:
        """Time passes: what is due is committed, in its order."""
        self._now = max(self._now, now_seconds)
        for ended in sorted((tx for tx in self.open if tx.ends <= self._now), key=lambda tx: tx.ends):
            self._commit(ended)
        self.second = max(self.second, int(self._now + self.skew))

    def transact(self, chance: Chance, now_seconds: float) -> None:
        """One more transaction begins; most commit at once."""
        self.tick(now_seconds)
        habits = self.habits
        lasts = chance.seconds(habits.longest) if chance.happens(habits.lasting) else 0.0
        tx = Transaction(self.second, self._now + lasts)
        self.open.append(tx)
        for _ in range(chance.between(1, habits.changes)):
            Writer(self, tx, chance).write()
        self.tick(now_seconds)

    def drift(self, chance: Chance, *, drops: float = 0.3) -> None:
        """A column is added, or (with odds `drops`) one that was added is dropped; not while anybody holds a row of the
        object."""
        object_ = chance.pick(sorted(self.fields))
        fields = self.fields[object_]
        added = len(fields) - len(COMPANY[object_])
        if any(of == object_ for tx in self.open for of, _ in tx.held):
            return
        if added and chance.happens(drops):
            self._reshape(object_, fields[:-1])
        elif len(fields) < _COLUMNS_MAX:
            # No name is given twice, and in all systems a name has one type.
            self._notes += 1
            self._reshape(object_, (*fields, Field(f"note_{self._notes}", _NOTES[self._notes % len(_NOTES)])))

    def settle(self, now_seconds: float) -> None:
        """Whoever is in a transaction ends it, and every value that no contract takes is put right."""
        for tx in self.open:
            tx.ends = min(tx.ends, now_seconds)
        self.tick(now_seconds)
        tx = Transaction(self.second, self._now)
        self.open.append(tx)
        for object_, key in self.poisoned():
            Writer(self, tx, Chance(0, replay=())).cure(object_, key)
        self.tick(now_seconds)

    def poisoned(self) -> list[tuple[str, str]]:
        """Rows with a value that no contract takes."""
        return [
            (object_, key)
            for object_, kept in sorted(self.kept.items())
            for key, one in sorted(kept.items())
            if not POISONS.isdisjoint(map(str, one.row.values()))
        ]

    def is_held(self, object_: str, key: str | None, but: Transaction) -> bool:
        """Whether another transaction holds the row; without a key, any of the object."""
        others = [tx for tx in self.open if tx is not but]
        if key is None:
            return any(of == object_ for tx in others for of, _ in tx.held)
        return any((object_, key) in tx.held or (object_, None) in tx.held for tx in others)

    def _reshape(self, object_: str, fields: tuple[Field, ...]) -> None:
        names = [KEY, *(one.name for one in fields)]
        self.fields[object_] = fields
        for key, kept in self.kept[object_].items():
            self.kept[object_][key] = replace(kept, row={name: kept.row.get(name) for name in names})

    def _commit(self, tx: Transaction) -> None:
        self.second = max(self.second, int(min(tx.ends, self._now) + self.skew))
        self.open.remove(tx)
        if not tx.changes:
            return
        for change in tx.changes:
            self._apply(change)
        self.position += 8 * (len(tx.changes) + 1)
        self.commits.append(Commit(self.position, self.second, tuple(tx.changes)))

    def _apply(self, change: Change) -> None:
        kept = self.kept[change.object]
        self._versions += 1
        if change.key is None:
            kept.clear()
            return
        kept.pop(change.before or change.key, None)
        if change.row is not None:
            kept[change.key] = Kept(dict(change.row), change.stamped, self._versions)


_DEEDS: Final = (
    *["insert"] * 4,
    *["update"] * 6,
    *["delete"] * 2,
    *["rekey", "null", "same", "reborn", "update_all"],
)


class Writer:
    """Writes one thing in a transaction that is open, to a row that nobody else holds."""

    def __init__(self, system: System, tx: Transaction, chance: Chance) -> None:
        self._system, self._tx, self._chance = system, tx, chance
        self._poison = system.habits.poison

    def write(self) -> None:
        chance = self._chance
        object_ = chance.pick(sorted(self._system.fields))
        if chance.happens(0.01) and not self._system.is_held(object_, None, self._tx):
            self._note(Change(object_, "truncate", None, None, self._system.second))
            return
        poisoned = [key for of, key in self._system.poisoned() if of == object_]
        if poisoned and chance.happens(0.3):
            self.cure(object_, chance.pick(poisoned))
            return
        key = self._free_key(object_)
        if key is None:
            return
        deed = chance.pick(_DEEDS)
        row = self._seen(object_).get(key)
        if row is None:
            self._insert(object_, key)
            if deed == "reborn":
                self._delete(object_, key)
                self._insert(object_, key)
        elif deed == "insert":
            self._update(object_, key, row, "update")
        elif deed in ("delete", "reborn"):
            self._delete(object_, key)
            if deed == "reborn":
                self._insert(object_, key)
        elif deed == "rekey":
            self._rekey(object_, key, row)
        else:
            self._update(object_, key, row, deed)

    def cure(self, object_: str, key: str) -> None:
        """All fields are written anew, and nothing is in them that no contract takes."""
        row = self._seen(object_).get(key)
        if row is None or self._system.is_held(object_, key, self._tx):
            return
        plain = Chance(0, replay=())
        cured = {name: value for name, value in row.items() if str(value) not in POISONS}
        cured = {**row, **{one.name: self._value(one, plain) for one in self._fields(object_)}, **cured}
        self._note(Change(object_, "update", key, cured, self._system.second, frozenset(cured) - {KEY}))

    def _fields(self, object_: str) -> tuple[Field, ...]:
        return self._system.fields[object_]

    def _seen(self, object_: str) -> dict[str, Row]:
        """The rows as this transaction sees them."""
        rows = self._system.rows(object_)
        for change in self._tx.changes:
            if change.object == object_:
                if change.key is None:
                    rows.clear()
                else:
                    rows.pop(change.before or change.key, None)
                    if change.row is not None:
                        rows[change.key] = change.row
        return rows

    def _free_key(self, object_: str) -> str | None:
        """A key whose row, if there is one, nobody else holds."""
        number = self._chance.below(self._system.habits.keys)
        key = key_of(object_, number)
        return None if self._system.is_held(object_, key, self._tx) else key

    def _insert(self, object_: str, key: str) -> None:
        row: Row = {KEY: key}
        row |= {one.name: self._value(one, self._chance, poison=self._poison) for one in self._fields(object_)}
        self._note(Change(object_, "insert", key, row, self._system.second, frozenset(row) - {KEY}))

    def _delete(self, object_: str, key: str) -> None:
        self._note(Change(object_, "delete", key, None, self._system.second))

    def _rekey(self, object_: str, key: str, row: Row) -> None:
        new = self._free_key(object_)
        if new is None or new in self._seen(object_):
            return
        self._tx.held.add((object_, key))
        self._note(Change(object_, "update", new, {**row, KEY: new}, self._system.second, frozenset({KEY}), before=key))

    def _update(self, object_: str, key: str, row: Row, deed: str) -> None:
        # A row with a value that no contract takes is written whole: what was refused with it would not be told again.
        fields, is_poisoned = self._fields(object_), not POISONS.isdisjoint(map(str, row.values()))
        chosen = (
            fields
            if deed == "update_all" or is_poisoned
            else self._chance.shuffled(fields)[: self._chance.between(1, 3)]
        )
        written: Row = {}
        for one in chosen:
            if deed == "same":
                written[one.name] = row[one.name]
            elif deed == "null" and not one.required:
                written[one.name] = None
            else:
                written[one.name] = self._value(one, self._chance, poison=self._poison)
        self._note(Change(object_, "update", key, {**row, **written}, self._system.second, frozenset(written)))

    def _value(self, of: Field, chance: Chance, *, poison: float = 0.0) -> Value:
        if of.name == "account":
            keys: list[Value] = [*sorted(self._system.kept["account"]), None]
            return chance.pick(keys)
        return value_of(of.physical, chance, required=of.required, wide=of.wide, poison=poison)

    def _note(self, change: Change) -> None:
        self._tx.held.add((change.object, change.key))
        self._tx.changes.append(change)
