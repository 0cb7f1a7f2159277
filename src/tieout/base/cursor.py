"""A cursor says how far we are: proven by what has landed, never by what we hoped.

A lane is what one worker reads at a time: one source. A lane has tracks, each a chain of its own: the log of a
database, the snapshot of one table, one file of a folder. Coverage of a source is the set of its tracks' cursors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .codec import canonical_json


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` grows along the track; `state` is what the source needs to go on, as canonical JSON."""

    track: str
    position: int
    state: str

    @classmethod
    def of(cls, track: str, position: int, state: Mapping[str, Any]) -> Cursor:
        return cls(track, position, canonical_json(dict(state)))

    def read(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.state)
        return value

    def to_json(self) -> dict[str, Any]:
        return {"track": self.track, "position": self.position, "state": self.read()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cursor:
        return cls.of(str(value["track"]), int(value["position"]), value["state"])


Progress = Mapping[str, Cursor]
"""Per track of a lane, the cursor that its registered batches prove."""
