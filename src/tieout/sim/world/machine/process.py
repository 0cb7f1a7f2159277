"""A process of tieout under simulation: the real parts, and at each of its edges a point where it can be stopped.

Its clock, disk, ledger, warehouse and sources are reached through points named `ledger.append.before`, `step.sealed`,
`disk.sync.after`. A fault that strikes `before` kept something from being done; one that strikes `after` lost the
answer of what was done. Once the process is dead whatever it still tries, on its way out, has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ....base.batch import Batch
from ....base.cursor import Progress
from ....base.step import Step
from ....contract.contract import Contract
from ....ledger.facts import Fact
from ....ledger.ledger import Entry, Guard, Holder, Lease, Passage
from ....ledger.sqlite import SqliteLedger
from ....merge.warehouse import Turn
from .stage import Killed, Stage

_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


Registers = Mapping[str | None, Mapping[str, str]]
"""By key (None: the whole object) the tokens of its registers, by their names."""


class Witness(Protocol):
    """Who is told what a process did to a store, as soon as it is done, to check it."""

    def appended(self, facts: Sequence[Fact], given: Sequence[Guard]) -> None: ...

    def merged(self, contract: Contract, batches: Sequence[Batch], turn: Turn) -> None: ...

    def stands(self, contract: Contract, registers: Registers) -> None: ...

    def refused(self, turn: Turn) -> None: ...

    def acknowledged(self, lane: str, track: str, position: int) -> None: ...

    def leased(self, lease: Lease, now: datetime, is_dead: Callable[[Holder], bool]) -> None: ...

    def renewed(self, lease: Lease) -> None: ...

    def released(self, lease: Lease) -> None: ...


class Process:
    """`pid` tells it from all others of the run; `passed` is the last step that it came to, "" before any."""

    def __init__(self, stage: Stage, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.alive = True
        self.passed = ""
        self._stage = stage
        self._closing: list[Callable[[], None]] = []

    def reach(self, point: str) -> None:
        """Where it can be stopped. Raises Killed, or what a fault raises."""
        if not self.alive:
            raise Killed
        self._stage.reach(point)
        if not self.alive:
            raise Killed

    def passing(self, step: Step) -> None:
        self.passed = str(step)
        self.reach(f"step.{step}")

    def seal(self, said: object) -> None:
        """What it did has to be the same whenever the run is repeated."""
        self._stage.seal(repr(said))

    def holds(self, close: Callable[[], None]) -> None:
        """A handle that the machine closes when the process has ended, however it did."""
        self._closing.append(close)

    def end(self) -> None:
        """It is no more; what it held open is let go. Called on the thread that was the process."""
        self.alive = False
        while self._closing:
            self._closing.pop()()

    @contextmanager
    def at(self, operation: str) -> Iterator[None]:
        self.reach(f"{operation}.before")
        yield
        self.reach(f"{operation}.after")

    @property
    def holder(self) -> Holder:
        return Holder("simulated", self.pid, str(self.pid))


class SimClock:
    """`skew` is how wrong the machine's time of day is, in seconds; it may jump."""

    def __init__(self, stage: Stage, skew: Callable[[], float], process: Process | None = None) -> None:
        self._stage = stage
        self._skew = skew
        self._process = process

    def now(self) -> datetime:
        return _BEGIN + timedelta(seconds=round(self._stage.now + self._skew(), 6))

    def sleep(self, seconds: float) -> None:
        self._stage.sleep(seconds)
        if self._process is not None and not self._process.alive:
            raise Killed


class SimLedger:
    """The real ledger, as one process reaches it."""

    def __init__(self, ledger: SqliteLedger, process: Process, witness: Witness) -> None:
        self._ledger = ledger
        self._process = process
        self._witness = witness
        process.holds(ledger.close)

    def lease(
        self, lane: str, holder: Holder, *, seconds: float, fence_min: int, is_dead: Callable[[Holder], bool]
    ) -> Lease:
        with self._process.at("ledger.lease"):
            lease = self._ledger.lease(lane, holder, seconds=seconds, fence_min=fence_min, is_dead=is_dead)
            self._witness.leased(lease, lease.expires - timedelta(seconds=seconds), is_dead)
        return lease

    def renew(self, lease: Lease, *, seconds: float) -> Lease:
        with self._process.at("ledger.renew"):
            renewed = self._ledger.renew(lease, seconds=seconds)
            self._witness.renewed(renewed)
        return renewed

    def release(self, lease: Lease) -> None:
        with self._process.at("ledger.release"):
            self._ledger.release(lease)
            self._witness.released(lease)

    def append(self, facts: Sequence[Fact], *, given: Iterable[Guard]) -> None:
        guards = list(given)
        with self._process.at("ledger.append"):
            self._ledger.append(facts, given=guards)
            self._process.seal(facts)
            self._witness.appended(facts, guards)

    def progress(self, lane: str) -> Progress:
        with self._process.at("ledger.read"):
            return self._ledger.progress(lane)

    def landed(self, lane: str | None = None) -> dict[str, str]:
        with self._process.at("ledger.read"):
            return self._ledger.landed(lane)

    def merged(self, lane: str | None = None) -> dict[str, datetime]:
        with self._process.at("ledger.read"):
            return self._ledger.merged(lane)

    def entries(
        self, *kinds: type, lane: str | None = None, stream: str | None = None, last: int | None = None
    ) -> Iterator[Entry]:
        with self._process.at("ledger.read"):
            return iter(list(self._ledger.entries(*kinds, lane=lane, stream=stream, last=last)))

    def passed(self, lane: str, *, before: int | None = None) -> Entry | None:
        with self._process.at("ledger.read"):
            return self._ledger.passed(lane, before=before)

    def passages(self, stream: str, *, since: datetime, last: int) -> tuple[Passage, ...]:
        with self._process.at("ledger.read"):
            return self._ledger.passages(stream, since=since, last=last)

    def close(self) -> None:
        """Nothing: the machine closes it when the process has ended."""
