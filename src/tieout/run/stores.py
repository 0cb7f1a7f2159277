"""Looks at the project's own side: its secrets, contracts, and the places of its stores. Writes to none of them."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.clock import Clock
from ..base.errors import Misconfigured, Occupied, TieoutError
from ..base.finding import Codes, Finding, Level
from ..base.yamlfile import Place
from ..contract import odcs
from ..contract.quality import load_checks
from ..merge.duckdb import DuckDBReader
from .account import account_findings
from .addresses import FolderOrBucket
from .contracts import Contracts
from .environment import Keeper, Lack, Reference
from .house import bucket_findings, has_book
from .project import Project
from .secrets import is_open

_OK, _NOTE, _WARNING, _ERROR = Level

CODES = Codes(
    {
        "project.variable.unset": (_ERROR, "what it fills in stays unknown"),
        "project.secret.lacking": (_ERROR, "what it fills in stays unknown"),
        "project.secret.open": (_WARNING, "whoever can log in to this machine can read it"),
        "project.contracts.ok": (_OK, "they can be read"),
        "project.contract.wrong": (_ERROR, "its stream is not merged"),
        "project.check.wrong": (_WARNING, "no stream is checked until it is mended"),
        "project.store.ok": (_OK, "it can be written to"),
        "project.store.no_folder": (_ERROR, "nothing can be kept there"),
        "project.store.closed": (_ERROR, "nothing can be kept there"),
        "project.disk.low": (_WARNING, "a full disk stops the capture, and the server keeps the log meanwhile"),
        "project.warehouse.held": (_NOTE, "only one process holds its file; a worker answers readers"),
        "project.warehouse.damaged": (_ERROR, "it cannot be opened"),
        "project.ledger.damaged": (_ERROR, "it cannot be opened"),
        "project.ledger.ok": (_OK, "the server answers"),
        "project.ledger.unusable": (_ERROR, "nothing can be entered, so nothing is captured"),
        "project.extra.missing": (_ERROR, "what needs it does not work"),
    }
)
_free_bytes_min = 2**31
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a store stands or will stand: `nearest` is what there is of its folder, from the root down."""

    store: str
    folder: Path
    nearest: Path
    is_folder: bool
    writable: bool
    free: int


def secrets(places: Mapping[Reference, Place], lacking: Mapping[Reference, Lack], root: Path) -> Iterator[Finding]:
    """What the project's file refers to and cannot be had, and files of secrets that stand open."""
    for one, place in places.items():
        if (lack := lacking.get(one)) is not None:
            is_variable = one.keeper is Keeper.ENVIRONMENT
            found = f"{'.'.join(map(str, place))} needs {one.name if is_variable else one}, {lack.why}"
            code = "project.variable.unset" if is_variable else "project.secret.lacking"
            yield CODES(code, found, about=one.name, shell=lack.shell, hint="" if lack.shell else lack.hint)
        elif one.keeper is Keeper.FILE and is_open(path := root / one.name):
            yield CODES(
                "project.secret.open",
                f"{path} may be read by every user of this machine",
                about=one.name,
                shell=f"chmod o-rwx {shlex.quote(str(path))}",
                hint="Where it is mounted, set its mode there.",
            )


def project(said: Project, clock: Clock) -> Iterator[Finding]:
    """All that can be looked at without asking a source."""
    yield from _contracts(said)
    yield from _landing(said.landing)
    if isinstance(said.ledger, Path):
        yield from judge(seat("ledger", said.ledger.parent))
    else:
        yield from _server(said)
    if isinstance(said.warehouse, Path):
        yield from judge(seat("warehouse", said.warehouse.parent))
        yield from _warehouse(said.warehouse)
    else:
        yield from _account(said, clock)
    if isinstance(said.ledger, Path):
        yield from _ledger(said.ledger)


def seat(store: str, folder: Path) -> Seat:
    # Path.exists raises where a folder may not be entered.
    nearest = next(each for each in (folder, *folder.parents) if os.access(each, os.F_OK))
    is_folder, writable = nearest.is_dir(), os.access(nearest, os.W_OK | os.X_OK)
    return Seat(store, folder, nearest, is_folder, writable, shutil.disk_usage(nearest).free)


def judge(seat: Seat) -> Iterator[Finding]:
    quoted = shlex.quote(str(seat.nearest))
    if not seat.is_folder:
        found = f"{seat.nearest} stands where the folder of the {seat.store} shall be, and is none"
        yield CODES("project.store.no_folder", found, about=seat.store, shell=f"mv {quoted} {quoted}.aside")
        return
    if not seat.writable:
        found = f"{seat.nearest} cannot be written to, for the {seat.store}"
        yield CODES("project.store.closed", found, about=seat.store, shell=f"chmod u+rwx {quoted}")
        return
    free = f"{seat.free / 2**30:,.1f} GB are free"
    if seat.free < _free_bytes_min:
        found = f"on the disk of the {seat.store} {free}"
        yield CODES("project.disk.low", found, about=seat.store, hint="Free some space, or name another place.")
    yield CODES("project.store.ok", f"{seat.store} in {seat.folder}; {free}", about=seat.store)


def _contracts(said: Project) -> Iterator[Finding]:
    contracts, wrong, number = Contracts(said.root), 0, 0
    for stream in (one for source in sorted(said.sources) for one in contracts.written(source)):
        number += 1
        try:
            contract = odcs.load(odcs.find(said.root, stream), stream)
        except Misconfigured as error:
            wrong += 1
            yield CODES("project.contract.wrong", error.message, about=str(stream), hint=error.hint)
            continue
        try:
            load_checks(odcs.find(said.root, stream), contract)
        except Misconfigured as error:
            wrong += 1
            yield CODES("project.check.wrong", error.message, about=str(stream), hint=error.hint)
    if not wrong:
        yield CODES("project.contracts.ok", f"contracts: {number:,}")


def _landing(place: FolderOrBucket) -> Iterator[Finding]:
    if isinstance(place, Path):
        yield from judge(seat("landing", place))
        return
    try:
        yield from bucket_findings(place)
    except Misconfigured as error:
        yield CODES("project.extra.missing", error.message, about="landing", hint=error.hint)


def _account(said: Project, clock: Clock) -> Iterator[Finding]:
    try:
        yield from account_findings(said, clock)
    except Misconfigured as error:
        yield CODES("project.extra.missing", error.message, about="warehouse", hint=error.hint)


def _server(said: Project) -> Iterator[Finding]:
    try:
        made = "is there" if has_book(said) else "will be made by the first run"
    except TieoutError as error:
        yield CODES("project.ledger.unusable", error.message, about="ledger", hint=error.hint)
    else:
        yield CODES("project.ledger.ok", f"the server of the ledger answers; its book {made}", about="ledger")


def _warehouse(path: Path) -> Iterator[Finding]:
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        DuckDBReader(path).close()
    except Occupied as error:
        yield CODES("project.warehouse.held", error.message, about=str(path), hint=error.hint)
    except TieoutError as error:
        quoted = shlex.quote(str(path))
        aside = f"mv {quoted} {quoted}.aside"
        yield CODES("project.warehouse.damaged", error.message, about=str(path), shell=aside, hint=error.hint)


def _ledger(path: Path) -> Iterator[Finding]:
    """By its first bytes: to open it would already write beside it."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(len(_SQLITE))
    if head not in (_SQLITE, b""):
        quoted = shlex.quote(str(path))
        hint = "`tieout run` makes it anew from the landing."
        aside = f"mv {quoted} {quoted}.aside"
        yield CODES("project.ledger.damaged", f"{path} is no ledger", about=str(path), shell=aside, hint=hint)
