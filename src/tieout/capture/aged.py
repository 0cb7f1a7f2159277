"""Aged columns: a source tells no change of their values, so they are read anew now and then, and are as old as that.

As with holes the cursor of the reading carries it, so it is proven by what has landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..base.clock import moment_json
from ..base.cursor import Progress


@dataclass(frozen=True, slots=True)
class Aged:
    """These columns of every row are at least as new as `through`; of a row that changed since they may be newer."""

    columns: tuple[str, ...]
    through: datetime

    def to_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "through": moment_json(self.through)}


def aged(progress: Progress) -> Mapping[str, Aged]:
    """By object, of those that have such columns."""
    states = [cursor.read() for cursor in progress.values()]
    return {
        state["object"]: Aged(tuple(state["aged"]), datetime.fromtimestamp(state["aged_through"], UTC))
        for state in states
        if state.get("aged") and state.get("aged_through")
    }
