"""Metrics, as their readers want them: the text of Prometheus on stdout, or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from ..quality.exposition import Family, exposition
from .paint import several, verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """`file`: where the text was written; None: it goes to stdout."""

    families: Sequence[Family]
    file: Path | None
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        told = [family.to_json() for family in self.families if family.samples]
        return {"file": None if self.file is None else str(self.file), "metrics": told}

    def shown(self) -> RenderableType:
        if self.file is None:
            return exposition(self.families)
        number = sum(len(family.samples) for family in self.families)
        return verdict("complete", f"Wrote {several(number, 'sample')} to {self.file}.")
