"""How far an object of a simulated database is read whole, and what was not told that this reading tells."""

from __future__ import annotations

from dataclasses import dataclass

from ....base.cursor import Cursor
from ....capture.hole import Hole


def read_track(object_: str) -> str:
    return f"read/{object_}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How far an object is read.

    slot    the slot during whose life it is read
    start   the watermark of its first chunk, at which its sweep will stand; None: not begun
    behind  the key of the last row that was read
    since   where its track stood before it was begun
    holes   what was not told and is told by this reading
    """

    slot: int
    start: int | None = None
    behind: str | None = None
    rows: int = 0
    since: int = 0
    done: bool = False
    holes: tuple[Hole, ...] = ()

    def cursor(self, object_: str, before: Cursor | None, of: int) -> Cursor:
        """The next of the object's track; `of` is how many rows the object has, as far as anybody knows."""
        share = 1.0 if self.done else min(0.99, self.rows / max(of, 1))
        state = {
            "object": object_,
            "slot": self.slot,
            "start": self.start,
            "behind": self.behind,
            "rows": self.rows,
            "since": self.since,
            "done": self.done,
            "share": round(share, 4),
            "holes": [hole.to_json() for hole in self.holes],
        }
        return Cursor.of(read_track(object_), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        state = cursor.read()
        holes = tuple(Hole.from_json(hole) for hole in state["holes"])
        kept = {name: state[name] for name in ("slot", "start", "behind", "rows", "since", "done")}
        return cls(**kept, holes=holes)
