"""What a folder shows of its objects: a source of plain files has no catalogue, so the lines themselves are asked.

The key and the columns are those that the first lines of an object name; types are as narrow as all their values allow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...base.order import INT64_MAX, INT64_MIN
from ...base.types import Column, ColumnType, Described, Kind
from .said import Said

sample_lines = 10_000
"""Of each object. A column that first comes up later is kept all the same, as one that the contract does not know."""

_INTEGER, _FRACTION, _TEXT, _BOOLEAN, _NESTED, _BIG = "integer", "fraction", "text", "boolean", "nested", "big"
_LITERALS = {b"true": _BOOLEAN, b"false": _BOOLEAN, b"null": ""}
_INT64_DIGITS_SAFE = 18


@dataclass(slots=True)
class _Seen:
    """What was seen of one object: the names of its key, and the sorts of value in each column."""

    key: tuple[str, ...]
    lines: int = 0
    sorts: dict[str, set[str]] = field(default_factory=dict)


class Sample:
    """The first lines of each object that was heard of."""

    def __init__(self) -> None:
        self._objects: dict[str, _Seen] = {}

    def has_enough(self, object_: str) -> bool:
        """Whether no further line of this object makes a difference."""
        return object_ in self._objects and self._objects[object_].lines >= sample_lines

    def hear(self, object_: str, said: Said) -> None:
        if said.fault is not None or not said.values or self.has_enough(object_):
            return
        seen = self._objects.get(object_)
        if seen is None:
            if not said.mentions:
                return
            seen = self._objects[object_] = _Seen(_key_of(said))
        seen.lines += 1
        for name, text in said.values.items():
            seen.sorts.setdefault(name, set()).add(_sort(text))

    def described(self) -> tuple[Described, ...]:
        """The objects, sorted by name. One that has shown no readable key is left out."""
        return tuple(_described(object_, seen) for object_, seen in sorted(self._objects.items()))


def _key_of(said: Said) -> tuple[str, ...]:
    """In the line's order: the key stands before the fields."""
    return said.shape.names[: said.shape.key_count]


def _described(object_: str, seen: _Seen) -> Described:
    columns: dict[str, Column] = {}
    for name in (*seen.key, *seen.sorts):
        # Warehouses fold case: of Amount and amount only the first can be a column of its own.
        if name.lower() not in columns:
            type_ = ColumnType(_kind(seen.sorts[name] - {""}))
            columns[name.lower()] = Column(name, type_, required=name in seen.key, physical=str(type_))
    held = {column.name for column in columns.values()}
    return Described(object_, tuple(columns.values()), tuple(name for name in seen.key if name in held))


def _sort(text: bytes) -> str:
    first = text[0]
    if first == 0x22:
        return _TEXT
    if first in b"{[":
        return _NESTED
    if first in b"tfn":
        return _LITERALS[text]
    if b"." in text or b"e" in text or b"E" in text:
        return _FRACTION
    return _INTEGER if len(text) <= _INT64_DIGITS_SAFE or INT64_MIN <= int(text[:25]) <= INT64_MAX else _BIG


def _kind(sorts: set[str]) -> Kind:
    if sorts <= {_TEXT}:
        return Kind.TEXT
    if sorts == {_INTEGER}:
        return Kind.INT64
    if sorts <= {_INTEGER, _BIG, _FRACTION}:
        return Kind.NUMERIC
    if sorts == {_BOOLEAN}:
        return Kind.BOOLEAN
    return Kind.JSON
