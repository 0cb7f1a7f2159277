"""The live writer: does the shop's deeds at a steady pace, from a thread of its own, until it is told to stop."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import psycopg

from ..base.clock import Clock
from .deeds import Deeds
from .shop import Size

CHANGES_PER_SECOND = 400
_STEP_SECONDS = 0.02
_LONGEST_SECONDS = 24 * 3600.0
"""No demo is longer; a writer that nobody stops ends by itself."""


@dataclass(frozen=True, slots=True)
class Written:
    """What has been written so far. A deed is a transaction, rolled back ones too."""

    deeds: int = 0
    changes: int = 0


class Writer:
    """Writes to the shop at `url` from `start` to `stop`, or to `close` at the latest."""

    def __init__(self, url: str, size: Size, clock: Clock, *, seed: int, changes_per_second: int) -> None:
        self._url = url
        self._size = size
        self._clock = clock
        self._seed = seed
        self._pace = changes_per_second
        self._stopping = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._work: Future[None] | None = None
        self.written = Written()
        """Replaced whole after each deed, so that it may be read from any thread."""

    def start(self) -> None:
        self._work = self._thread.submit(self._write)

    def check(self) -> None:
        """Raises what the writer failed of, if it did."""
        if self._work is not None and self._work.done():
            self._work.result()

    def stop(self) -> None:
        """After the deed in hand. Raises what the writer failed of, if it did. Idempotent."""
        self.close()
        self.check()

    def close(self) -> None:
        """After the deed in hand, whatever became of it. Idempotent."""
        self._stopping.set()
        self._thread.shutdown(wait=True)

    def _write(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            deeds = Deeds(connection, self._size, seed=self._seed)
            self._keep_pace(deeds)

    def _keep_pace(self, deeds: Deeds) -> None:
        began = self._clock.now()
        for _ in range(int(_LONGEST_SECONDS / _STEP_SECONDS)):
            due = (self._clock.now() - began).total_seconds() * self._pace
            while self.written.changes < due and not self._stopping.is_set():
                changes = deeds.next()
                self.written = Written(self.written.deeds + 1, self.written.changes + changes)
            if self._stopping.wait(_STEP_SECONDS):
                return
