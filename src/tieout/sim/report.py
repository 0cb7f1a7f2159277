"""What a demo has shown: the certificate, what was done to the worker for it, and then to the rows behind its back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..quality.certificate import Certificates
from .behind import Behind
from .stage import Kill
from .twin import Twin

OF_A_STREAM = (
    "stream", "source_rows", "current_rows", "missing", "ghost", "stale", "diverged", "books", "freshness_p95_seconds",
)  # fmt: skip
_UNPROVEN = 3
"""The exit code of a certificate that is not complete."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """`kept` is the project's folder, where it outlives the demo; `seconds` the whole demo's. `behind` is there if the
    shop was certified as complete, and so is `twin` where its warehouse is not the embedded one; `certificates` are
    those of before."""

    example: str
    seed: int
    certificates: Certificates
    kills: Sequence[Kill]
    changes: int
    seconds: float
    kept: Path | None
    behind: Behind | None = None
    twin: Twin | None = None

    @property
    def certificate(self) -> str:
        """ "complete", "partial" or "broken"."""
        return self.certificates.state.value

    @property
    def exit_code(self) -> int:
        return self.certificates.exit_code or (_UNPROVEN if self.wrong else 0)

    @property
    def wrong(self) -> tuple[str, ...]:
        """What did not come as it must, beside the embedded engine and behind the pipe's back, in a sentence each."""
        behind = () if self.behind is None else self.behind.wrong
        return behind if self.twin is None else (*self.twin.unlike, *behind)

    def to_json(self) -> dict[str, Any]:
        certified = [one.to_json() for one in self.certificates.streams]
        return {
            "example": self.example,
            "seed": self.seed,
            "streams": [{name: one[name] for name in OF_A_STREAM} for one in certified],
            "kills": len(self.kills),
            "certificate": self.certificate,
            "twin": None if self.twin is None else self.twin.to_json(),
            "behind_the_back": None if self.behind is None else self.behind.to_json(),
        }
