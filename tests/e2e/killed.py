"""Runs one pass of a project's worker in this process, and kills the process dead, or stops it, at a named step.

python -m tests.e2e.killed PROJECT STEP NTH SIGNAL [STREAM]

With a stream, all that waits in its quarantine is released instead.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tieout.base.step import Passing, Step, unobserved
from tieout.base.stream import Stream
from tieout.run import settle
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.worker import Worker
from tieout.ui import logs


def run_once(root: Path, *, passing: Passing = unobserved) -> list[Outcome]:
    """What `tieout run --once` does."""
    with opened(load_project(root, environ=os.environ), SystemClock(), passing=passing) as house:
        return Worker(house, only=None, dice=Random(1)).once(lambda: False)


def release(root: Path, stream: str, *, passing: Passing = unobserved) -> int:
    """What `tieout quarantine release --stream` does."""
    with opened(load_project(root, environ=os.environ), SystemClock(), passing=passing) as house:
        return settle.release(house, Stream.parse(stream), (), by="ann")


def kill_at(root: Path, step: Step, nth: int = 1, *, releasing: str = "") -> int:
    """A pass, or a release, in a process of its own that dies at the step; returns how it ended."""
    with started(root, step, nth, signal.SIGKILL, releasing) as process:
        return process.wait(timeout=60)


@contextmanager
def stopped_at(root: Path, step: Step) -> Iterator[subprocess.Popen[bytes]]:
    """A pass in a process of its own that stands still at the step, until it is sent SIGCONT."""
    with started(root, step, 1, signal.SIGSTOP) as process:
        how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert how is not None
        assert how.si_code == os.CLD_STOPPED, f"{step} was not reached"
        yield process


@contextmanager
def started(
    root: Path, step: Step, nth: int, number: signal.Signals, *releasing: str
) -> Iterator[subprocess.Popen[bytes]]:
    here = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.e2e.killed", str(root), step.value, str(nth), number.name]
    command += filter(None, releasing)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here / "src"), str(here)])}
    process = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def sending_at(step: Step, nth: int, number: signal.Signals) -> Passing:
    """A listener that sends the process a signal, such as one without any goodbye, the `nth` time the step is
    reached."""
    left = nth

    def listen(passed: Step) -> None:
        nonlocal left
        left -= passed is step
        if passed is step and left == 0:
            os.kill(os.getpid(), number)

    return listen


def _main(root: str, step: str, nth: str, number: str, releasing: str = "") -> None:
    passing = sending_at(Step(step), int(nth), signal.Signals[number])
    if releasing:
        release(Path(root), releasing, passing=passing)
        return
    outcomes = run_once(Path(root), passing=passing)
    json.dump([[outcome.outcome, outcome.reason] for outcome in outcomes], sys.stdout)


if __name__ == "__main__":
    logs.configure()  # they go to stderr
    _main(*sys.argv[1:])
