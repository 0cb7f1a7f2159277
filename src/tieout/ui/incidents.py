"""What is wrong now, drawn: each cause once, what it affects, and the mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..quality.incident import Incident, Severity
from .answer import OK, PARTIAL
from .paint import moment, safe, several, stacked, verdict


@dataclass(frozen=True, slots=True)
class Incidents:
    found: tuple[Incident, ...]

    @property
    def exit_code(self) -> int:
        return PARTIAL if self.found else OK

    def to_json(self) -> dict[str, Any]:
        return {"incidents": [one.to_json() for one in self.found]}

    def shown(self) -> RenderableType:
        if not self.found:
            return verdict("complete", "Nothing is wrong that tieout knows of.")
        told: list[Text] = []
        for one in self.found:
            word = "error" if one.severity is Severity.PAGE else "warning"
            told.append(verdict(word, f"{one.id}"))
            told.append(Text.assemble("  ", safe(one.trouble.what)))
            if one.trouble.since is not None:
                told.append(Text.assemble("  since ", moment(one.trouble.since)))
            if one.affects:
                told.append(Text.assemble("  affects ", safe(", ".join(one.affects))))
            told.append(Text.assemble("  ", ("→ ", "dim"), safe(one.trouble.mend), ("  " + one.runbook, "dim")))
        return stacked(*told, Text(several(len(self.found), "incident"), style="bold"))
