"""The log of deletions: it knows of rows that were deleted for good, which no query shows. Values in, values out."""

from __future__ import annotations

from dataclasses import dataclass

from ....base.cursor import Cursor, Progress

DAYS_MAX = 15
"""How far back the org can be asked."""
_PREFIX = "deleted/"


@dataclass(frozen=True, slots=True)
class Deletions:
    """Of one object: `through` is what the org said it had covered, and where it is asked next; `read_at` when it was.
    Both are seconds; 0: never. `registered_at`: when that was last entered; in between it is only known here."""

    object: str
    through: int = 0
    read_at: int = 0
    registered_at: int = 0

    def cursor(self, before: Cursor | None) -> Cursor:
        state = {"object": self.object, "through": self.through, "read_at": self.read_at}
        return Cursor.of(track_of(self.object), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, progress: Progress, object_: str) -> Deletions:
        cursor = progress.get(track_of(object_))
        if cursor is None:
            return cls(object_)
        state = cursor.read()
        return cls(object_, int(state["through"]), int(state["read_at"]), registered_at=int(state["read_at"]))

    def is_due(self, now: int, every_seconds: float) -> bool:
        return now - self.read_at >= every_seconds


def track_of(object_: str) -> str:
    return _PREFIX + object_
