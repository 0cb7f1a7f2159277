"""The day as it is played: the org lives, incidents strike, the worker follows and is killed, and what is claimed of
its freshness is held against the truth.

One thread looks, strikes and kills; the org's people have their own. Each wait has an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from threading import Event, Thread

from ...base.clock import Clock
from ...base.errors import Broken, TieoutError
from ..crew import Crew
from ..org.life import Life
from .claims import Claims
from .company import Company
from .day import Incident, Scene

_STEP_SECONDS = 0.1
_LOOK_SECONDS = 3.0
_DEEDS_A_SECOND = 15.0
_CATCH_UP_SECONDS = 600.0
_READ_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the day is: what has just happened, and what happened so far."""

    says: str
    seconds: float
    deeds: int = 0
    kills: int = 0


Tell = Callable[[Moment], None]


class People:
    """Those who work in the org: a deed at a time, in a thread of their own."""

    def __init__(self, company: Company, clock: Clock, *, seed: int) -> None:
        self.life = Life(company.org, late_seconds=4.0)
        self._dice = Random(f"people {seed}")
        self._clock = clock
        self._stopping = Event()
        self._failed: BaseException | None = None
        self._thread = Thread(target=self._live, name="people", daemon=True)

    @property
    def deeds(self) -> int:
        return sum(self.life.done.values())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """All go home, and what was still open is committed. Raises what went wrong among them."""
        self._stopping.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed
        self.life.settle()

    def check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _live(self) -> None:
        try:
            while not self._stopping.wait(1.0 / _DEEDS_A_SECOND):
                self.life.step(self._dice)
        except BaseException as error:
            self._failed = error
            raise


class Play:
    """`company`, `crew` and `claims` belong to the caller, who ends them."""

    def __init__(
        self,
        incidents: tuple[Incident, ...],
        *,
        seconds: float,
        seed: int,
        company: Company,
        crew: Crew,
        claims: Claims,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._left = deque(incidents)
        self._seconds_wanted = seconds
        self._company = company
        self._crew = crew
        self._claims = claims
        self._clock = clock
        self._tell = tell
        self._scene = Scene(company, Random(f"incidents {seed}"))
        self._people = People(company, clock, seed=seed)
        self._began = self._looked = clock.now()
        self._moment = Moment("", 0.0)

    def run(self) -> Moment:
        """From the first start of the worker to its end in order."""
        self._began = self._clock.now()
        self._crew.start()
        self._say("the worker reads years of history by Bulk, while people work")
        self._people.start()
        self._until(lambda: self._is_read(), _READ_SECONDS, "the history was not read")
        self._say("history is read; the day goes on")
        self._began = self._clock.now()
        self._until(self._is_over, 2 * self._seconds_wanted + _READ_SECONDS, "the day did not end")
        self._people.stop()
        self._scene.do_due(all_=True)
        stopped = self._clock.now()
        self._say("people go home; the warehouse catches up")
        self._until(lambda: self._is_through(stopped), _CATCH_UP_SECONDS, "the warehouse did not catch up")
        self._crew.stop()
        return self._say("the worker has ended in order")

    def _until(self, is_done: Callable[[], bool], seconds: float, otherwise: str) -> None:
        began = self._clock.now()
        while self._since(began) < seconds:
            self._people.check()
            self._crew.check()
            self._scene.do_due()
            if self._since(self._looked) >= _LOOK_SECONDS:
                self._looked = self._clock.now()
                self._claims.look()
                with suppress(TieoutError):  # it has just been killed, and nobody answers
                    if is_done():
                        return
            self._clock.sleep(_STEP_SECONDS)
        raise Broken(f"{otherwise} within {seconds:.0f} s.", hint="The machine may be too busy; try again.")

    def _is_read(self) -> bool:
        through = self._claims.through()
        return bool(through) and all(moment is not None for moment in through.values())

    def _is_over(self) -> bool:
        while self._left and self._since(self._began) >= self._left[0].seconds:
            self._strike(self._left.popleft())
        return not self._left and self._since(self._began) >= self._seconds_wanted

    def _is_through(self, moment: datetime) -> bool:
        through, aged = self._claims.through(), self._claims.aged_through()
        is_known = bool(through) and all(one is not None and one > moment for one in through.values())
        return is_known and aged is not None and aged > moment

    def _strike(self, incident: Incident) -> None:
        if not incident.kills:
            incident.deed(self._scene)
            self._say(incident.says)
            return
        self._crew.strike()
        incident.deed(self._scene)
        self._moment = replace(self._moment, kills=self._moment.kills + 1)
        self._say(incident.says)
        self._crew.start()

    def _say(self, says: str) -> Moment:
        self._moment = replace(self._moment, says=says, seconds=self._since(self._began), deeds=self._people.deeds)
        self._tell(self._moment)
        return self._moment

    def _since(self, moment: datetime) -> float:
        return (self._clock.now() - moment).total_seconds()
