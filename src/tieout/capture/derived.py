"""Columns that a source computes when it is asked: nobody tells when they change, neither an event nor a stamp.

What stands here of them is what was read last, and older than the rest of the row: it ages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .source import Captured, MovingCut


@dataclass(frozen=True, slots=True)
class DerivedColumns:
    """Of an object: their names, and the moment as of which they were last read of every row; None: never."""

    columns: tuple[str, ...]
    as_of: datetime | None


class Derived(Protocol):
    """Of a cut; valid within its context."""

    def columns(self, object_: str) -> DerivedColumns:
        """As of what was captured up to now. Asks nobody."""
        ...

    def values(self, object_: str) -> Iterator[Captured]:
        """Of every row that lives and did not change after the cut its key and these columns, as they are now: patches
        of class read, at a watermark of their own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivingCut(MovingCut):
    """One of a source that has such columns."""

    derived: Derived
