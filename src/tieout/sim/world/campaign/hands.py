"""Many jobs over all cores: one process a core, one job at a time, so that of a process that dies it is known at what.

A process lives for some jobs and is then made anew, so that nothing can pile up in it. A job that takes too long ends
its process, which then has died.
"""

from __future__ import annotations

import faulthandler
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Final

import structlog

JOB_SECONDS_MAX: Final = 900.0
"""Of the real clock. A seed takes a few; whoever has used so many will not come to an end."""
_JOBS_OF_A_PROCESS: Final = 200


@dataclass(frozen=True, slots=True)
class Job:
    """`deed` is done in another process; `name` is what it is called if it fails."""

    name: str
    deed: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """A job without a result: its process died, or it ended of what it does not expect."""

    why: str


def cores() -> int:
    return len(os.sched_getaffinity(0))


def done(jobs: Iterable[Job], *, hands: int) -> Iterator[tuple[Job, Any]]:
    """Each job with what came of it, `Lost` where nothing did, as they end."""
    left = iter(jobs)
    with ExitStack() as stack:
        idle = [stack.enter_context(_Hand()) for _ in range(hands)]
        busy: dict[Future[Any], tuple[_Hand, Job]] = {}
        while True:  # bounded by the jobs
            for job in _first(left, len(idle)):
                hand = idle.pop()
                busy[hand.begin(job)] = hand, job
            if not busy:
                return
            ended, _ = wait(busy, return_when=FIRST_COMPLETED)
            for future in ended:
                hand, job = busy.pop(future)
                idle.append(hand)
                yield job, hand.took(future)


def _first(left: Iterator[Job], count: int) -> Iterator[Job]:
    for _, job in zip(range(count), left, strict=False):
        yield job


class _Hand:
    """One process at a time."""

    def __init__(self) -> None:
        self._pool = _pool()
        self._jobs = 0

    def __enter__(self) -> _Hand:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, job: Job) -> Future[Any]:
        if self._jobs >= _JOBS_OF_A_PROCESS:
            self._renew()
        self._jobs += 1
        return self._pool.submit(partial(_do, job.deed))

    def took(self, future: Future[Any]) -> Any:
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, BrokenProcessPool):
            self._renew()
            return Lost(f"its process died, or took more than {JOB_SECONDS_MAX:.0f} seconds")
        return Lost(f"it ended of {type(error).__name__}: {error}")

    def _renew(self) -> None:
        self._pool.shutdown()
        self._pool, self._jobs = _pool(), 0


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """A process is silent, as what tieout logs of simulated trouble is of no interest, and ends with who started it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(deed: Callable[[], Any]) -> Any:
    faulthandler.dump_traceback_later(JOB_SECONDS_MAX, exit=True)
    try:
        return deed()
    finally:
        faulthandler.cancel_dump_traceback_later()
