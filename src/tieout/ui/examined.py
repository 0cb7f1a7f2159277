"""What was found by looking at a project and its sources, drawn: by source, with the mend under each finding.

All of it is plain text in lines of any length, so that a command can be copied whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from ..base.finding import Finding, Level
from ..run.doctor import Diagnosis
from .answer import OK, WRONG
from .paint import safe, safe_lines, several, state, verdict


@dataclass(frozen=True, slots=True)
class Examined:
    diagnosis: Diagnosis

    @property
    def exit_code(self) -> int:
        return WRONG if any(finding.level is Level.ERROR for finding in self.diagnosis.findings) else OK

    def to_json(self) -> dict[str, Any]:
        return {
            "project": [_document(finding) for finding in self.diagnosis.project],
            "sources": [
                {"source": source, "findings": [_document(finding) for finding in found]}
                for source, found in self.diagnosis.sources.items()
            ],
            "errors": self._number(Level.ERROR),
            "warnings": self._number(Level.WARNING),
        }

    def shown(self) -> Text:
        lines = [*_drawn("project", self.diagnosis.project)]
        for source, found in self.diagnosis.sources.items():
            lines += _drawn(f"source {source}", found)
        return Text("\n").join([*lines, self._verdict()])

    def _verdict(self) -> Text:
        errors, warnings = self._number(Level.ERROR), self._number(Level.WARNING)
        if errors:
            return verdict("error", f"To be mended: {several(errors, 'error')}, {several(warnings, 'warning')}.")
        if warnings:
            return verdict("warning", f"Nothing need be mended; {several(warnings, 'warning')}.")
        return verdict("ok", "All is well.")

    def _number(self, level: Level) -> int:
        return Counter(finding.level for finding in self.diagnosis.findings)[level]


PSQL_STOPS = "\\set ON_ERROR_STOP on"
"""Without it psql goes on behind an error, such as a table's misspelt name, and tells one for each statement after."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """The statements for an administrator, by source: as text for psql, and in the document for any client."""

    statements: Mapping[str, str]
    exit_code: int = OK

    def to_json(self) -> dict[str, Any]:
        return {"setup": [{"source": source, "sql": text} for source, text in self.statements.items()]}

    def shown(self) -> Text:
        sources = [f"-- Source {source}\n{text}" for source, text in self.statements.items()]
        return safe_lines("\n".join([PSQL_STOPS, *sources] if sources else []).rstrip())


def _document(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level.value,
        "about": finding.about,
        "found": finding.found,
        "why": finding.why,
        "mend": finding.mend,
        "typed": finding.typed.value if finding.typed else None,
        "hint": finding.hint,
    }


def _drawn(heading: str, findings: Sequence[Finding]) -> Iterator[Text]:
    yield Text(heading, style="bold")
    for finding in findings:
        told = finding.found if finding.level is Level.OK else f"{finding.found}; {finding.why}."
        yield Text.assemble("  ", state(finding.level.value), "  ", safe(told), (f"  {finding.code}", "dim"))
        for line in finding.mend.splitlines():
            prompt = "$ " if finding.typed == "shell" else f"{finding.typed.value}> " if finding.typed else ""
            yield Text.assemble("      ", (prompt, "dim"), (safe(line).plain, "cyan"))
        if finding.hint:
            yield Text.assemble("      ", safe(finding.hint))
    yield Text()
