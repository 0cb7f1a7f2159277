"""Runs one pass of a project's worker in this process, and kills the process dead at a named step.

python -m tests.e2e.killed PROJECT STEP NTH
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from tieout.base.step import Passing, Step, unobserved
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.project import load_project
from tieout.run.worker import Outcome, Worker


def run_once(root: Path, *, passing: Passing = unobserved) -> list[Outcome]:
    """What `tieout run --once` does."""
    with opened(load_project(root, environ=os.environ), SystemClock(), passing=passing) as house:
        return Worker(house, only=None, dice=Random(1)).once(lambda: False)


def kill_at(root: Path, step: Step, nth: int = 1) -> int:
    """A pass in a process of its own that dies at the step; returns how it ended."""
    here = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.e2e.killed", str(root), step.value, str(nth)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here / "src"), str(here)])}
    return subprocess.run(command, cwd=here, env=environment, timeout=60, check=False).returncode


def killing_at(step: Step, nth: int) -> Passing:
    """A listener that ends the process, without any of its goodbyes, the `nth` time the step is reached."""
    left = nth

    def listen(passed: Step) -> None:
        nonlocal left
        left -= passed is step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return listen


if __name__ == "__main__":
    run_once(Path(sys.argv[1]), passing=killing_at(Step(sys.argv[2]), int(sys.argv[3])))
