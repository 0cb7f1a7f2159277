"""A stream that was paused and goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from ..ledger.facts import Paused
from .paint import next_step, safe, stacked, verdict


@dataclass(frozen=True, slots=True)
class Unpaused:
    """`paused` is why it had been."""

    paused: Paused
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"stream": self.paused.stream, "reason": self.paused.reason}

    def shown(self) -> RenderableType:
        told = verdict("complete", f"{self.paused.stream} goes on.")
        why = safe(f"It was paused: {self.paused.reason}.")
        return stacked(told, why, next_step("tieout run --once", "merges what has landed of it"))
