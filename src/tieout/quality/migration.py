"""An old table beside the new one: what is only there, only here, or different, and who is right, by the source's word.

Pure. The source is asked for the rows that are named; what it did not say is not guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    """How a key differs."""

    ONLY_LEGACY = "only_legacy"
    ONLY_CURRENT = "only_current"
    DIFFERS = "differs"


class Right(StrEnum):
    """Who says what the source says now."""

    CURRENT = "current"
    LEGACY = "legacy"
    NEITHER = "neither"
    """The source has moved on since, or both are wrong."""
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Field:
    """One value that differs, as text; `name` is the old column's."""

    name: str
    legacy: str | None
    current: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """A key that differs, canonical, and in which fields; none where it is only on one side."""

    key: str
    side: Side
    fields: tuple[Field, ...] = ()
    right: Right = Right.UNASKED

    def to_json(self) -> dict[str, Any]:
        fields = [{"column": one.name, "legacy": one.legacy, "current": one.current} for one in self.fields]
        return {"key": self.key, "side": self.side.value, "right": self.right.value, "fields": fields}


@dataclass(frozen=True, slots=True)
class Comparison:
    """An old table beside the new one.

    legacy_rows, current_rows  all rows of the one, live rows of the other
    counts      of each side how many keys differ so; all of them, named or not
    columns     of each old column in how many keys it differs
    duplicates  rows of the old table beyond the first of their key
    nameless    rows of the old table whose key is empty or cannot be read; they are not compared
    named       the first keys that differ, of each side
    unasked     why the source was not asked who is right; "" where it was, or nothing was to be asked
    """

    table: str
    stream: str
    legacy_rows: int
    current_rows: int
    counts: Mapping[Side, int]
    columns: Mapping[str, int]
    duplicates: int
    nameless: int
    named: tuple[Named, ...] = ()
    unasked: str = ""

    @property
    def is_equal(self) -> bool:
        """Key by key, and no key twice or without a name in the old table."""
        return not any((*self.counts.values(), self.duplicates, self.nameless))

    @property
    def right(self) -> Counter[Right]:
        """Of the keys that are named, how many by who is right."""
        return Counter(one.right for one in self.named)

    def to_json(self, *, keys: bool = True) -> dict[str, Any]:
        """Without `keys` there is nothing in it of any row."""
        told = {
            "table": self.table,
            "stream": self.stream,
            "state": "equal" if self.is_equal else "differs",
            "legacy_rows": self.legacy_rows,
            "current_rows": self.current_rows,
            **{side.value: self.counts[side] for side in Side},
            "columns": {name: number for name, number in self.columns.items() if number},
            "duplicates": self.duplicates,
            "nameless": self.nameless,
            "right": {one.value: self.right[one] for one in Right},
            "unasked": self.unasked,
        }
        return told | ({"named": [one.to_json() for one in self.named]} if keys else {})


@dataclass(frozen=True, slots=True)
class Said:
    """What the source says of a key: None where it has no such row, else the old columns' values as text.
    `is_readable`: false where the contract does not admit what it said."""

    row: Mapping[str, str | None] | None
    is_readable: bool = True


def settled(comparison: Comparison, said: Mapping[str, Said]) -> Comparison:
    """With who is right of each named key, as far as the source has said something of it."""
    return replace(
        comparison, named=tuple(replace(one, right=_right(one, said.get(one.key))) for one in comparison.named)
    )


def _right(named: Named, said: Said | None) -> Right:
    if said is None or not said.is_readable:
        return Right.UNASKED
    if named.side is not Side.DIFFERS:
        is_there = said.row is not None
        return Right.LEGACY if is_there is (named.side is Side.ONLY_LEGACY) else Right.CURRENT
    if said.row is None:
        return Right.NEITHER
    told = [said.row.get(field.name) for field in named.fields]
    if told == [field.current for field in named.fields]:
        return Right.CURRENT
    return Right.LEGACY if told == [field.legacy for field in named.fields] else Right.NEITHER
