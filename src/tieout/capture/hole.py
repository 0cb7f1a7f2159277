"""Holes: what a source's log did not tell, and how far the reading is that makes it good.

A hole is known by its exact range and reason, from the moment it is found until a full read that began behind it has
ended. The cursor of that read carries it, so it is proven by what has landed, like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..base.cursor import Progress


@dataclass(frozen=True, slots=True)
class Hole:
    """Changes between `since` and `until`, in the source's own words for its positions, were not told."""

    since: str
    until: str
    reason: str

    def to_json(self) -> dict[str, str]:
        return {"since": self.since, "until": self.until, "reason": self.reason}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Hole:
        return cls(str(value["since"]), str(value["until"]), str(value["reason"]))

    def __str__(self) -> str:
        return f"Changes from {self.since} to {self.until} were not told ({self.reason})"


@dataclass(frozen=True, slots=True)
class Unread:
    """An object that is being read whole: `share` of it is read, of 1; then these holes close."""

    share: float
    holes: tuple[Hole, ...]

    def to_json(self) -> dict[str, Any]:
        return {"share": self.share, "holes": [hole.to_json() for hole in self.holes]}

    def __str__(self) -> str:
        read = f"{self.share:.0%} read"
        return "; ".join([*map(str, self.holes), f"{read} again" if self.holes else read]) + "."


def unread(progress: Progress) -> dict[str, Unread]:
    """The objects whose full read has begun, or is known to be due, and has not ended."""
    states = [cursor.read() for cursor in progress.values()]
    return {
        state["object"]: Unread(float(state["share"]), tuple(Hole.from_json(hole) for hole in state["holes"]))
        for state in states
        if state.get("done") is False and "share" in state
    }
