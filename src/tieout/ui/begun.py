"""A new project: where its settings are, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from .paint import next_step, safe, stacked, verdict


@dataclass(frozen=True, slots=True)
class Begun:
    name: str
    file: Path
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"project": self.name, "file": str(self.file)}

    def shown(self) -> RenderableType:
        return stacked(
            verdict("complete", f"{self.name} is a project now."),
            Text.assemble("Its settings are in ", safe(str(self.file)), "."),
            next_step("tieout run --once", "with changes in inbox/, or a source named there"),
        )
