"""A campaign: many seeds over all cores, those first that once failed, some of them twice, and the planted bugs.

It proves something only if what it is about came about: `tally.never_hit` says what did not.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from ..result import Result
from .hands import Job, Lost, cores, done
from .planting import Caught, Level, known
from .seeds import catch, kept_seeds, run_algebra, run_seed
from .tally import Tally, Violation, joined, never_hit, tally_of, tally_of_algebra, violations_of
from .wishes import Wish

LOST: Final = "process"
"""The invariant of a seed that has no result."""
UNEQUAL: Final = "determinism"
"""The invariant of a seed that ran twice and was not the same."""
ONE_IN: Final = 100
"""Of so many seeds one runs twice."""
ALGEBRA_CHUNK: Final = 500
"""Seeds of the merge that are one job."""
_VERSIONS: Final = ("tieout", "duckdb", "pyarrow")


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `whole` jobs are done; `tally` is what they came to."""

    done: int
    whole: int
    tally: Tally
    caught: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """`kept` seeds ran besides those of the tally, and `repeated` of it ran twice; `empty`: what came about too seldom;
    `seconds` of the real clock."""

    wish: Wish
    tally: Tally
    kept: int
    repeated: int
    bugs: tuple[Caught, ...]
    empty: tuple[str, ...]
    seconds: float
    cores: int
    versions: Mapping[str, str]

    @property
    def missed(self) -> tuple[Caught, ...]:
        """The planted bugs that nothing caught."""
        return tuple(bug for bug in self.bugs if bug.seed is None)

    @property
    def exit_code(self) -> int:
        """0 where nothing was violated, 1 where something was, 3 where that proves less than it claims."""
        if self.tally.violations:
            return 1
        return 3 if self.empty or self.missed else 0


Show = Callable[[Progress], None]


def campaign(wish: Wish, show: Show = lambda progress: None) -> Campaign:
    began = time.monotonic()
    work = _Work(wish, show)
    work.run()
    # By seed, and not as they came: the same campaign gives the same document.
    found = sorted(work.tally.violations, key=lambda one: (one.where, one.seed))
    tally = replace(work.tally, violations=tuple(found))
    return Campaign(
        wish=wish,
        tally=tally,
        kept=len(work.kept),
        repeated=len(work.traces),
        bugs=tuple(sorted(work.bugs, key=lambda bug: bug.name)),
        empty=() if wish.plant else never_hit(tally),
        seconds=time.monotonic() - began,
        cores=work.hands,
        versions={"python": platform.python_version()} | {name: version(name) for name in _VERSIONS},
    )


class _Work:
    def __init__(self, wish: Wish, show: Show) -> None:
        self.wish = wish
        self.hands = wish.hands or cores()
        self.tally = Tally()
        self.bugs: list[Caught] = []
        self.kept = () if wish.level is Level.ALGEBRA or wish.plant else kept_seeds()
        self.seeds = range(wish.first, wish.first + wish.seeds)
        self.traces: dict[int, str] = {}
        self._show = show
        self._done = 0

    def run(self) -> None:
        for job, came in done(self._jobs(), hands=self.hands):
            self._take(job, came)
        again = [self._seed_job("again", seed) for seed in self._twice()]
        # Other processes than those before: a set's order must not matter either.
        for job, came in done(again, hands=self.hands):
            self._take(job, came)

    def _jobs(self) -> Iterator[Job]:
        yield from (self._seed_job("kept", seed) for seed in self.kept)
        yield from self._seed_jobs()
        if self.wish.bugs:
            for name in known(self.wish.level):
                yield Job(f"bug {name}", partial(catch, self.wish.level, name))

    def _seed_jobs(self) -> Iterable[Job]:
        wish = self.wish
        if wish.level is Level.SYSTEM:
            return (self._seed_job("seed", seed) for seed in self.seeds)
        chunks = (self.seeds[at : at + ALGEBRA_CHUNK] for at in range(0, wish.seeds, ALGEBRA_CHUNK))
        return (
            Job(f"seed {chunk.start}", partial(run_algebra, chunk.start, len(chunk), wish.plant)) for chunk in chunks
        )

    def _seed_job(self, where: str, seed: int) -> Job:
        return Job(f"{where} {seed}", partial(run_seed, seed, self.wish.plant))

    def _twice(self) -> list[int]:
        return [] if self.wish.level is Level.ALGEBRA else list(self.seeds[::ONE_IN])

    def _take(self, job: Job, came: Any) -> None:
        where, _, name = job.name.partition(" ")
        match came:
            case Caught():
                self.bugs.append(came)
            case Lost(why) if where == "bug":
                self.bugs.append(Caught(name, known(self.wish.level)[name].says, None, why, 0))
            case Lost(why):
                self._violated(Violation(int(name), LOST, f"{LOST}: {why}", step=0, where=where))
            case Result() if where == "seed":
                self.tally = joined(self.tally, tally_of(came))
                if came.seed in self.seeds[::ONE_IN]:
                    self.traces[came.seed] = came.trace
            case Result() if where == "again":
                self._compare(came)
            case Result():
                self._violated(*violations_of(came, where))
            case _:
                self.tally = joined(self.tally, tally_of_algebra(came))
        self._done += 1
        caught = sum(1 for bug in self.bugs if bug.seed is not None)
        self._show(Progress(self._done, self._whole(), self.tally, caught))

    def _compare(self, again: Result) -> None:
        first = self.traces.get(again.seed, again.trace)
        if first != again.trace:
            told = f"{UNEQUAL}: it ran twice, and its traces are {first} and {again.trace}"
            self._violated(Violation(again.seed, UNEQUAL, told, again.steps, "again", again.last))

    def _violated(self, *found: Violation) -> None:
        self.tally = replace(self.tally, violations=(*self.tally.violations, *found))

    def _whole(self) -> int:
        bugs = len(known(self.wish.level)) if self.wish.bugs else 0
        seeds = self.wish.seeds if self.wish.level is Level.SYSTEM else -(-self.wish.seeds // ALGEBRA_CHUNK)
        return len(self.kept) + seeds + bugs + len(self._twice())
