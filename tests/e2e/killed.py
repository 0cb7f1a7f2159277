"""One pass of a project's worker in a process of its own, that kills itself dead, or stops, at a named step.

python -m tests.e2e.killed PROJECT STEP

stops at the step. To be killed, a process is forked from one that has imported all of it: that spares it a second.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

from tieout.base.step import Passing, Step, unobserved
from tieout.base.stream import Stream
from tieout.run import settle
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.worker import Worker
from tieout.ui import logs

_SECONDS = 60.0

_WITHOUT_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "OPENBLAS_NUM_THREADS": "1"}
"""What is imported shall begin none: a fork beside a thread may inherit a lock that nobody opens any more."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


def run_once(root: Path, *, passing: Passing = unobserved) -> list[Outcome]:
    """What `tieout run --once` does."""
    with opened(load_project(root, environ=os.environ), SystemClock(), passing=passing) as house:
        return Worker(house, only=None, dice=Random(1)).once(lambda: False)


def release(root: Path, stream: str, *, passing: Passing = unobserved) -> int:
    """What `tieout quarantine release --stream` does."""
    with opened(load_project(root, environ=os.environ), SystemClock(), passing=passing) as house:
        return settle.release(house, Stream.parse(stream), (), by="ann")


def kill_at(root: Path, step: Step, nth: int = 1, *, releasing: str = "") -> int:
    """A pass, or a release of all that waits in the quarantine of the stream `releasing`, in a process of its own that
    dies at the step; returns how it ended."""
    process = _forks.Process(target=_work, args=(root, step, nth, releasing, dict(os.environ)))
    with patch.dict(os.environ, _WITHOUT_THREADS):  # of the first process, from which all others are forked
        process.start()
    try:
        process.join(timeout=_SECONDS)
        assert process.exitcode is not None, "it has not ended"
        return process.exitcode
    finally:
        process.kill()
        process.join()
        process.close()


@contextmanager
def stopped_at(root: Path, step: Step) -> Iterator[subprocess.Popen[bytes]]:
    """A pass in a process of its own that stands still at the step, until it is sent SIGCONT."""
    here = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.e2e.killed", str(root), step.value]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here / "src"), str(here)])}
    process = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE)
    try:
        how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert how is not None
        assert how.si_code == os.CLD_STOPPED, f"{step} was not reached"
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


def _work(root: Path, step: Step, nth: int, releasing: str, environment: Mapping[str, str]) -> None:
    assert len(list(Path(f"/proc/{os.getppid()}/task").iterdir())) == 1, "forked beside a thread"
    os.environ.clear()  # it is the one in which the first process was forked
    os.environ.update(environment)
    logs.configure()  # they go to stderr
    passing = sending_at(step, nth, signal.SIGKILL)
    if releasing:
        release(root, releasing, passing=passing)
    else:
        run_once(root, passing=passing)


def _main(root: str, step: str) -> None:
    outcomes = run_once(Path(root), passing=sending_at(Step(step), 1, signal.SIGSTOP))
    json.dump([[outcome.outcome, outcome.reason] for outcome in outcomes], sys.stdout)


if __name__ == "__main__":
    logs.configure()  # they go to stderr
    _main(*sys.argv[1:])
