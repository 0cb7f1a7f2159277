"""A swap of which only the last step is left: the tables that hold the new rows have yet to take their place.

It is noted where otherwise the shape of the live tables stands, and fits no contract, so that nobody takes the tables
for what they are not yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ...base.codec import canonical_json
from ...base.errors import Transient
from ...base.stream import Stream

HALF = '{"next":'
"""How the note begins."""


@dataclass(frozen=True, slots=True)
class Half:
    """`next`: the word in the names of the tables; `shape`: what they are made for."""

    next: str
    shape: str

    @classmethod
    def read(cls, shape: str | None) -> Half | None:
        """None: it is a shape."""
        if shape is None or not shape.startswith(HALF):
            return None
        said = json.loads(shape)
        return cls(said["next"], said["shape"])

    def __str__(self) -> str:
        return canonical_json({"next": self.next, "shape": self.shape})


def unfinished(stream: Stream) -> Transient:
    """Somebody has swapped meanwhile and did not come to its end."""
    return Transient(f"{stream}: its new tables have yet to take their place.", hint="Whoever comes next sees to it.")
