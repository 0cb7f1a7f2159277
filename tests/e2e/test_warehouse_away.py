"""A warehouse that is away costs freshness only: what the source says lands all the same, and merges later."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.e2e.test_kill_at_every_step import project_in, truth_of
from tieout.ledger.facts import Landed, Merged
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.worker import Worker

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


class HastyClock(SystemClock):
    """Time does not pass while somebody waits, so that what is tried a hundred times is tried at once."""

    def sleep(self, seconds: float) -> None:
        pass


def run_once(root: Path) -> Outcome:
    with opened(load_project(root, environ=os.environ), HastyClock()) as house:
        (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
    return outcome


@contextmanager
def held_by_another(warehouse: Path) -> Iterator[None]:
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", HOLD, str(warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate(timeout=30)


def batches_of(root: Path, kind: type) -> int:
    with opened(load_project(root, environ=os.environ), HastyClock()) as house:
        return sum(1 for _ in house.tools.ledger.entries(kind))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project_in(tmp_path)


def test_what_the_source_says_lands_while_another_process_holds_the_warehouse(root: Path, tmp_path: Path) -> None:
    with held_by_another(root / ".tieout" / "warehouse.duckdb"):
        while_held = run_once(root)
        landed, merged = batches_of(root, Landed), batches_of(root, Merged)
    afterwards = run_once(root)

    assert (while_held.outcome, while_held.exit_code) == ("partial", 3)
    assert while_held.received == 122
    assert (landed, merged) == (4, 0)
    assert (afterwards.outcome, afterwards.received, afterwards.merged) == ("complete", 0, 122)
    assert truth_of(root)["account"] is not None


def test_an_empty_file_that_a_killed_process_left_is_no_obstacle(root: Path) -> None:
    (root / ".tieout").mkdir()
    (root / ".tieout" / "warehouse.duckdb").touch()

    assert run_once(root).outcome == "complete"


def test_a_new_ledger_learns_from_the_warehouse_what_is_merged_and_when(root: Path) -> None:
    run_once(root)
    before = merged_at(root)
    for file in (root / ".tieout").glob("ledger.sqlite*"):
        file.unlink()

    run_once(root)

    assert merged_at(root) == before


def merged_at(root: Path) -> dict[str, object]:
    with opened(load_project(root, environ=os.environ), HastyClock()) as house:
        return dict(house.tools.ledger.merged("erp"))
