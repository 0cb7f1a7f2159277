"""Several workers on one project, some of which have slept too long: no work is lost, and none counts twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cramped import HastyClock, hasty_run
from tests.e2e.killed import stopped_at
from tests.e2e.test_kill_at_every_step import ROUTE, project_in, truth_of
from tieout.base.cursor import Progress
from tieout.base.errors import Occupied
from tieout.base.step import Step
from tieout.capture.changes.source import ChangesSource
from tieout.capture.source import Bound, Captured, unbothered
from tieout.ledger.ledger import Holder
from tieout.run.house import opened
from tieout.run.keeping import LEASE_SECONDS
from tieout.run.project import load_project

FENCED = (Step.CAPTURED, Step.SEALED, Step.REGISTERING)
"""Where the sleeper holds what it is about to register. Of its spool it is robbed, which it tries again; and where it
has nothing to register, it merges what the other has landed, as it alone holds the warehouse."""


class TomorrowsClock(HastyClock):
    """A day later, when every lease of today has run out."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = project_in(tmp_path_factory.mktemp("undisturbed"))
    hasty_run(root)
    return truth_of(root)


@pytest.mark.parametrize("step", ROUTE)
def test_a_worker_that_slept_past_its_lease_is_fenced(step: Step, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Fault 55: stopped at each step by SIGSTOP, while another takes its lane over, and then woken."""
    root = project_in(tmp_path)

    with stopped_at(root, step) as sleeper:
        other = hasty_run(root, clock=TomorrowsClock())
        sleeper.send_signal(signal.SIGCONT)
        told, _ = sleeper.communicate(timeout=60)
    ((outcome, reason),) = json.loads(told)
    last = hasty_run(root, clock=TomorrowsClock())

    assert other.outcome == "partial"
    assert "holds the warehouse's file" in other.reason
    if step in FENCED:
        assert outcome == "partial"
        assert "taken over since fence" in reason
    assert last.outcome == "complete"
    assert truth_of(root) == undisturbed


def test_runs_that_begin_at_once_share_the_work_or_leave_it(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Fault 56: three real processes of the command line."""
    root = project_in(tmp_path)
    command = [sys.executable, "-m", "tieout", "run", "--once", "--json", "--project", str(root)]

    crowd = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in crowd]

    lanes = [json.loads(one)["lanes"][0] for one in said]
    assert {process.returncode for process in crowd} <= {0, 3}
    assert 0 in {process.returncode for process in crowd}
    assert sum(lane["received"] for lane in lanes) == 122
    assert all("holds the warehouse" in lane["reason"] for lane in lanes if lane["outcome"] == "partial")
    assert truth_of(root) == undisturbed


def test_a_lane_stays_in_the_hands_that_read_for_long_without_anything_to_land(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a transaction of millions of rows, of which nothing can be landed until all of it is there."""
    root, clock, another = project_in(tmp_path), HastyClock(), Holder("elsewhere", 1, "then")
    swift = ChangesSource.capture

    def slow(
        self: ChangesSource, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        for _ in range(10):
            clock.sleep(LEASE_SECONDS / 2)
            meanwhile()
            with opened(load_project(root, environ=os.environ), clock) as house, pytest.raises(Occupied):
                house.tools.ledger.lease("erp", another, seconds=LEASE_SECONDS, fence_min=1, is_dead=lambda _: False)
        yield from swift(self, progress, until=until)

    monkeypatch.setattr(ChangesSource, "capture", slow)

    outcome = hasty_run(root, clock=clock)

    assert (outcome.outcome, outcome.received) == ("complete", 122)
