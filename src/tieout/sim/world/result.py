"""What a run comes to, and how things stand within it for whoever looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Result:
    """`choices`: all that was drawn, which repeats the run; `invariant` is the one that was broken, "" where none was,
    and `violation` what was found; "error" is one too, where a program failed. `virtual_seconds` passed in the world;
    `points`: where processes were killed; `died_behind`: the last step of the route that those who died had come to;
    `sometimes`: what came about in it. `halted`: the run was to end at this step, and did."""

    seed: int
    choices: tuple[int, ...]
    steps: int
    virtual_seconds: float
    crashes: int
    faults: Mapping[str, int]
    points: Mapping[str, int]
    died_behind: Mapping[str, int]
    checks: Mapping[str, int]
    sometimes: Mapping[str, int]
    trace: str
    invariant: str = ""
    violation: str = ""
    last: tuple[str, ...] = field(default=())
    halted: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand at a step: `seconds` have passed in the world, `living` processes and others move, `checks`
    invariants were looked at, `told` is what the step was."""

    seed: int
    step: int
    seconds: float
    told: str
    living: tuple[str, ...]
    crashes: int
    faults: Mapping[str, int]
    checks: int


Watcher = Callable[[Callable[[], Moment]], None]
"""Called at every step with what tells how things stand, should it be asked."""


def unwatched(moment: Callable[[], Moment]) -> None:
    """Of a run that nobody looks at."""
