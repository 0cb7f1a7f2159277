"""The full read of an object by Bulk: its first, or one anew. At its end a sweep as of its watermark ends whatever it
did not mention. Values in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....base.cursor import Cursor, Progress
from ...hole import Hole
from .job import Job

_HOLES_MAX = 8
_VANISHED_SHARE = 0.01
_VANISHED_FROM_ROWS = 1_000
"""A full read that finds so much less than the last, of so many rows at least, is a right that was lost sooner than
rows that are gone: it ends nothing."""
_PREFIX = "whole/"


@dataclass(frozen=True, slots=True)
class Whole:
    """The reading of one object.

    job       under way; None: due, and not begun, or done
    done      read to its end: then all was told that the org had at `watermark`
    rows      of the last that came to its end: one that finds far fewer is not believed
    since     the position of its track behind which this reading began
    holes     what it is read for, where it was read before
    begun_at  the second at which it began
    org       18 characters; whose rows these are
    columns   API names of the fields that it reads
    """

    object: str
    job: Job | None = None
    done: bool = False
    rows: int = 0
    watermark: int = 0
    since: int = 0
    begun_at: int = 0
    org: str = ""
    columns: tuple[str, ...] = ()
    holes: tuple[Hole, ...] = ()

    def cursor(self, before: Cursor | None) -> Cursor:
        """The next on its track."""
        share = 1.0 if self.done else 0.0 if self.job is None else self.job.share
        state = {
            "object": self.object,
            "job": None if self.job is None else self.job.to_json(),
            "done": self.done,
            "share": share,
            "rows": self.rows,
            "watermark": self.watermark,
            "since": self.since,
            "begun_at": self.begun_at,
            "org": self.org,
            "columns": list(self.columns),
            "holes": [hole.to_json() for hole in self.holes],
        }
        return Cursor.of(track_of(self.object), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, progress: Progress, object_: str) -> Whole:
        cursor = progress.get(track_of(object_))
        if cursor is None:
            return cls(object_)
        state = cursor.read()
        return cls(
            object=object_,
            job=Job.from_json(state["job"]),
            done=bool(state["done"]),
            rows=int(state["rows"]),
            watermark=int(state["watermark"]),
            since=int(state["since"]),
            begun_at=int(state["begun_at"]),
            org=str(state["org"]),
            columns=tuple(state["columns"]),
            holes=tuple(Hole.from_json(hole) for hole in state["holes"]),
        )

    @property
    def has_begun(self) -> bool:
        """Whether from its watermark on windows tell what changed."""
        return self.watermark > 0

    def vanished(self, rows: int) -> str:
        """Why a reading that came to its end with so many rows is not believed to have seen all; "" when it is."""
        if self.rows < _VANISHED_FROM_ROWS or rows >= self.rows * (1 - _VANISHED_SHARE):
            return ""
        return f"a full read of {self.object} found {rows:,} rows where the last found {self.rows:,}"

    def due_for(self, hole: Hole) -> Whole:
        """It is to be read anew, as this was not told. What is read at this moment began before it: it begins again."""
        known = [one for one in self.holes if one.reason != hole.reason][-(_HOLES_MAX - 1) :]
        return Whole(self.object, rows=self.rows, watermark=self.watermark, org=self.org, holes=(*known, hole))


def track_of(object_: str) -> str:
    return _PREFIX + object_
