"""What a demo has shown: the certificate, and what was done to the worker meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..quality.certificate import Certificates
from .stage import Kill

_OF_A_STREAM = (
    "stream", "source_rows", "current_rows", "missing", "ghost", "stale", "diverged", "books", "freshness_p95_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoReport:
    """`kept` is the project's folder, where it outlives the demo; `seconds` the whole demo's."""

    example: str
    seed: int
    certificates: Certificates
    kills: Sequence[Kill]
    changes: int
    seconds: float
    kept: Path | None

    @property
    def certificate(self) -> str:
        """ "complete", "partial" or "broken"."""
        return self.certificates.state.value

    @property
    def exit_code(self) -> int:
        return self.certificates.exit_code

    def to_json(self) -> dict[str, Any]:
        certified = [one.to_json() for one in self.certificates.streams]
        return {
            "example": self.example,
            "seed": self.seed,
            "streams": [{name: one[name] for name in _OF_A_STREAM} for one in certified],
            "kills": len(self.kills),
            "certificate": self.certificate,
        }
