"""The world's side of a database with a log: it outlives whatever happens to those who read it.

It keeps, for one slot, what was committed and is not confirmed. Whoever drops the slot, or makes it anew, makes it
forget that. A question for a moment moves the log on, so that no two moments, and no moment and a commit, are at one
position.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .company import Commit, Field, Row
from .saying import Throttle
from .systems import System


@dataclass(frozen=True, slots=True)
class Slot:
    """`made` counts the slots that there were; `created` is where it begins, at `second` by the system's clock."""

    made: int
    created: int
    second: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as they were at `position`; `of`: how many there are in all."""

    position: int
    second: int
    rows: Mapping[str, Row]
    of: int


class LogServer:
    """`now` tells the seconds that the world's clock shows; `confirming` hears up to where our slot may forget."""

    def __init__(
        self, system: System, *, now: Callable[[], float], confirming: Callable[[int], None] = lambda position: None
    ) -> None:
        self.system = system
        self._confirming = confirming
        self.throttle = Throttle()
        self._now = now
        self._slot: Slot | None = None
        self._slots = 0

    def drop_slot(self) -> None:
        """Somebody drops our slot."""
        self._slot = None

    def remake_slot(self) -> None:
        """Somebody drops our slot and makes one of its name."""
        self.make_slot()

    @property
    def kept(self) -> int:
        """How many commits are kept for the slot."""
        confirmed = None if self._slot is None else self._slot.confirmed
        return sum(commit.position > confirmed for commit in self.system.commits) if confirmed is not None else 0

    def slot(self) -> Slot | None:
        self._tick()
        return self._slot

    def make_slot(self) -> Slot:
        """In place of the one that there was."""
        self._tick()
        self._slots += 1
        at = self.system.stepped()
        self._slot = Slot(self._slots, at, self.system.second, at)
        return self._slot

    def confirm(self, made: int, position: int) -> None:
        """What was committed up to there may be forgotten. Of another slot than ours it says nothing."""
        if self._slot is not None and self._slot.made == made:
            self._confirming(position)
            upper = min(position, self.system.position)
            self._slot = replace(self._slot, confirmed=max(self._slot.confirmed, upper))

    def flushed(self) -> int:
        self._tick()
        return self.system.position

    def read(self, made: int, behind: int, until: int, commits_max: int) -> list[Commit] | None:
        """The next commits of the log; None where it is not that slot any more."""
        self._tick()
        if self._slot is None or self._slot.made != made:
            return None
        from_ = max(behind, self._slot.confirmed)
        ahead = [commit for commit in self.system.commits if from_ < commit.position <= until]
        return ahead[:commits_max]

    def chunk(self, object_: str, behind: str | None, rows_max: int) -> Chunk:
        """The next rows in the order of their keys."""
        position, second, rows = self.moment([object_])
        of = rows[object_]
        keys = sorted(key for key in of if behind is None or key > behind)[:rows_max]
        return Chunk(position, second, {key: of[key] for key in keys}, len(of))

    def moment(self, objects: Sequence[str]) -> tuple[int, int, Mapping[str, Mapping[str, Row]]]:
        """A position, the system's second then, and all rows of these objects there."""
        self._tick()
        at = self.system.stepped()
        return at, self.system.second, {object_: self.system.rows(object_) for object_ in objects}

    def catalogue(self) -> Mapping[str, Sequence[Field]]:
        return dict(self.system.fields)

    def _tick(self) -> None:
        self.system.tick(self._now())
