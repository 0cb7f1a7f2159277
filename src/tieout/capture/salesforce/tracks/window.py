"""Windows: what changed since the last look, by the stamp that the org sets on every change. Values in, values out.

A window begins where the last one's watermark stood, so a row whose transaction was still open then is read by the next
one. It has no end: what is newer than its watermark is told at once, and told again by the next, for certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....base.cursor import Cursor, Progress
from ...hole import Hole
from .job import Job

_HOLES_MAX = 8
_PREFIX = "window/"


@dataclass(frozen=True, slots=True)
class Window:
    """Of one object.

    through   all that the org had ordered up to this second was told; 0: nothing yet
    read_at   the second at which the last one began
    job       a large one is read by Bulk
    holes     what events did not tell; each closes when windows, and the log of deletions, have come past its end
    """

    object: str
    through: int = 0
    read_at: int = 0
    job: Job | None = None
    holes: tuple[Hole, ...] = ()

    def cursor(self, before: Cursor | None) -> Cursor:
        """The next on its track."""
        state = {
            "object": self.object,
            "through": self.through,
            "read_at": self.read_at,
            "job": None if self.job is None else self.job.to_json(),
            "holes": [hole.to_json() for hole in self.holes],
        }
        if self.holes:
            state |= {"done": False, "share": 0.0 if self.job is None else self.job.share}
        return Cursor.of(track_of(self.object), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, progress: Progress, object_: str) -> Window:
        cursor = progress.get(track_of(object_))
        if cursor is None:
            return cls(object_)
        state = cursor.read()
        return cls(
            object=object_,
            through=int(state["through"]),
            read_at=int(state["read_at"]),
            job=Job.from_json(state["job"]),
            holes=tuple(Hole.from_json(hole) for hole in state["holes"]),
        )

    def is_due(self, now: int, every_seconds: float) -> bool:
        return self.job is not None or now - self.read_at >= every_seconds

    def ended(self, watermark: int, read_at: int) -> Window:
        """Read to its end. A watermark that fell back (a long transaction came to light) proves no less than before."""
        return replace(self, through=max(self.through, watermark), read_at=read_at, job=None)

    def with_hole(self, hole: Hole) -> Window:
        return replace(self, holes=(*self.holes, hole)[-_HOLES_MAX:])

    def closed(self, through: int) -> Window:
        """Without the holes that end at or before this second."""
        return replace(self, holes=still_open(self.holes, through))


def still_open(holes: Sequence[Hole], through: int) -> tuple[Hole, ...]:
    return tuple(hole for hole in holes if seconds_of(hole.until) > through)


def seconds_of(place: str) -> int:
    """A hole's end, as these tracks write it: seconds since 1970."""
    return int(place)


def track_of(object_: str) -> str:
    return _PREFIX + object_
