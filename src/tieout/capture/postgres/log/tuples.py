"""The tuples of many messages at once: each column is walked over all of them, and no value becomes an object.

A column begins where the one before it ended, tuple by tuple, so what costs is the number of columns, not of values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ....base.errors import Broken
from .heap import Flags, Numbers, Octets, Page, pick
from .pgoutput import torn

TEXT, NULL, UNCHANGED = (np.uint8(ord(kind)) for kind in "tnu")


@dataclass(frozen=True, slots=True)
class Part:
    """One column of the tuples: of each value its kind, and where in the page its text stands."""

    kinds: Octets
    starts: Numbers
    sizes: Numbers

    @property
    def is_unchanged(self) -> Flags:
        flags: Flags = self.kinds == UNCHANGED
        return flags


@dataclass(frozen=True, slots=True)
class Tuples:
    """Tuples in the page's order; `ends` is where each ends."""

    page: Page
    parts: tuple[Part, ...]
    ends: Numbers

    def values(self, column: int, wanted: Numbers, absent: Flags) -> pa.Array:
        """Of the tuples `wanted` the values of a column, as bytes; null where there is no text, and where `absent`."""
        part = self.parts[column]
        if not len(part.kinds):
            return pa.nulls(len(wanted), pa.binary())
        return pick(self.page, part.starts, part.sizes, wanted, absent | (part.kinds[wanted] != TEXT))


def walk(page: Page, at: Numbers, limits: Numbers, *, columns: int, of: str) -> Tuples:
    """The tuples that begin at `at` and end at `limits` at the latest. Raises Broken where one of them does not."""
    _refuse_torn(page, at + 2, limits)
    counts = (page.octets[at].astype(np.int64) << 8) | page.octets[at + 1]
    if (odd := np.flatnonzero(counts != columns)).size:
        raise Broken(f"a tuple of {of} has {counts[odd[0]]} values, the relation was announced with {columns} columns.")
    at = at + 2
    parts = []
    for _ in range(columns):
        kinds = page.octets[at]
        is_text = kinds == TEXT
        if is_text.all():
            sizes = page.uint32(at + 1)
            ends = at + 5 + sizes
        else:
            _refuse_torn(page, at + 1, limits)
            _refuse_unknown(page, at, kinds, is_text)
            sizes = np.where(is_text, page.uint32(at + 1), 0)
            ends = np.where(is_text, at + 5 + sizes, at + 1)
        _refuse_torn(page, ends, limits)
        parts.append(Part(kinds, np.where(is_text, at + 5, at), sizes))
        at = ends
    return Tuples(page, tuple(parts), at)


def merged(first: Tuples, second: Tuples, order: Numbers) -> Tuples:
    """The tuples of both, first those of `first`, put into the page's `order`."""
    pairs = zip(first.parts, second.parts, strict=True)
    parts = (
        Part(
            np.concatenate((one.kinds, other.kinds))[order],
            np.concatenate((one.starts, other.starts))[order],
            np.concatenate((one.sizes, other.sizes))[order],
        )
        for one, other in pairs
    )
    return Tuples(first.page, tuple(parts), np.concatenate((first.ends, second.ends))[order])


def _refuse_torn(page: Page, ends: Numbers, limits: Numbers) -> None:
    if (odd := np.flatnonzero(ends > limits)).size:
        payload, _ = page.place(int(limits[odd[0]]) - 1)
        raise torn(payload)


def _refuse_unknown(page: Page, at: Numbers, kinds: Octets, is_text: Flags) -> None:
    if (odd := np.flatnonzero(~(is_text | (kinds == NULL) | (kinds == UNCHANGED)))).size:
        _, offset = page.place(int(at[odd[0]]))
        raise Broken(f"pgoutput tuple at offset {offset}: value kind {chr(kinds[odd[0]])!r} was not asked for.")
