"""Looks at a project and its sources, and says what each still needs. It changes nothing, and stops at nothing.

A secret that cannot be had is a finding: whatever does not need it is looked at all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.clock import Clock
from ..base.finding import Finding
from . import stores
from .alone import alone
from .environment import Lack, Value, references
from .house import checkup_of
from .project import Project, document_of, load_project, project_of
from .secrets import Vault, aws, had

_ACCOUNTS = {("warehouse",), ("models",)}
_NO_KEY = "-----BEGIN {0}-----unset-----END {0}-----".format("PRIVATE KEY")
_NO_ACCOUNT = f"snowflake://unset@unset/unset?warehouse=unset&private_key={_NO_KEY}"
"""Has the form of one, and is never asked: as long as a store's secret is lacking, no store is."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found in the project itself, and in each source."""

    project: tuple[Finding, ...]
    sources: Mapping[str, tuple[Finding, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.project, *(finding for found in self.sources.values() for finding in found))


def examine(
    root: Path, *, environ: Mapping[str, str], clock: Clock, only: str | None = None, vault: Vault = aws
) -> Diagnosis:
    """`only`: of the sources this one alone. Raises Misconfigured when the project file cannot be read."""
    document = document_of(root)
    places = references(document)
    values = had(places, environ, root, vault)
    lacking = {one: found for one, found in values.items() if isinstance(found, Lack)}
    missing = [places[one] for one in lacking]
    # Taken for an address by whatever wants one, and for nothing that could be reached.
    unset = {one: Value(f"{one.keeper or one.name}=unset") for one in lacking}
    if _ACCOUNTS & {*missing}:
        document = document.filled(lambda place, text: _NO_ACCOUNT if place in _ACCOUNTS else text)
    project = project_of(document, {**values, **unset})
    found = [*stores.secrets(places, lacking, project.root)]
    if all(place[0] == "sources" for place in missing):
        found += stores.project(project, clock)
    closed = {place[1] for place in missing if place[0] == "sources"}
    lanes = [lane for lane in _lanes(project, only) if lane not in closed]
    return Diagnosis(tuple(found), {lane: checkup_of(project, lane, clock).check() for lane in lanes})


def setup(root: Path, *, environ: Mapping[str, str], clock: Clock, only: str | None = None) -> dict[str, str]:
    """Source -> the statements by which an administrator makes what it needs, where there are any."""
    project = load_project(root, environ=environ)
    written = {lane: checkup_of(project, lane, clock).setup_sql() for lane in _lanes(project, only)}
    return {lane: text for lane, text in written.items() if text}


def _lanes(project: Project, only: str | None) -> list[str]:
    return sorted(alone(project, only).sources)
