"""A clock that jumps: order comes from the source, leases from the ledger's clock, and no work waits for the hour to
come again."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.command import Project
from tests.e2e.cramped import HastyClock, hasty_run
from tests.e2e.test_kill_at_every_step import ROUTE, project_in, truth_of
from tieout.base.step import Step
from tieout.run.house import opened
from tieout.run.project import load_project
from tieout.run.worker import Worker

BACK, AHEAD = timedelta(hours=-1), timedelta(days=1)


class JumpyClock(HastyClock):
    """Each time that one of these steps is passed, somebody sets the clock."""

    def __init__(self, jump: timedelta, *steps: Step) -> None:
        super().__init__()
        self._jump = jump
        self._steps = steps
        self._away = timedelta()
        self.naps = 0

    def now(self) -> datetime:
        return super().now() + self._away

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.naps += 1

    def listen(self, step: Step) -> None:
        if step in self._steps:
            self._away += self._jump


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = project_in(tmp_path_factory.mktemp("undisturbed"))
    hasty_run(root)
    return truth_of(root)


@pytest.mark.parametrize("jump", [BACK, AHEAD], ids=["back", "ahead"])
@pytest.mark.parametrize("steps", [*([step] for step in ROUTE), ROUTE], ids=[*ROUTE, "each"])
def test_a_clock_that_jumps_between_two_steps_changes_nothing(
    steps: list[Step], jump: timedelta, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """Fault 76: at each step, and during the lease that was taken before it."""
    root = project_in(tmp_path)
    clock = JumpyClock(jump, *steps)

    outcome = hasty_run(root, clock=clock, passing=clock.listen)

    assert outcome.outcome == "complete"
    assert clock.naps == 0
    assert truth_of(root) == undisturbed


@pytest.mark.parametrize("jump", [BACK, AHEAD], ids=["back", "ahead"])
def test_a_worker_that_goes_on_neither_idles_nor_hurries_when_the_clock_jumps(jump: timedelta, tmp_path: Path) -> None:
    """Fault 76: what appears after the jump is merged within the second, as ever, and no loop runs hot."""
    root = project_in(tmp_path)
    clock = JumpyClock(jump, Step.NOTED)
    late = root / "inbox" / "part-1.ndjson"
    held_back = late.rename(root / "late")
    passes = 0

    def stopping() -> bool:
        nonlocal passes
        passes += 1
        if passes == 5:
            held_back.rename(late)
        return passes > 25

    with opened(load_project(root, environ=os.environ), clock, passing=clock.listen) as house:
        (last,) = Worker(house, only=None, dice=Random(1)).forever(stopping)

    assert (last.outcome, last.received, last.merged) == ("complete", 122, 122)
    assert 20 <= clock.naps <= 25


def test_nothing_is_read_before_it_happened(tmp_path: Path) -> None:
    """Faults 76 and 78: our clock lags an hour behind the source's, and freshness is not negative."""
    root = project_in(tmp_path)
    clock = JumpyClock(BACK, Step.SEALED)

    hasty_run(root, clock=clock, passing=clock.listen)

    told = [one["freshness"] for one in Project(root, within=True).json("status")["streams"]]
    seconds = [one[name] for one in told for name in ("p50_seconds", "p95_seconds") if one[name] is not None]
    assert seconds
    assert min(seconds) >= 0
