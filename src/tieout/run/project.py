"""The project file: `tieout.yaml` read into nouns that are valid, or the one sentence that says what to write instead.

It opens nothing but the file; what `${...}` stands for, `secrets.py` knows. Paths are relative to the project's folder,
and no message shows the address of a database, which may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..base import form, yamlfile
from ..base.duration import ALLOWED, seconds_of
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import Document, Place, nearest
from ..contract.calendar import ORDINARY, Calendar, calendar_of
from ..contract.drift import Policy
from ..merge.snowflake.account import Account
from ..quality.gate import Gate
from ..quality.incident import Severity
from .addresses import (
    LANDING,
    LEDGER,
    WAREHOUSE,
    FolderOrBucket,
    LedgerPlace,
    WarehousePlace,
    folder_or_bucket,
    ledger_place,
    modeller_place,
    warehouse_place,
    wrong_word,
)
from .environment import Had, filled, references
from .org_config import SalesforceConfig, salesforce
from .postgres_config import PostgresConfig, postgres
from .postgres_url import CUT, MEND, is_cut
from .rhythm import Rhythm
from .secrets import Vault, aws, had

FILE = "tieout.yaml"
_SPOOL = ".tieout"

QUARANTINE = "7d"

_TYPES = ("changes", "postgres", "salesforce")
_TYPES_PLANNED = frozenset({"stripe", "zendesk", "ga4", "files", "events", "kafka"})

PROJECT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")
PROJECT_NAME_ALLOWED = "a letter, then up to 62 letters, digits, '_', '-' and '.'"


@dataclass(frozen=True, slots=True)
class ChangesConfig:
    """A folder of files of changes, or a bucket of them."""

    path: FolderOrBucket


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """Who is told of incidents of this severity or a higher one. `to` is an address as apprise takes it, which may hold
    a secret: kept out of repr, and to be kept out of every message."""

    to: str = field(repr=False)
    least: Severity


SourceConfig = ChangesConfig | PostgresConfig | SalesforceConfig


@dataclass(frozen=True, slots=True)
class Project:
    """`root` is the project's folder, absolute.

    `drift`: what is done when a source changes its columns, and `quarantine_seconds`: how long a row may wait in it
    before that is wrong, where a contract does not say. `gates`: before which marts one stands, and what opens it.
    `alerts`: who is told of what is wrong. `exceptional`: days that are unlike others, in all streams. `rhythm`: how
    often a worker certifies by itself; None for never. `modeller`: as whom marts are built, where not as who merges.
    """

    root: Path
    name: str
    landing: FolderOrBucket
    ledger: LedgerPlace
    warehouse: WarehousePlace
    sources: Mapping[str, SourceConfig]
    drift: Policy = Policy.EVOLVE
    gates: tuple[Gate, ...] = ()
    alerts: tuple[AlertConfig, ...] = ()
    quarantine_seconds: int = seconds_of(QUARANTINE)
    exceptional: Calendar = ORDINARY
    rhythm: Rhythm | None = None
    modeller: Account | None = None

    @property
    def warehouse_file(self) -> Path:
        """Where the warehouse is a file of this machine. Raises Misconfigured where it is none."""
        if not isinstance(self.warehouse, Path):
            raise Misconfigured(
                f"{self.warehouse} is no file of this machine.", hint=f"Name one: warehouse: {WAREHOUSE}"
            )
        return self.warehouse

    @property
    def spool(self) -> Path:
        """Where on this machine something may lie for a while."""
        return self.landing if isinstance(self.landing, Path) else self.root / _SPOOL


class _ProjectForm(BaseModel):
    project: str
    landing: str = LANDING
    ledger: str = LEDGER
    warehouse: str = WAREHOUSE
    models: str | None = None
    drift: Literal["evolve", "freeze"] = "evolve"
    gates: dict[str, dict[str, Any]] = {}
    alerts: list[dict[str, Any]] = []
    quarantine: form.Duration = QUARANTINE
    exceptional_days: list[str] = []
    certify: dict[str, Any] | None = None
    sources: dict[str, dict[str, Any]]


class _ChangesForm(BaseModel):
    type: Literal["changes"]
    path: str


class _GateForm(BaseModel):
    needs: list[str] = Field(min_length=1)
    within: form.Duration = "24h"
    whole_within: form.Duration = "7d"


class _RhythmForm(BaseModel):
    every: form.Duration
    whole_every: form.Duration = "7d"


class _AlertForm(BaseModel):
    to: str = Field(min_length=1)
    least: Literal["page", "warn"] = "page"


def load_project(root: Path, *, environ: Mapping[str, str], vault: Vault = aws) -> Project:
    """The project in the folder `root`. The vault is asked only where its file names it. Raises Misconfigured for the
    first wrong setting, and Transient where whoever keeps a secret is away."""
    document = document_of(root)
    return project_of(document, had(references(document), environ, root, vault))


def document_of(root: Path) -> Document:
    """The project's file as it is written. Raises Misconfigured."""
    path = root / FILE
    if not path.is_file():
        raise Misconfigured(
            f"There is no {FILE} in {root.resolve()}.", hint="Run `tieout init` there, or give --project DIR."
        )
    return yamlfile.load(path)


