"""What is done with one seed in a process of its own: it is run, with a bug in it or without, and shrunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..algebra.running import AlgebraTotal, run_seeds
from ..result import Result
from ..run import run
from .planting import Caught, Level, first_seed, known, planted
from .shrink import SECONDS_MAX, Shrunk, shrink
from .tally import ALGEBRA

SEEDS_TO_CATCH_MAX: Final[Mapping[Level, int]] = {Level.SYSTEM: 40, Level.ALGEBRA: 5_000}
"""Seeds after which a planted bug counts as missed."""
_IN_MEMORY: Final = Path("/dev/shm")
"""Where there is one, no run waits for a disk: power cuts are the simulated disk's, and that stands in memory."""


@contextmanager
def folder() -> Iterator[Path]:
    """An empty one, gone afterwards."""
    with TemporaryDirectory(prefix="tieout-seed-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as scratch:
        yield Path(scratch)


def kept_seeds() -> tuple[int, ...]:
    """Those of `seeds.txt`."""
    lines = files(__package__).joinpath("seeds.txt").read_text(encoding="utf-8").splitlines()
    return tuple(int(line.split()[0]) for line in lines if line and not line.startswith("#"))


def run_seed(seed: int, plant: str | None = None) -> Result:
    """A run of a campaign: of one that ended well nothing is kept that would repeat it, as its seed does."""
    with folder() as scratch, planted(Level.SYSTEM, plant):
        result = run(seed, scratch)
    return result if result.invariant else replace(result, choices=(), last=())


def run_algebra(first: int, count: int, plant: str | None = None) -> AlgebraTotal:
    with planted(Level.ALGEBRA, plant):
        return run_seeds(first, count)


def catch(level: Level, name: str) -> Caught:
    """Plants a bug, and runs seeds until one breaks an invariant by it."""
    first, says, most = first_seed(level, name), known(level)[name].says, SEEDS_TO_CATCH_MAX[level]
    run_one = _violation_of_algebra if level is Level.ALGEBRA else _violation_of_system
    for tried in range(1, most + 1):
        seed = first + tried - 1
        if invariant := run_one(seed, name):
            return Caught(name, says, seed, invariant, tried)
    return Caught(name, says, None, "", most)


def shrink_seed(found: Result, plant: str | None, *, seconds: float = SECONDS_MAX) -> Shrunk:
    """Fewer and lower choices by which the run breaks the same invariant."""

    def again(choices: Sequence[int]) -> Result:
        with folder() as scratch, planted(Level.SYSTEM, plant):
            return run(found.seed, scratch, replay=choices)

    return shrink(again, found, seconds=seconds)


def _violation_of_system(seed: int, plant: str) -> str:
    return run_seed(seed, plant).invariant


def _violation_of_algebra(seed: int, plant: str) -> str:
    return ALGEBRA if run_algebra(seed, 1, plant).violations else ""
