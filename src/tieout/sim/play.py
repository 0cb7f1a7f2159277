"""The live part of a demo: the shop is written to, the worker follows, and is killed and started again on the way.

One thread looks, kills and shows, in small steps; the writer has its own. Each wait has an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ..base.clock import Clock
from ..base.errors import Broken
from .chaos import Strike
from .crew import Crew
from .stage import Kill, Picture, Scene, Show
from .watch import Watch
from .writer import Writer

_STEP_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_CATCH_UP_SECONDS = 30.0
_SLACK_SECONDS = 180.0
"""Beyond what was wished for: for kills that wait for a batch, on a machine that is slow."""
_LOOKS_OF_PACE = 4


@dataclass(frozen=True, slots=True)
class Script:
    """What is to happen: `seconds` of live change, at least until the last strike has struck."""

    seed: int
    seconds: float
    strikes: tuple[Strike, ...]


class Play:
    """`writer`, `crew` and `watch` belong to the caller, who ends them."""

    def __init__(self, script: Script, *, writer: Writer, crew: Crew, watch: Watch, clock: Clock, show: Show) -> None:
        self._script = script
        self._writer = writer
        self._crew = crew
        self._watch = watch
        self._clock = clock
        self._show = show
        self._strikes = deque(script.strikes)
        self._began = self._started = self._looked = clock.now()
        self._batches_at_start = 0
        self._is_closing = False
        self._paces: deque[tuple[float, int]] = deque(maxlen=_LOOKS_OF_PACE)
        self._picture = Picture(Scene.READING, script.seed, seconds_wanted=script.seconds)

    def run(self) -> Picture:
        """From the first start of the worker to its end in order; returns how things stood then."""
        self._began = self._clock.now()
        self._start_workers()
        self._writer.start()
        for _ in self._steps(2 * self._script.seconds + _SLACK_SECONDS):
            if not self._strikes and self._seconds(self._began) >= self._script.seconds:
                break
            self._strike_if_due()
        else:
            raise Broken(
                f"after {self._seconds(self._began):.0f} s the worker was not yet killed as often as it should be.",
                hint="The machine may be too busy; try again.",
            )
        self._writer.stop()
        self._catch_up()
        self._crew.stop()
        return self._paint(pid=None)

    def _catch_up(self) -> None:
        """Lets the worker bring in what it has not: as people would, who look at the numbers."""
        self._is_closing = True
        self._paint(scene=Scene.CLOSING)
        for _ in self._steps(_CATCH_UP_SECONDS):
            if self._picture.warehouse == self._picture.source:
                return

    def _steps(self, seconds: float) -> Iterator[None]:
        """Yields every few hundredths of a second, as long as both sides work; looks now and then."""
        for _ in range(int(seconds / _STEP_SECONDS)):
            self._writer.check()
            self._crew.check()
            if self._seconds(self._looked) >= _LOOK_SECONDS:
                self._look()
            yield
            self._paint()
            self._clock.sleep(_STEP_SECONDS)

    def _start_workers(self) -> None:
        self._batches_at_start = self._watch.batches()
        self._crew.start()
        self._started = self._clock.now()
        self._paint(pid=self._crew.pid)

    def _strike_if_due(self) -> None:
        batches = self._watch.batches() - self._batches_at_start
        if not self._strikes or not self._strikes[0].is_due(seconds=self._seconds(self._started), batches=batches):
            return
        self._strikes.popleft()
        pid = self._crew.pid
        assert pid is not None, "a worker runs"
        self._crew.strike()
        kill = Kill(self._seconds(self._began), pid, self._scene(), self._watch.batches() - self._batches_at_start)
        self._paint(pid=None, kills=(*self._picture.kills, kill))
        self._start_workers()

    def _look(self) -> None:
        self._looked = self._clock.now()
        self._paces.append((self._seconds(self._began), self._writer.written.changes))
        (first, before), (last, now) = self._paces[0], self._paces[-1]
        pace = (now - before) / (last - first) if last > first else 0.0
        source, warehouse = self._watch.source_rows(), self._watch.warehouse_rows()
        batches = self._watch.batches()
        self._paint(scene=self._scene(), source=source, warehouse=warehouse, batches=batches, pace=pace)

    def _scene(self) -> Scene:
        if self._is_closing:
            return Scene.CLOSING
        return Scene.READING if self._watch.is_reading() else Scene.FOLLOWING

    def _paint(self, **new: object) -> Picture:
        written = self._writer.written
        counted = {"seconds": self._seconds(self._began), "deeds": written.deeds, "changes": written.changes}
        self._picture = replace(self._picture, **counted, **new)  # type: ignore[arg-type]
        self._show(self._picture)
        return self._picture

    def _seconds(self, since: datetime) -> float:
        return (self._clock.now() - since).total_seconds()