def project_of(written: Document, values: Had) -> Project:
    """The project of this file, what it refers to filled in. Raises Misconfigured and Transient."""
    document, root = filled(written, values), written.path.parent
    settings = form.read(_ProjectForm, document, secret=frozenset({"ledger", "warehouse", "models"}))
    if not PROJECT_NAME.fullmatch(settings.project):
        raise document.wrong(("project",), f"is {document.found(('project',))}; write {PROJECT_NAME_ALLOWED}.")
    if is_cut(settings.ledger):
        raise document.wrong(("ledger",), CUT, hint=MEND)
    base = root.resolve()
    sources = {name: _source(document, base, settings.project, name) for name in settings.sources}
    return Project(
        root=base,
        name=settings.project,
        landing=folder_or_bucket(document, ("landing",), base, settings.landing),
        ledger=ledger_place(document, base, settings.ledger),
        warehouse=(warehouse := warehouse_place(document, base, settings.warehouse)),
        sources=sources,
        drift=Policy(settings.drift),
        gates=tuple(_gate(document, name, sources) for name in settings.gates),
        alerts=tuple(_alert(document, index) for index in range(len(settings.alerts))),
        quarantine_seconds=_duration(document, ("quarantine",), settings.quarantine),
        exceptional=_exceptional(document, settings.exceptional_days),
        rhythm=None if settings.certify is None else _rhythm(document),
        modeller=modeller_place(document, settings.models, warehouse),
    )


def _rhythm(document: Document) -> Rhythm:
    written = form.read(_RhythmForm, document, ("certify",))
    every = _duration(document, ("certify", "every"), written.every)
    return Rhythm(every, _duration(document, ("certify", "whole_every"), written.whole_every))


def _exceptional(document: Document, words: list[str]) -> Calendar:
    try:
        return calendar_of(words)
    except ValueError as error:
        raise document.wrong(("exceptional_days",), str(error)) from error


def _duration(document: Document, place: Place, text: str) -> int:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise document.wrong(place, f"is {document.found(place)}; write {ALLOWED}.") from error


def _source(document: Document, base: Path, project: str, name: str) -> SourceConfig:
    place: Place = ("sources", name)
    try:
        Stream(name, "any")
    except Misconfigured as error:
        raise document.wrong(place, "is not usable as a source's name.", hint=error.hint) from error
    written = yamlfile.descend(document.content, place)
    if "type" not in written:
        raise document.wrong((*place, "type"), f"is missing; allowed: {', '.join(_TYPES)}.")
    match written["type"]:
        case "changes":
            path = form.read(_ChangesForm, document, place).path
            return ChangesConfig(folder_or_bucket(document, (*place, "path"), base, path))
        case "postgres":
            return postgres(document, place, project)
        case "salesforce":
            return salesforce(document, place)
        case str(word):
            raise wrong_word(document, (*place, "type"), "is", word, _TYPES, planned=_TYPES_PLANNED)
        case _:
            place = (*place, "type")
            raise document.wrong(place, f"is {document.found(place)}; write {' or '.join(_TYPES)}.")


def _gate(document: Document, name: str, sources: Mapping[str, SourceConfig]) -> Gate:
    place: Place = ("gates", name)
    written = form.read(_GateForm, document, place)
    needs: list[Stream] = []
    for index, text in enumerate(written.needs):
        here = (*place, "needs", index)
        try:
            stream = Stream.parse(text)
        except Misconfigured as error:
            raise document.wrong(here, f"is {document.found(here)}; write a stream, source.object.") from error
        if stream.source not in sources:
            hint = nearest(stream.source, list(sources))
            raise document.wrong(
                here, f"is {document.found(here)}, and no source is called {stream.source}.", hint=hint
            )
        objects = _objects(sources[stream.source])
        if objects is not None and stream.object not in objects:
            problem = f"is {document.found(here)}, and source {stream.source} reads no {stream.object}."
            raise document.wrong(here, problem, hint=nearest(stream.object, objects))
        needs.append(stream)
    within = _duration(document, (*place, "within"), written.within)
    whole_within = _duration(document, (*place, "whole_within"), written.whole_within)
    return Gate(name, tuple(dict.fromkeys(needs)), within, whole_within)


def _objects(config: SourceConfig) -> tuple[str, ...] | None:
    """What the source reads, where the project's file alone tells; None: what there is, only the source knows."""
    match config:
        case PostgresConfig() if not config.schemas:
            return tuple(config.wanted)
        case SalesforceConfig():
            return tuple(one.api_name.lower() for one in config.objects)
        case _:
            return None


def _alert(document: Document, index: int) -> AlertConfig:
    written = form.read(_AlertForm, document, ("alerts", index), secret=frozenset({"to"}))
    return AlertConfig(written.to, Severity(written.least))
