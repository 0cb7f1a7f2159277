"""Looks at a project and its sources, and says what each still needs. It changes nothing, and stops at nothing.

A variable that is not set is a finding: whatever does not need it is looked at all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base import yamlfile
from ..base.clock import Clock
from ..base.finding import Finding
from ..base.yamlfile import Place
from . import stores
from .alone import alone
from .environment import unset
from .house import checkup_of
from .project import FILE, Project, load_project


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found in the project itself, and in each source."""

    project: tuple[Finding, ...]
    sources: Mapping[str, tuple[Finding, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.project, *(finding for found in self.sources.values() for finding in found))


def examine(root: Path, *, environ: Mapping[str, str], clock: Clock, only: str | None = None) -> Diagnosis:
    """`only`: of the sources this one alone. Raises Misconfigured when the project file cannot be read."""
    missing = _unset(root, environ)
    project = load_project(root, environ={**environ, **{variable: f"{variable}=unset" for variable in missing}})
    found = [*stores.variables(missing)]
    if all(place[0] == "sources" for place in missing.values()):
        found += stores.project(project)
    closed = {place[1] for place in missing.values() if place[0] == "sources"}
    lanes = [lane for lane in _lanes(project, only) if lane not in closed]
    return Diagnosis(tuple(found), {lane: checkup_of(project, lane, clock).check() for lane in lanes})


def setup(root: Path, *, environ: Mapping[str, str], clock: Clock, only: str | None = None) -> dict[str, str]:
    """Source -> the statements by which an administrator makes what it needs, where there are any."""
    project = load_project(root, environ=environ)
    written = {lane: checkup_of(project, lane, clock).setup_sql() for lane in _lanes(project, only)}
    return {lane: text for lane, text in written.items() if text}


def _unset(root: Path, environ: Mapping[str, str]) -> dict[str, Place]:
    path = root / FILE
    return unset(yamlfile.load(path), environ) if path.is_file() else {}


def _lanes(project: Project, only: str | None) -> list[str]:
    return sorted(alone(project, only).sources)
