"""Runs projects on a disk that is full, and again when there is room, in a process that alone sees that disk.

python -m tests.e2e.cramped STORY ROOT ARGUMENT...

The disk is a tmpfs of the kernel's, mounted over a folder of the project in a mount namespace of the process' own: it
is as full as any disk can be, and gone with the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.command import Project
from tests.e2e.test_kill_at_every_step import project_in, truth_of
from tieout.base.errors import TieoutError
from tieout.base.step import Passing, unobserved
from tieout.ledger.facts import Ran
from tieout.run.clock import SystemClock
from tieout.run.house import House, opened
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.worker import Worker
from tieout.ui import logs

_ROOM = "size=256m"
STORES = """project: kills
landing: ./landing
ledger: sqlite:///./book/ledger.sqlite
warehouse: duckdb:///./house/warehouse.duckdb
sources:
  erp: {type: changes, path: ./inbox}
"""
"""A project with a folder for each store, so that each may lie on a disk of its own."""


class HastyClock(SystemClock):
    """Time passes at once while somebody waits, so that what is tried a hundred times is tried at once."""

    def __init__(self) -> None:
        super().__init__()
        self._slept = timedelta()

    def now(self) -> datetime:
        return super().now() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += timedelta(seconds=seconds)


def hasty_run(root: Path, *, clock: HastyClock | None = None, passing: Passing = unobserved) -> Outcome:
    """What `tieout run --once` does."""
    with opened(load_project(root, environ=os.environ), clock or HastyClock(), passing=passing) as house:
        (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
    return outcome


def on_a_disk_of_its_own(story: str, root: Path, *arguments: object) -> Any:
    """What a story of this module comes to, told in a process with mounts of its own."""
    here = Path(__file__).parents[2]
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    command = [*own, sys.executable, "-m", "tests.e2e.cramped", story, str(root), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here / "src"), str(here)])}
    ended = subprocess.run(command, cwd=here, env=environment, timeout=90, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def _mounted(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=700", "tieout", str(folder)], check=True)


def _remounted(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def _project(root: Path) -> Path:
    project_in(root)
    (root / "tieout.yaml").write_text(STORES)
    return root


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "hint": outcome.hint,
        "code": outcome.exit_code,
        "received": outcome.received,
    }


def _run(root: Path) -> dict[str, Any]:
    """A pass, as the command answers it: a ledger that cannot be opened ends the command with its own error."""
    try:
        return _told(hasty_run(root))
    except TieoutError as error:
        return {"outcome": "error", "reason": error.message, "hint": error.hint, "code": type(error).__name__}


def full(root: Path, folder: str, *sizes: str) -> list[dict[str, Any]]:
    """For each size: one pass over a project whose `folder` lies on so small a disk, and one when there is room."""
    stories = []
    for size in sizes:
        project = _project(root / size)
        (project / folder).mkdir()
        _mounted(project / folder, f"size={size}")
        cramped = _run(project)
        status = Project(project, within=True).tieout("status", "--json")
        _remounted(project / folder, _ROOM)
        after = _run(project)
        stories.append(
            {
                "size": size,
                "cramped": cramped,
                "lanes": json.loads(status.out).get("lanes"),
                "after": after,
                "truth": repr(truth_of(project)),
            }
        )
    return stories


class RoomLater(HastyClock):
    """The first time that somebody waits, somebody else makes room."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.waits += 1
        if self.waits == 1:
            _remounted(self._folder, _ROOM)


def full_while_running(root: Path, folder: str, size: str) -> dict[str, Any]:
    """A worker that never stops, whose disk is full when it begins: what its first and its last pass came to."""
    project = _project(root)
    (project / folder).mkdir()
    _mounted(project / folder, f"size={size}")
    clock = RoomLater(project / folder)
    with opened(load_project(project, environ=os.environ), clock) as house:
        worker = Worker(house, only=None, dice=Random(1))
        _checkpoint_early(worker)
        (last,) = worker.forever(lambda: clock.waits >= 30)
        reasons = _reasons(house)
    return {"reasons": reasons, "last": _told(last), "truth": repr(truth_of(project))}


def _checkpoint_early(worker: Worker) -> None:
    """DuckDB folds its log into its file when that has 16 MB; a small test has it do so sooner."""
    worker._warehouses.get()._connection.execute("set checkpoint_threshold = '16KB'")


def _reasons(house: House) -> list[str]:
    return [entry.fact.reason for entry in house.tools.ledger.entries(Ran) if isinstance(entry.fact, Ran)]


def read_only(root: Path, folder: str) -> dict[str, Any]:
    """A pass while `folder` may not be written to, after one that went well, and one when it may again."""
    project = _project(root)
    (project / folder).mkdir()
    _mounted(project / folder, _ROOM)
    held_back = (project / "inbox" / "part-1.ndjson").rename(project / "part-1.ndjson")
    _run(project)
    held_back.rename(project / "inbox" / "part-1.ndjson")
    _remounted(project / folder, f"ro,{_ROOM}")
    refused = _run(project)
    _remounted(project / folder, f"rw,{_ROOM}")
    after = _run(project)
    return {"refused": refused, "after": after, "truth": repr(truth_of(project))}


_STORIES = {"full": full, "full_while_running": full_while_running, "read_only": read_only}

if __name__ == "__main__":
    logs.configure()  # they go to stderr, the story to stdout
    json.dump(_STORIES[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:]), sys.stdout)  # type: ignore[operator]
