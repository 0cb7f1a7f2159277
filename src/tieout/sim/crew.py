"""The workers of a demo: as many processes as its place has, killed one at a time and started again."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..base.errors import Broken
from .worker import WorkerProcess


class Crew:
    """`workers` are of one project. Whoever was killed last is the last to be killed again."""

    def __init__(self, workers: Sequence[WorkerProcess]) -> None:
        self._workers = deque(workers)

    @classmethod
    def of(cls, project: Path, scratch: Path, *, workers: int, environment: Mapping[str, str]) -> Crew:
        """So many, of the project in this folder; what they say goes to files in `scratch`."""
        return cls([WorkerProcess(project, scratch / f"worker{at}.log", environment) for at in range(workers)])

    @property
    def pid(self) -> int | None:
        """Of the one that is killed next."""
        return self._workers[0].pid

    def start(self) -> None:
        """All that do not run."""
        for worker in self._workers:
            if worker.pid is None:
                worker.start()

    def strike(self) -> None:
        """Kills one, with SIGKILL."""
        self._workers[0].kill()
        self._workers.rotate(-1)

    def kill(self) -> None:
        """All of them."""
        for worker in self._workers:
            worker.kill()

    def stop(self) -> None:
        """All of them, in order. Raises Broken when one does not end."""
        if any(worker.pid is None for worker in self._workers):
            raise Broken("no worker runs.")
        for worker in self._workers:
            worker.stop()

    def check(self) -> None:
        """Raises Broken when one has ended by itself."""
        for worker in self._workers:
            worker.check()
