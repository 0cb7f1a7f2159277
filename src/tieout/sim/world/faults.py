"""The faults of a run: which kinds there are, which of them this run has and how often, and how they strike.

Each run has some kinds and not the others, at rates of its own, so that what is rare together comes about as well. Some
strike a process at a point that it reaches (`Fate`), the others strike the world (`world.py` has their deeds).
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from ...base.errors import Transient
from .chance import Chance
from .machine.stage import Actor


class Fault(StrEnum):
    """What may go wrong. `OPERATED` is no fault but somebody who has the machine to himself for a while."""

    KILL = "kill"
    PAUSE = "pause"
    AWAY = "away"
    REPLY_LOST = "reply_lost"
    DISK_FULL = "disk_full"
    DISK_REPLY_LOST = "disk_reply_lost"
    POWER_CUT = "power_cut"
    CLOCK_JUMP = "clock_jump"
    LEDGER_LOST = "ledger_lost"
    LEDGER_OLD = "ledger_old"
    WAREHOUSE_LOST = "warehouse_lost"
    SLOT_DROPPED = "slot_dropped"
    SLOT_REMADE = "slot_remade"
    THROTTLED = "throttled"
    PAGE_SHORT = "page_short"
    DRIFT = "drift"
    BIT_FLIPPED = "bit_flipped"
    OPERATED = "operated"


AT_POINTS: Final[Mapping[Fault, tuple[float, ...]]] = {
    Fault.KILL: (0.0005, 0.002, 0.006),
    Fault.PAUSE: (0.0005, 0.002, 0.005),
    Fault.AWAY: (0.001, 0.004, 0.01),
    Fault.REPLY_LOST: (0.001, 0.004, 0.01),
    Fault.DISK_FULL: (0.001, 0.005),
    Fault.DISK_REPLY_LOST: (0.001, 0.005),
    Fault.POWER_CUT: (0.0003, 0.001, 0.002),
}
"""Those that strike at a point, and the odds at each point from which a run draws its own."""

PAUSE_SECONDS: Final = (1.0, 20.0, 100.0, 300.0)
"""How long a process stands still; a lease lasts 90."""

_WEIGHT_OF_STEPS: Final = 3.0
"""A step of the route is a point of the crash table, and one of a hundred that a process reaches."""
_CUT_OFF: Final = ("ledger.", "warehouse.", "log.", "poll.", "inbox.")
_BEFORE, _AFTER = ".before", ".after"
_REFUSING: Final = (Fault.AWAY, Fault.REPLY_LOST, Fault.DISK_FULL, Fault.DISK_REPLY_LOST)


@dataclass(frozen=True, slots=True)
class Swarm:
    """What this run has: odds by kind for those that strike at points, and which of the others there are."""

    odds: Mapping[Fault, float]
    of_world: tuple[Fault, ...]

    @classmethod
    def drawn(cls, chance: Chance) -> Swarm:
        odds = {fault: chance.pick((0.0, *rates)) for fault, rates in AT_POINTS.items()}
        others = [fault for fault in Fault if fault not in AT_POINTS]
        return cls(
            {fault: rate for fault, rate in odds.items() if rate}, tuple(one for one in others if chance.happens(0.5))
        )


class Struck(Protocol):
    """What a fault does that strikes more than one process."""

    def kill(self, actor: Actor) -> None: ...

    def pause(self, actor: Actor, seconds: float) -> None: ...

    def power_cut(self) -> None: ...

    def note(self, what: str) -> None: ...


class Fate:
    """Decides at each point whether something strikes. `counts`: of what did, by kind; `at`: where processes died."""

    def __init__(self, chance: Chance, swarm: Swarm, struck: Struck, mortal: Callable[[Actor], bool]) -> None:
        self.counts: Counter[Fault] = Counter()
        self.at: Counter[str] = Counter()
        self.is_on = True
        self._chance = chance
        self._swarm = swarm
        self._struck = struck
        self._mortal = mortal
        self._odds = sum(swarm.odds.values())

    def __call__(self, actor: Actor, point: str) -> None:
        """Asked as an actor reaches a point. Raises what a neighbour's failure raises there."""
        if not self.is_on or not self._mortal(actor):
            return
        odds = self._odds * (_WEIGHT_OF_STEPS if point.startswith("step.") else 1.0)
        if not self._chance.happens(min(odds, 1.0)):
            return
        fault = self._drawn()
        if fault in _REFUSING and not _refuses(fault, point):
            return
        self.counts[fault] += 1
        self._struck.note(f"{fault} strikes {actor.name}")
        match fault:
            case Fault.KILL:
                self.at[point] += 1
                self._struck.kill(actor)
            case Fault.PAUSE:
                self._struck.pause(actor, self._chance.pick(PAUSE_SECONDS))
            case Fault.POWER_CUT:
                self._struck.power_cut()
            case Fault.AWAY | Fault.REPLY_LOST:
                raise Transient(f"simulated: {point} fails.")
            case _:
                code = errno.ENOSPC if fault is Fault.DISK_FULL else errno.EIO
                raise OSError(code, f"simulated: {point} fails")

    def _drawn(self) -> Fault:
        """One of the kinds, each as often as its odds say."""
        grains = [(fault, max(1, round(odds * 100_000))) for fault, odds in self._swarm.odds.items()]
        drawn = self._chance.below(sum(grain for _, grain in grains))
        for fault, grain in grains:
            if drawn < grain:
                return fault
            drawn -= grain
        raise AssertionError("the grains add up")


def _refuses(fault: Fault, point: str) -> bool:
    """Whether the neighbour at this point is one that can fail in this way."""
    behind = fault in (Fault.REPLY_LOST, Fault.DISK_REPLY_LOST)
    here = _CUT_OFF if fault in (Fault.AWAY, Fault.REPLY_LOST) else ("disk.",)
    return point.startswith(here) and not point.endswith(_BEFORE if behind else _AFTER)
