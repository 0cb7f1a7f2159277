"""The stage: actors that move one at a time, in an order that chance decides, in a time that only they make pass.

An actor is synchronous code on a thread of its own. It holds the baton until it reaches a named point or sleeps; then
chance says who moves next. Nobody ever waits for the real clock: when all sleep, time leaps to the first who wakes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock

from ..chance import Chance

ACTORS_MAX = 32
LAST_STEPS = 40
"""Steps that are kept to be told after a failure."""
_STEP_SECONDS = 0.002
"""How much time passes from one point to the next."""


class Killed(BaseException):
    """This actor's process is no more. Nothing it still does, on its way out, has any effect."""


class Halted(Exception):
    """Somebody wanted to see the run no further than here."""


class Overrun(Exception):
    """The run took more steps than it may: somebody waits for ever."""


@dataclass(slots=True, eq=False)
class Actor:
    """`due`: the time (seconds since the run began) before which it does not move; `killed`: its next step is its last;
    `end`: what came of it, on its thread."""

    name: str
    body: Callable[[], None]
    due: float
    killed: bool = False
    ended: bool = False
    end: Future[None] | None = None
    go: Lock = field(default_factory=Lock)


Fate = Callable[[Actor, str], None]
"""Asked as an actor reaches a point, before anybody moves on: it may kill, pause, or raise a fault in the actor."""


def _no_fate(actor: Actor, point: str) -> None:
    return


class Stage:
    """`switches`: the odds that at a point another actor moves on. Raises Overrun behind `steps_max` points."""

    def __init__(self, chance: Chance, *, switches: float, steps_max: int) -> None:
        self.now = 0.0
        self.steps = 0
        self.fate: Fate = _no_fate
        self.watch: Callable[[], None] = lambda: None
        self.heard: Callable[[], None] = lambda: None
        self.stepping: Callable[[], None] = lambda: None
        self.last: deque[str] = deque(maxlen=LAST_STEPS)
        self._chance = chance
        self._switches = switches
        self._steps_max = steps_max
        self._actors: list[Actor] = []
        self._moving: Actor | None = None
        self._threads = ThreadPoolExecutor(max_workers=ACTORS_MAX)
        self._back = Lock()
        self._back.acquire()
        self._trace = blake2b(digest_size=16)

    @property
    def trace(self) -> str:
        """A hash of all that happened, in its order: equal for equal runs."""
        return self._trace.hexdigest()

    def spawn(self, name: str, body: Callable[[], None], *, after: float = 0.0) -> Actor:
        """An actor that begins to move in `after` seconds."""
        actor = Actor(name, body, self.now + after)
        if len(self._actors) >= ACTORS_MAX:
            raise Overrun(f"there are more than {ACTORS_MAX} actors at a time")
        actor.go.acquire()
        actor.end = self._threads.submit(self._play, actor)
        self._actors.append(actor)
        return actor

    def reach(self, point: str) -> None:
        """The moving actor is at this point. Raises Killed, or what its fate raises. Nothing happens off the stage."""
        actor = self._moving
        if actor is None:
            return
        self.stepping()
        self.note(f"{actor.name} {point}")
        self.now += _STEP_SECONDS
        self.steps += 1
        self.fate(actor, point)
        if actor.killed or actor.due > self.now or self._chance.happens(self._switches):
            self._yield(actor)

    def sleep(self, seconds: float) -> None:
        """The moving actor lets so much time pass; off the stage, it passes at once."""
        actor = self._moving
        if actor is None:
            self.now += seconds
            return
        actor.due = self.now + seconds
        self.steps += 1
        self._yield(actor)

    def kill(self, actor: Actor) -> None:
        """It ends where it stands, and nothing of it has any effect from now on."""
        actor.killed = True
        actor.due = self.now

    def pause(self, actor: Actor, seconds: float) -> None:
        """It does not move for so long, wherever it stands, as under SIGSTOP."""
        actor.due = max(actor.due, self.now) + seconds

    def note(self, what: str) -> None:
        """Something happened: it stands among the last steps, and in the trace."""
        told = f"{self.now:10.3f} {what}"
        self.last.append(told)
        self.seal(told)
        self.heard()

    def seal(self, said: str) -> None:
        """This has to be said again whenever the run is repeated."""
        self._trace.update(said.encode())

    def run(self, done: Callable[[], bool]) -> None:
        """Lets the actors move until `done`, or until all have ended. Raises Overrun, and what an actor failed of."""
        while not done():
            if not self._actors:
                return
            if self.steps > self._steps_max:
                raise Overrun(f"after {self.steps} steps and {self.now:.0f} seconds it was not at its end")
            self._move(self._next(self._actors))
            self.watch()

    def close(self) -> None:
        """Ends every actor, whatever it fails of on its way out."""
        for actor in list(self._actors):
            self.kill(actor)
            while not actor.ended:  # bounded: whatever a killed actor reaches raises
                self._step(actor)
        self._threads.shutdown()

    def _next(self, left: list[Actor]) -> Actor:
        if killed := next((actor for actor in left if actor.killed), None):
            return killed  # it is gone before anybody else moves
        ready = [actor for actor in left if actor.due <= self.now]
        if not ready:
            self.now = min(actor.due for actor in left)
            ready = [actor for actor in left if actor.due <= self.now]
        return ready[0] if len(ready) == 1 else self._chance.pick(ready)

    def _move(self, actor: Actor) -> None:
        """One step of it. Raises what it has failed of."""
        self._step(actor)
        failure = actor.end.exception() if actor.ended and actor.end else None
        if failure is not None and not isinstance(failure, Killed):
            raise failure

    def _step(self, actor: Actor) -> None:
        self._moving = actor
        actor.go.release()
        self._back.acquire()
        self._moving = None
        if actor.ended:
            self._actors.remove(actor)

    def _yield(self, actor: Actor) -> None:
        self._back.release()
        actor.go.acquire()
        if actor.killed:
            raise Killed

    def _play(self, actor: Actor) -> None:
        actor.go.acquire()
        try:
            if not actor.killed:
                actor.body()
        finally:
            actor.ended = True
            self._back.release()
