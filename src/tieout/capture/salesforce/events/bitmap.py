"""Bitmaps: how an event names fields, by their positions in the schema that wrote it.

A number in hexadecimal, of which bit i stands for field i, the lowest bit first. One with a position before it
(`4-0x10`) speaks of the fields of the compound there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ....base.errors import Rejected

_BITMAP = re.compile(r"(?:(\d{1,4})-)?0[xX]([0-9a-fA-F]*)")

Place = tuple[int, int | None]
"""A field's position in the schema and, of a part of a compound, its position there."""

Layout = Sequence[tuple[str, tuple[str, ...]]]
"""The names of a schema's fields in order, each with the names of its parts, if it is a compound."""


def places(bitmaps: Sequence[str]) -> frozenset[Place]:
    """The fields that are named. Raises Rejected for what is no bitmap."""
    found: set[Place] = set()
    for text in bitmaps:
        match = _BITMAP.fullmatch(text)
        if match is None:
            raise Rejected(f"bad_bitmap: {text[:40]!r} names no fields")
        bits = _bits(int(match[2] or "0", 16))
        if match[1] is None:
            found.update((bit, None) for bit in bits)
        else:
            found.update((int(match[1]), bit) for bit in bits)
    return frozenset(found)


def names(bitmaps: Sequence[str], layout: Layout) -> tuple[str, ...]:
    """The names of the fields, in the schema's order, of a part `Compound.Part`. Raises Rejected for a field that the
    schema does not have."""
    found = sorted(places(bitmaps), key=lambda place: (place[0], -1 if place[1] is None else place[1]))
    return tuple(_name(place, layout) for place in found)


def _name(place: Place, layout: Layout) -> str:
    at, part = place
    if at >= len(layout) or (part is not None and part >= len(layout[at][1])):
        raise no_such(place)
    name, parts = layout[at]
    return name if part is None else f"{name}.{parts[part]}"


def no_such(place: Place) -> Rejected:
    at, part = place
    return Rejected(f"bad_bitmap: the schema has no field {at if part is None else f'{at}.{part}'}")


def _bits(number: int) -> Iterator[int]:
    return (at for at, digit in enumerate(reversed(f"{number:b}")) if digit == "1")
