"""The listing is the law: a room imports only rooms above it, and the rooms of the route do not know each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.listing import PACKAGE, ROOMS, ROUTE, imports, modules, package_of, room, title, uses


def broken_laws(source: str, path: Path) -> list[str]:
    """What a module with this source would break, if it stood at `path`."""
    here = room(path)
    wrong = []
    for line, name in imports(ast.parse(source), package_of(path)):
        parts = name.split(".")
        if parts[0] != "tieout" or len(parts) < 2 or parts[1] not in ROOMS or parts[1] == here or not here:
            continue
        there = parts[1]
        if ROOMS.index(there) > ROOMS.index(here):
            wrong.append(f"{title(path)}:{line} imports {there}/, which stands below {here}/")
        if {here, there} <= ROUTE:
            wrong.append(f"{title(path)}:{line} imports {there}/, and rooms of the route do not know each other")
    return wrong


def test_no_import_runs_down_the_listing() -> None:
    assert not [wrong for path in modules() for wrong in broken_laws(path.read_text(encoding="utf-8"), path)]


def test_every_room_stands_in_the_listing() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert rooms <= set(ROOMS)


def test_only_what_not_every_command_needs_is_imported_late() -> None:
    """Anywhere else an import inside a function would only hide what a module needs."""
    late = {
        title(path)
        for path in modules()
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    own = {
        "backfilling",
        "certifying",
        "checking",
        "cli",
        "costing",
        "exporting",
        "measuring",
        "migrating",
        "modelling",
        "proving",
        "quarantining",
        "setting_up",
    }
    assert late <= {
        "base/sql.py",
        "run/account.py",
        "run/alerting.py",
        "run/house.py",
        "run/secrets.py",
        "sim/target.py",
        *(f"ui/{name}.py" for name in own),
    }


def test_nothing_is_imported_by_a_computed_name() -> None:
    """Such an import would pass unseen by the law above."""
    computed = [
        f"{title(path)}:{line}"
        for path in modules()
        for line, name in uses(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("importlib.import_module")
    ]

    assert not computed


@pytest.mark.parametrize(
    "source",
    [
        "from ..run import project",
        "from ..run.project import Project",
        "import tieout.ui.cli",
        "from tieout import run",
        "def late():\n    from ..quality.check import check",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..run.worker import Worker",
        "from ..capture.source import Source",
        "from ..land import landing",
    ],
)
def test_the_law_sees_every_way_to_write_an_import(source: str) -> None:
    assert broken_laws(source, PACKAGE / "merge" / "new.py")


@pytest.mark.parametrize(
    "source",
    ["from ..contract.contract import Contract", "from .rule import fold", "import json", "from . import rule"],
)
def test_the_law_lets_a_room_look_up(source: str) -> None:
    assert not broken_laws(source, PACKAGE / "merge" / "new.py")


def test_the_law_counts_the_folders_of_a_deeper_module() -> None:
    path = PACKAGE / "capture" / "postgres" / "new.py"

    assert not broken_laws("from ...base.order import Order\nfrom ..source import Source", path)
    assert broken_laws("from ...merge.rule import fold", path)
