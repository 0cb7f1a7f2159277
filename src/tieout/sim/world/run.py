"""One run: trouble, then calm, then a look at what is left. One seed is one run.

In trouble the company works, faults strike and a keeper starts anew what died. Then the company goes home, nothing
strikes any more, and tieout is given its time. At rest everything must agree (`rest.py`).
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import duckdb
import pyarrow as pa

from ...base.errors import TieoutError
from ...run.house import House
from ...run.outcome import Outcome
from ...run.worker import Worker
from .chance import Chance
from .company.systems import Habits
from .faults import Fate, Fault, Swarm
from .invariants import Invariants, Violated
from .lanes import HookedLane, LoggedLane, PolledLane, SimLane
from .machine.stage import Actor, Halted, Killed, Overrun, Stage
from .operator import DEEDS, give_up, let_go
from .rest import as_polled, at_rest
from .result import Moment, Result, Watcher, unwatched
from .sometimes import DISK_LOST, Sometimes
from .world import LANDING, THE_DISK_LOST, Circumstances, World

STEPS_MAX: Final = 60_000
"""Points of a run. The longest that ended well took a tenth of it."""
DATABASE_SHARE: Final = 16
"""One run of so many has the database; the others the rule."""
CALM_SECONDS_MAX: Final = 3_600.0
"""Simulated time in which all must have come to rest."""
FAILURES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    TieoutError,
    duckdb.Error,
    pa.ArrowException,
    sqlite3.Error,
)
"""What a process or the inspector may end of when a program is wrong. Those that a neighbour causes are met before."""
_DEEDS: Final = (4, 14)
_BUSY: Final = (0.0, 0.0, 0.005, 0.02)
"""The odds that the company acts just while a process is at a point: between a question and its answer."""
_BUSY_DEEDS_MAX: Final = 40
_PIECE_ROWS: Final = (20, 8, 3)
_COMPANY_SECONDS: Final = (0.3, 1.0, 3.0)
_KEEPER_SECONDS: Final = 3.0
_CALM_SECONDS: Final = 3.0
_TURN_SECONDS: Final = 1.0
_TURNS_MAX: Final = 600


def run(
    seed: int,
    folder: Path,
    *,
    replay: Sequence[int] | None = None,
    until: int | None = None,
    watch: Watcher = unwatched,
) -> Result:
    """Runs a seed, or such choices, in an empty folder of its own; where `until` is given, to this step."""
    chance = Chance(seed, replay=replay)
    play = _Play(seed, chance, folder, until, watch)
    invariant, violation, halted = "", "", False
    try:
        play.play()
    except Violated as wrong:
        invariant, violation = wrong.invariant, str(wrong)
    except Overrun as late:
        invariant, violation = "I14", f"I14: {late}"
    except Halted:
        halted = True
    except FAILURES as error:
        # Whoever met a broken invariant may have failed of something else on its way out.
        broken = play.invariants.broken
        invariant, violation = (broken.invariant, str(broken)) if broken else ("error", f"error: {_told(error)}")
    finally:
        play.stage.close()
    return replace(play.result(), invariant=invariant, violation=violation, halted=halted)


def _told(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}, {frame.name}: {error}"


class _Play:
    def __init__(self, seed: int, chance: Chance, folder: Path, until: int | None, watch: Watcher) -> None:
        self.seed = seed
        self.chance = chance
        self._until = until
        self._watch = watch
        self._is_halted = False
        self.stage = Stage(chance, switches=chance.pick((0.0, 0.02, 0.2)), steps_max=STEPS_MAX)
        self.invariants = Sometimes(
            is_durable=lambda path: self.world.disk.is_durable(path),
            is_merged=lambda stream, batch: self.world.is_merged(stream, batch),
            landing=LANDING,
            ledger=folder / "ledger.sqlite",
        )
        self.lanes = _lanes(chance, self.stage, self.invariants, folder)
        circumstances = Circumstances(
            workers=chance.pick((1, 1, 2)), is_shared=chance.happens(0.3), is_database=chance.below(DATABASE_SHARE) == 0
        )
        self.world = World(self.stage, chance, folder, self.lanes, circumstances, self.invariants)
        self.swarm = Swarm.drawn(chance)
        self.fate = Fate(chance, self.swarm, self.world, self.world.is_process)
        self.stage.fate = self._meet
        self._busy = chance.pick(_BUSY)
        self._busy_deeds = 0
        self.stage.heard = self._heard
        self.stage.stepping = self._stepping
        self.stage.watch = self._moved
        self._is_calm = False

    def play(self) -> None:
        company = self.stage.spawn("company", self._work)
        self.stage.spawn("keeper", self._keep)
        self.stage.run(lambda: company.ended)
        self._calm_down()
        self.stage.run(lambda: not self.world.living)
        self._settle()
        as_polled(self.world, self.lanes, self.invariants)
        at_rest(self.world, self.lanes, self.invariants)

    def result(self) -> Result:
        return Result(
            seed=self.seed,
            choices=tuple(self.chance.taken),
            steps=self.stage.steps,
            virtual_seconds=self.stage.now,
            crashes=self.world.crashes,
            faults={str(fault): count for fault, count in sorted(self.fate.counts.items())},
            points=dict(sorted(self.fate.at.items())),
            died_behind=dict(sorted(self.world.died_behind.items())),
            checks=dict(sorted(self.invariants.checks.items())),
            sometimes=dict(sorted(self.invariants.came.items())),
            trace=self.stage.trace,
            last=tuple(self.stage.last),
        )

    def moment(self) -> Moment:
        return Moment(
            seed=self.seed,
            step=self.stage.steps,
            seconds=self.stage.now,
            told=self.stage.last[-1],
            living=tuple(actor.name for actor in self.world.living),
            crashes=self.world.crashes,
            faults={str(fault): count for fault, count in sorted(self.fate.counts.items())},
            checks=self.invariants.checks.total(),
        )

    def _meet(self, actor: Actor, point: str) -> None:
        """What comes between as an actor reaches a point: the company's users, and its fate."""
        is_open = self.fate.is_on and self._busy_deeds < _BUSY_DEEDS_MAX and self.world.is_process(actor)
        if is_open and self.chance.happens(self._busy):
            self._busy_deeds += 1
            self.chance.pick(list(self.lanes.values())).act(self.chance, self.stage.now)
        self.fate(actor, point)

    def _moved(self) -> None:
        self.invariants.watch()
        if self._is_halted:
            raise Halted

    def _heard(self) -> None:
        self._watch(self.moment)
        if THE_DISK_LOST in self.stage.last[-1]:
            self.invariants.came[DISK_LOST] += 1

    def _stepping(self) -> None:
        if self._until is not None and self.stage.steps >= self._until:
            # As a machine that is switched off: whoever looks at the folder then finds it as it was.
            self._until, self._is_halted = None, True
            crashes = self.world.crashes
            self.world.kill_all()
            self.world.crashes = crashes
            raise Killed

    def _work(self) -> None:
        """The company, while there is trouble."""
        for _ in range(self.chance.between(*_DEEDS)):
            for lane in self.lanes.values():
                lane.act(self.chance, self.stage.now)
            self.stage.sleep(self.chance.seconds(self.chance.pick(_COMPANY_SECONDS)))

    def _keep(self) -> None:
        """Whoever keeps the machine: starts what died, and now and then something befalls it."""
        while not self._is_calm:  # bounded: the company's deeds end
            for fault in self.swarm.of_world:
                if not self._is_calm and self.chance.happens(0.15) and self._befall(fault):
                    self.fate.counts[fault] += 1
                    self.stage.note(f"{fault} has befallen the company")
            while not self._is_calm and len(self.world.living) < self.world.circumstances.workers:
                self.world.start_worker()
            self.stage.sleep(self.chance.seconds(_KEEPER_SECONDS))

    def _befall(self, fault: Fault) -> bool:
        """Lets a fault happen that strikes the world. False where it cannot."""
        world = self.world
        match fault:
            case Fault.CLOCK_JUMP:
                world.skew += self.chance.pick((-3600.0, -30.0, 30.0, 120.0, 86_400.0))
            case Fault.LEDGER_LOST:
                self._empty_machine()
                world.lose_ledger()
                self.invariants.ledger_lost()
            case Fault.LEDGER_OLD:
                if not world.has_backup or self.chance.happens(0.2):
                    world.keep_ledger()
                    return False
                self._empty_machine()
                if not world.restore_ledger():
                    return False
                self.invariants.ledger_lost()
            case Fault.WAREHOUSE_LOST:
                self._empty_machine()
                world.lose_warehouse()
                self.invariants.warehouse_lost()
            case Fault.BIT_FLIPPED:
                return world.flip_bit()
            case Fault.OPERATED:
                self._operate()
            case _:
                return self.chance.pick(list(self.lanes.values())).befall(fault, self.chance)
        return True

    def _operate(self) -> None:
        """Somebody has the machine to himself."""
        self.world.is_stopping = True
        name = self.chance.pick([one for one in DEEDS if one != "certify" or self.world.circumstances.is_database])
        for _ in range(_TURNS_MAX):
            if not self.world.living:
                break
            self.stage.sleep(_TURN_SECONDS)
        operator = self.world.start(name, DEEDS[name])
        for _ in range(_TURNS_MAX):
            if operator.ended:
                break
            self.stage.sleep(_TURN_SECONDS)
        self.world.is_stopping = self._is_calm

    def _empty_machine(self) -> None:
        """All processes die, and let go of their files."""
        self.world.kill_all()
        self.stage.sleep(0.001)

    def _calm_down(self) -> None:
        """Nothing strikes any more. Who was struck goes on for a while, and is then asked to stop."""
        self._is_calm = True
        self.fate.is_on = False
        self.world.disk.mend()
        self.world.restore_bits()
        for lane in self.lanes.values():
            lane.settle(self.stage.now)
        lasts = self.stage.now + self.chance.seconds(_CALM_SECONDS)
        if not self.world.living:
            self.world.start_worker()
        self.stage.run(lambda: self.stage.now >= lasts)
        self.world.is_stopping = True

    def _settle(self) -> None:
        """All that is due is done, and what waits in quarantine is let go or given up."""
        began = self.stage.now
        outcomes: list[Outcome] = []

        def once(house: House) -> None:
            outcomes.clear()
            outcomes.extend(Worker(house, only=None, dice=Random(0)).once(lambda: False))

        self.world.forgives = False  # nothing strikes any more that a process might fail of
        for deed in (once, let_go, give_up, once):
            self.world.start(deed.__name__, deed)
            self.stage.run(lambda: not self.world.living)
        told = "; ".join(f"{one.lane} is {one.outcome}: {one.reason}" for one in outcomes) or "it has ended at once"
        self.invariants.must("I14", self.stage.now - began < CALM_SECONDS_MAX, "it took too long to come to rest")
        self.invariants.must("I14", all(one.outcome == "complete" for one in outcomes) and bool(outcomes), told)


def _lanes(chance: Chance, stage: Stage, invariants: Invariants, folder: Path) -> dict[str, SimLane]:
    """The systems of this company: one or two, of few objects, as much happens where little is."""
    habits = Habits(objects=chance.pick((1, 1, 1, 2, 3)), poison=chance.pick((0.0, 0.0, 0.03)))
    piece_rows = chance.pick(_PIECE_ROWS)
    logged: SimLane = LoggedLane("crm", stage, invariants, habits, piece_rows=piece_rows)
    polled: SimLane = PolledLane("desk", stage, habits, piece_rows=piece_rows)
    hooked: SimLane = HookedLane("pay", folder, habits)
    return {lane.name: lane for lane in chance.pick(([logged], [polled], [hooked], [logged, polled], [logged, hooked]))}
