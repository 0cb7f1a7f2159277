"""Columns of all rows, read by themselves: fields that are new and have a history, and derived fields, of which neither
events nor stamps tell. Values in, values out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ....base.cursor import Cursor, Progress
from .job import Job
from .whole import Whole

_PREFIX = "columns/"


@dataclass(frozen=True, slots=True)
class Columns:
    """Of one object.

    known    API names of the fields that were read of every row
    derived  those of them of which neither events nor stamps tell
    missed   those that were known and are hidden: what was told of them may be there no longer
    through  the derived ones were read of every row as of this second; 0: never. `read_at`: when that reading began
    job      under way, of its columns
    """

    object: str
    known: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    through: int = 0
    read_at: int = 0
    job: Job | None = None

    def cursor(self, before: Cursor | None) -> Cursor:
        state = {
            "object": self.object,
            "known": list(self.known),
            "aged": list(self.derived),
            "missed": list(self.missed),
            "aged_through": self.through,
            "read_at": self.read_at,
            "job": None if self.job is None else self.job.to_json(),
        }
        return Cursor.of(track_of(self.object), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, progress: Progress, object_: str) -> Columns:
        cursor = progress.get(track_of(object_))
        if cursor is None:
            return cls(object_)
        state = cursor.read()
        return cls(
            object=object_,
            known=tuple(state["known"]),
            derived=tuple(state["aged"]),
            missed=tuple(state.get("missed", ())),
            through=int(state["aged_through"]),
            read_at=int(state["read_at"]),
            job=Job.from_json(state["job"]),
        )

    def due(
        self, fields: Collection[str], derived: Collection[str], *, now: int, every_seconds: float
    ) -> tuple[str, ...]:
        """The columns to read of all rows now: those that are new, else the derived ones where it is time for them."""
        if new := sorted(set(fields) - set(self.known)):
            return tuple(new)
        is_time = bool(every_seconds) and now - self.read_at >= every_seconds
        return tuple(sorted(derived)) if derived and is_time else ()


def columns_of(progress: Progress, whole: Whole) -> Columns:
    """How far they are; where nothing was read by itself yet, as far as the full read was."""
    state = Columns.of(progress, whole.object)
    if state.known:
        return state
    return Columns(whole.object, known=whole.columns, through=whole.watermark, read_at=whole.begun_at)


def aged_through(progress: Progress, object_: str) -> int:
    """The second as of which the derived columns were last read of every row; 0: never. A full read reads them too."""
    whole = Whole.of(progress, object_)
    return max(Columns.of(progress, object_).through, whole.watermark if whole.done else 0)


def track_of(object_: str) -> str:
    return _PREFIX + object_
