"""Sets of fields as events tell them: numbers in hexadecimal, one bit for each field of the schema.

    ["0x06", "4-0x10"]     fields 1 and 2, and child 4 of field 4

Bit i, from the least, is field i of the schema of that event; field 0 is the header itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

Seat: TypeAlias = tuple[int, int | None]
"""Where a field stands in its schema: its position, and within a nested record the position there."""


def bitmaps(seats: Iterable[Seat], whole: Collection[int] = ()) -> list[str]:
    """Nothing for no seats. The fields of the schema come first, then each nested record in the order of the schema; of
    those in `whole` the record itself is told, and not its children."""
    top = 0
    nested: dict[int, int] = {}
    for position, child in seats:
        if child is None or position in whole:
            top |= 1 << position
        else:
            nested[position] = nested.get(position, 0) | 1 << child
    told = [_hexadecimal(top)] if top else []
    return [*told, *(f"{position}-{_hexadecimal(nested[position])}" for position in sorted(nested))]


def emptied(nulled: Collection[Seat], in_use: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """The nested records of which all children that are `in_use` became null: an address that is gone."""
    return frozenset(
        position for position, children in in_use.items() if {(position, each) for each in children} <= set(nulled)
    )


def _hexadecimal(bits: int) -> str:
    """Whole bytes, capitals."""
    digits = f"{bits:X}"
    return f"0x{digits.zfill(len(digits) + len(digits) % 2)}"
