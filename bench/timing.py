"""How a deed is timed: in turns with its floor, in one process, several times, and what came of it is compared.

A machine that is shared, or that throttles, slows both of a pair alike; so the ratio to the floor is the figure to
trust, CPU before wall. A pair whose two sides did not bring about the same content is no measurement, and fails.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType

from tieout.base.errors import Broken

_MEMORY_RESET = Path("/proc/self/clear_refs")
_MEMORY = Path("/proc/self/status")
_MIB_IN_KIB = 1024


@dataclass(slots=True)
class Watch:
    """Times what stands in its `with`; preparing and checking stay outside. `cpu` is of this process, all threads, and
    of processes that it started and that ended meanwhile.

    `peak` is the most memory the process had meanwhile, in MiB, its input and what allocators keep of earlier turns
    included; None where the system does not say.
    """

    wall: float = 0.0
    cpu: float = 0.0
    peak: float | None = None
    _began: tuple[float, float] = field(default=(0.0, 0.0), repr=False)

    def __enter__(self) -> None:
        gc.collect()
        _forget_peak()
        self._began = (time.perf_counter(), _cpu())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall = time.perf_counter() - self._began[0]
        self.cpu = _cpu() - self._began[1]
        self.peak = _peak()


Content = tuple[object, ...]
"""What a side brought about, in a form that can be compared: counts and sums."""

Side = Callable[[Watch], Content]
"""Prepares, does the deed within the watch, and says what came of it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Both sides, over the same data."""

    subject: Side
    floor: Side


@dataclass(frozen=True, slots=True)
class Pair:
    """`guess` is the ratio in CPU that was expected on paper before anything was measured; it is never corrected."""

    name: str
    rows: int
    guess: float
    floor: str
    trial: Callable[[int], AbstractContextManager[Trial]]


@dataclass(frozen=True, slots=True)
class Spread:
    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(min(values), median(values), max(values))

    def to_json(self) -> list[float]:
        return [round(value, 4) for value in (self.least, self.middle, self.most)]

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f}-{self.most:.2f})"


@dataclass(frozen=True, slots=True)
class Measured:
    """The turns of one pair, in their order."""

    pair: Pair
    rows: int
    subject: tuple[Watch, ...]
    floor: tuple[Watch, ...]
    content: Content

    @property
    def wall_ratio(self) -> Spread:
        return Spread.of([one.wall / other.wall for one, other in zip(self.subject, self.floor, strict=True)])

    @property
    def cpu_ratio(self) -> Spread:
        return Spread.of([one.cpu / other.cpu for one, other in zip(self.subject, self.floor, strict=True)])


def measure(pair: Pair, *, rows: int, repeats: int) -> Measured:
    """Takes turns: subject first, then floor first, and so on. Raises Broken when their contents differ."""
    watches: dict[str, list[Watch]] = {"subject": [], "floor": []}
    contents: list[Content] = []
    with pair.trial(rows) as trial:
        sides = [("subject", trial.subject), ("floor", trial.floor)]
        for turn in range(repeats):
            for name, side in sides if turn % 2 == 0 else reversed(sides):
                watch = Watch()
                contents.append(side(watch))
                watches[name].append(watch)
    if len(set(contents)) != 1:
        raise Broken(f"bench {pair.name}: subject and floor do not agree on what they did: {set(contents)}.")
    return Measured(pair, rows, tuple(watches["subject"]), tuple(watches["floor"]), contents[0])


def walls(watches: Sequence[Watch]) -> Spread:
    return Spread.of([watch.wall for watch in watches])


def cpus(watches: Sequence[Watch]) -> Spread:
    return Spread.of([watch.cpu for watch in watches])


def peak(watches: Sequence[Watch]) -> float | None:
    return max((watch.peak for watch in watches if watch.peak is not None), default=None)


def _cpu() -> float:
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _forget_peak() -> None:
    """Linux starts the high-water mark anew when asked; elsewhere there is no peak to report."""
    if _MEMORY_RESET.exists():
        _MEMORY_RESET.write_text("5")


def _peak() -> float | None:
    if not _MEMORY_RESET.exists():
        return None
    lines = (line.split() for line in _MEMORY.read_text().splitlines())
    return next((int(words[1]) / _MIB_IN_KIB for words in lines if words[:1] == ["VmHWM:"]), None)
