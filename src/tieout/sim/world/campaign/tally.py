"""What many seeds came to, summed: pure arithmetic over results, and the table that says when it proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ....base.step import Step
from ..algebra.running import AlgebraTotal
from ..faults import Fault
from ..result import Result

ALGEBRA: Final = "algebra"
"""What the statements of the merge's seeds are counted under."""
RULE_OF_THREE: Final = 3.0
"""No violation in n seeds says, at 95 %, that one in less than n / 3 seeds has one. It never says that none has."""
JUDGED_FROM: Final = 300
"""Seeds below which a campaign is too small to be called empty."""

FAULTS_PER_1000: Final[Mapping[str, int]] = dict.fromkeys(map(str, Fault), 20) | {
    str(Fault.LEDGER_OLD): 5,
    str(Fault.PAGE_SHORT): 10,
}
"""How often each kind has to strike in 1,000 seeds, or they prove nothing of it: a fifth of what was measured."""
DEATHS_PER_1000: Final[Mapping[str, int]] = dict.fromkeys(map(str, Step), 10) | {
    str(Step.MERGING): 5,
    str(Step.MERGED): 2,
    str(Step.SHADOWED): 0,
    str(Step.SWAPPED): 0,
}
"""How often a process has to die behind each step of the route, before it comes to the next. 0 for those of a rebuild:
few runs have one, and it is soon past them; tests/e2e kills there."""
SOMETIMES_PER_1000: Final[Mapping[str, int]] = {
    "adopted": 200,
    "certified_broken": 10,
    "disk_lost": 200,
    "drifted_added": 10,
    "freed": 5,
    "ran_failed": 20,
    "ran_partial": 200,
    "stuck": 5,
}
"""How often has to come about what else the seeds would be empty without."""
ALGEBRA_PER_1000: Final[Mapping[str, int]] = dict.fromkeys(
    (
        "ambiguous_tie", "doubled", "gap_closed", "gap_left_open", "hole_closed", "hole_left_open", "key_change",
        "late_image", "late_start", "never_open", "resurrection_attempt", "same_position_tie", "toast_image",
        "tried_again", "truncate", "truncate_killed", "undelete", "witness",
    ),
    30,
) | {"never_read": 2, "sweep_killed": 10}  # fmt: skip
"""How often has to come about what the seeds of the merge would be empty without."""


@dataclass(frozen=True, slots=True)
class Violation:
    """`step` is the last one of the run, and `last` are its last steps in words; `where` says whether it is a "kept"
    seed, a "seed" of the campaign, or one that ran "again"."""

    seed: int
    invariant: str
    message: str
    step: int
    where: str = "seed"
    last: tuple[str, ...] = ()
    choices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """`seeds` that were run for the bound; `points`: where processes were killed; `died_behind`: the last step that who
    died had come to; `checks` of invariants, by their names; `sometimes`: what else came about."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    steps: int = 0
    crashes: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    points: Mapping[str, int] = field(default_factory=dict)
    died_behind: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[str, int] = field(default_factory=dict)
    sometimes: Mapping[str, int] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()

    @property
    def bound(self) -> float | None:
        """The share of seeds that may have a violation for all we know, at 95 %. None where one was found."""
        return RULE_OF_THREE / self.seeds if self.seeds and not self.violations else None


def tally_of(result: Result) -> Tally:
    return Tally(
        seeds=1,
        virtual_seconds=result.virtual_seconds,
        steps=result.steps,
        crashes=result.crashes,
        faults=result.faults,
        points=result.points,
        died_behind=result.died_behind,
        checks=result.checks,
        sometimes=result.sometimes,
        violations=violations_of(result),
    )


def tally_of_algebra(total: AlgebraTotal) -> Tally:
    """Of seeds of the merge alone: there nothing fails, and no time passes."""
    violations = tuple(Violation(seed, ALGEBRA, told, step=0) for seed, told in total.violations.items())
    return Tally(
        seeds=total.seeds,
        steps=total.changes,
        checks={ALGEBRA: total.checks},
        sometimes=total.sometimes,
        violations=violations,
    )


def joined(one: Tally, other: Tally) -> Tally:
    return Tally(
        seeds=one.seeds + other.seeds,
        virtual_seconds=one.virtual_seconds + other.virtual_seconds,
        steps=one.steps + other.steps,
        crashes=one.crashes + other.crashes,
        faults=_added(one.faults, other.faults),
        points=_added(one.points, other.points),
        died_behind=_added(one.died_behind, other.died_behind),
        checks=_added(one.checks, other.checks),
        sometimes=_added(one.sometimes, other.sometimes),
        violations=(*one.violations, *other.violations),
    )


def violations_of(result: Result, where: str = "seed") -> tuple[Violation, ...]:
    if not result.invariant:
        return ()
    one = Violation(result.seed, result.invariant, result.violation, result.steps, where, result.last, result.choices)
    return (one,)


def never_hit(tally: Tally) -> tuple[str, ...]:
    """What came about too seldom for the seeds to prove anything of it, in words. Nothing of few seeds."""
    if tally.seeds < JUDGED_FROM:
        return ()
    if ALGEBRA in tally.checks:
        return tuple(_missed("sometimes", tally.sometimes, ALGEBRA_PER_1000, tally.seeds))
    return (
        *_missed("fault", tally.faults, FAULTS_PER_1000, tally.seeds),
        *_missed("death behind", tally.died_behind, DEATHS_PER_1000, tally.seeds),
        *_missed("sometimes", tally.sometimes, SOMETIMES_PER_1000, tally.seeds),
    )


def _missed(what: str, counts: Mapping[str, int], per_1000: Mapping[str, int], seeds: int) -> list[str]:
    needed = {name: max(1, least * seeds // 1000) for name, least in per_1000.items() if least}
    return [
        f"{what} {name}: {counts.get(name, 0)} of {least}"
        for name, least in sorted(needed.items())
        if counts.get(name, 0) < least
    ]


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted(one.keys() | other.keys())}
