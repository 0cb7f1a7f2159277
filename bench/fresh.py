"""Freshness: how long after its commit in PostgreSQL a change can be queried, at a steady pace of changes.

No floor stands beside it, but the promise: at 250 changes a second, 95 of 100 within five seconds.

The guess, on paper. The worker looks once a second; a pass over 250 changes of five tables costs a tenth of a second
for each. So a change waits half a second and is merged within another: 1 s in the middle, 2 s at the 95th.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import yaml

from tieout.base.clock import Clock
from tieout.base.errors import Broken
from tieout.run.clock import SystemClock
from tieout.run.house import House, opened
from tieout.run.project import FILE, load_project
from tieout.run.serve import PatientReader
from tieout.run.status import report
from tieout.sim.server import PostgresServer
from tieout.sim.shop import FULL, SOURCE, TABLES, open_shop
from tieout.sim.watch import Watch
from tieout.sim.worker import WorkerProcess
from tieout.sim.writer import Writer

PACE = 250
SECONDS = 40.0
PROMISED_SECONDS = 5.0
_STEP_SECONDS = 0.2
_READING_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Fresh:
    """Of the stream that was worst: seconds from commit to queryable. `cpu_share`: of one core, by the worker."""

    changes: int
    p50_seconds: float
    p95_seconds: float
    cpu_share: float

    @property
    def is_kept(self) -> bool:
        return self.p95_seconds < PROMISED_SECONDS


def measure() -> Fresh:
    """A shop of 425,000 rows is read whole, then written to at the pace, and followed by a real worker."""
    with _shop() as (url, folder, house), ExitStack() as stack:
        clock = house.tools.clock
        worker = WorkerProcess(folder, folder / "worker.log")
        stack.callback(worker.kill)
        watch = stack.enter_context(closing(Watch(url, house)))
        writer = stack.enter_context(closing(Writer(url, FULL, clock, seed=1, changes_per_second=PACE)))
        worker.start()
        _wait(clock, worker, _READING_SECONDS_MAX, until=lambda: not watch.is_reading())
        before = _cpu_seconds(worker)
        writer.start()
        _wait(clock, worker, SECONDS, until=lambda: False)
        share = (_cpu_seconds(worker) - before) / SECONDS
        writer.stop()
        worker.stop()
        found = [stream.figures for stream in report(house, _reader(house), only=None).streams if stream.figures]
        worst = max(found, key=lambda figures: figures.freshness.p95_seconds or 0.0).freshness
    if worst.p50_seconds is None or worst.p95_seconds is None:
        raise Broken("bench fresh: nothing of what was written came through.")
    return Fresh(writer.written.changes, worst.p50_seconds, worst.p95_seconds, share)


@contextmanager
def _shop() -> Iterator[tuple[str, Path, House]]:
    with TemporaryDirectory(prefix="tieout-bench-") as scratch, PostgresServer(Path(scratch) / "data") as server:
        url = server.create_database(SOURCE)
        open_shop(url, FULL, seed=1)
        folder = Path(scratch) / "project"
        folder.mkdir()
        source = {"type": "postgres", "url": url, "tables": [f"public.{table}" for table in TABLES]}
        (folder / FILE).write_text(yaml.safe_dump({"project": SOURCE, "sources": {SOURCE: source}}))
        with opened(load_project(folder, environ={}), SystemClock()) as house:
            yield url, folder, house


def _wait(clock: Clock, worker: WorkerProcess, seconds: float, *, until: Callable[[], bool]) -> None:
    for _ in range(int(seconds / _STEP_SECONDS)):
        if until():
            return
        worker.check()
        clock.sleep(_STEP_SECONDS)


def _cpu_seconds(worker: WorkerProcess) -> float:
    times = psutil.Process(worker.pid).cpu_times()
    return float(times.user + times.system)


def _reader(house: House) -> PatientReader:
    return PatientReader(house.project.warehouse, house.tools.clock)
