"""The world of a run: the systems of a company, a machine with its disk and clock, and the processes of tieout on it.

What a process has of tieout is real, but for what stands at its edges (`process.py`). The world knows who lives, who
holds the warehouse, and what strikes more than one of them at once.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from ...base.errors import Occupied, TieoutError
from ...base.stream import Stream
from ...capture.source import Source
from ...land.local import LocalLanding
from ...ledger.ledger import Holder
from ...ledger.sqlite import SqliteLedger
from ...merge.warehouse import Side, Warehouse
from ...run.contracts import Contracts
from ...run.house import House
from ...run.keeping import LEASE_SECONDS
from ...run.neighbours import Closing
from ...run.project import ChangesConfig, Project
from ...run.route import Tools
from ...run.worker import Worker
from .chance import Chance
from .lanes import SimLane
from .machine.disk import SimDisk
from .machine.engines import SimDuckDB, SimRule, SimWarehouse
from .machine.process import Process, SimClock, SimLedger, Witness
from .machine.rulehouse import RuleStore
from .machine.stage import Actor, Stage

LANDING: Final = Path("/landing")
THE_DISK_LOST: Final = "the disk lost"
BEFORE_ANY: Final = "before any"
_SLEPT: Final = 0.25
_SEALED: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`workers` at a time; `is_shared`: the warehouse lets many processes in, as one in a cloud does; `is_database`: it
    is DuckDB's, and not the rule itself."""

    workers: int
    is_shared: bool
    is_database: bool


class World:
    def __init__(
        self,
        stage: Stage,
        chance: Chance,
        folder: Path,
        lanes: Mapping[str, SimLane],
        circumstances: Circumstances,
        witness: Witness,
    ) -> None:
        self.stage = stage
        self.chance = chance
        self.disk = SimDisk()
        self.lanes = lanes
        self.skew = 0.0
        self.is_stopping = False
        self.forgives = True
        self.crashes = 0
        self.died_behind: Counter[str] = Counter()
        self.ledger = folder / "ledger.sqlite"
        self.project = Project(
            root=folder,
            name="simulated",
            landing=LANDING,
            ledger=self.ledger,
            warehouse=folder / "warehouse.duckdb",
            sources={lane: ChangesConfig(folder / "inbox" / lane) for lane in lanes},
        )
        self.circumstances = circumstances
        self._witness = witness
        self._actors: dict[Actor, Process] = {}
        self._holder: Process | None = None
        self._rule = RuleStore()
        self._pids = 0
        self._old_ledger: Path | None = None
        self._flipped: dict[Path, bytes] = {}

    @property
    def living(self) -> list[Actor]:
        return [actor for actor, process in self._actors.items() if process.alive]

    def is_process(self, actor: Actor) -> bool:
        return actor in self._actors

    def start(self, name: str, deed: Callable[[House], None]) -> Actor:
        """A process of tieout that does this."""
        self._pids += 1
        process = Process(self.stage, name, self._pids)
        actor = self.stage.spawn(f"{name}-{self._pids}", lambda: self._live(process, deed))
        self._actors[actor] = process
        return actor

    def start_worker(self) -> Actor:
        dice = Random(self.chance.below(2**16))

        def work(house: House) -> None:
            Worker(house, only=None, dice=dice).forever(lambda: self.is_stopping)

        return self.start("worker", work)

    def kill(self, actor: Actor) -> None:
        """The process of this actor is no more."""
        process = self._actors[actor]
        if process.alive:
            self.crashes += 1
            self.died_behind[process.passed or BEFORE_ANY] += 1
            self._bury(process)
        self.stage.kill(actor)

    def pause(self, actor: Actor, seconds: float) -> None:
        """It stands still. Now and then the time of day goes on meanwhile, past its lease, and nobody had to wait."""
        self.stage.pause(actor, seconds)
        if self.circumstances.workers > 1 and self.chance.happens(_SLEPT):
            self.skew += LEASE_SECONDS

    def note(self, what: str) -> None:
        self.stage.note(what)

    def power_cut(self) -> None:
        """Every process dies at once, and the disk keeps what it promised to keep."""
        self.kill_all()
        for lost in self.disk.power_cut(self.chance):
            self.stage.note(f"{THE_DISK_LOST} {lost}")

    def kill_all(self) -> None:
        for actor in self.living:
            self.kill(actor)

    def lose_ledger(self) -> None:
        """Somebody deletes the ledger. Who had it open dies first, as a machine that loses its disk does."""
        self.kill_all()
        for path in self._parts(self.ledger):
            path.unlink(missing_ok=True)

    def keep_ledger(self) -> None:
        """A backup is made of the ledger as it stands."""
        kept = self.project.root / "backup"
        kept.mkdir(exist_ok=True)
        for path in self._parts(self.ledger):
            if path.exists():
                shutil.copyfile(path, kept / path.name)
            else:
                (kept / path.name).unlink(missing_ok=True)
        self._old_ledger = kept

    @property
    def has_backup(self) -> bool:
        return self._old_ledger is not None

    def restore_ledger(self) -> bool:
        """The backup takes the ledger's place. False where there is none."""
        if self._old_ledger is None:
            return False
        self.lose_ledger()
        for path in self._old_ledger.iterdir():
            shutil.copyfile(path, self.project.root / path.name)
        return True

    def lose_warehouse(self) -> None:
        """Somebody deletes the warehouse."""
        self.kill_all()
        for suffix in ("", ".wal"):
            self.project.warehouse_file.with_name(self.project.warehouse_file.name + suffix).unlink(missing_ok=True)
        self._rule = RuleStore()

    def flip_bit(self) -> bool:
        """A bit of a sealed batch is another one, until it is restored from the second copy that somebody has. False
        where there is no batch yet."""
        sealed = [path for path in self.disk.paths() if path.suffix == _SEALED and path not in self._flipped]
        if not sealed:
            return False
        path = self.chance.pick(sealed)
        self._flipped[path] = self.disk.content(path)
        self.disk.flip(path, self.chance)
        return True

    def restore_bits(self) -> None:
        for path, content in sorted(self._flipped.items()):
            self.disk.file(path).mend(content)
        self._flipped.clear()

    def house(self, process: Process) -> House:
        clock = SimClock(self.stage, lambda: self.skew, process)
        ledger = SimLedger(SqliteLedger(self.ledger, clock), process, self._witness)
        landing = LocalLanding(LANDING, disk=self.disk.seen_by(process.reach), passing=process.passing)
        tools = Tools(landing, ledger, Contracts(self.project.root), clock, process.passing)
        return House(self.project, tools, _Neighbours(self, process, clock))

    def open_warehouse(self, process: Process) -> SimWarehouse:
        """Raises Occupied while another process holds it, unless it is shared."""
        process.reach("warehouse.open.before")
        if not self.circumstances.is_shared and self._holder not in (None, process):
            raise Occupied("simulated: another process holds the warehouse's file.")
        self._holder = process
        if self.circumstances.is_database:
            return SimDuckDB(self.project.warehouse_file, process, self._witness, lambda: self._let_go(process))
        return SimRule(self._rule, process, self._witness, lambda: self._let_go(process))

    def is_merged(self, stream: Stream, batch: str) -> bool | None:
        """Whether a batch is in the rule's warehouse. None where that is a database, which is not asked: who holds it
        may be in the midst of a transaction."""
        if self.circumstances.is_database:
            return None
        table = self._rule.content.tables.get((stream, Side.LIVE))
        return table is not None and batch in table.merged

    def is_dead(self, pid: int) -> bool:
        return not any(process.pid == pid and process.alive for process in self._actors.values())

    def _live(self, process: Process, deed: Callable[[House], None]) -> None:
        try:
            deed(self.house(process))
        except (TieoutError, OSError) as error:
            self.stage.note(f"{process.name}-{process.pid} ended: {error}")
            if not self.forgives:
                raise
        finally:
            self._bury(process)
            process.end()

    def _bury(self, process: Process) -> None:
        process.alive = False
        self._let_go(process)

    def _let_go(self, process: Process) -> None:
        if self._holder is process:
            self._holder = None

    def _parts(self, path: Path) -> list[Path]:
        return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


class _Unread(Closing):
    """Nobody reads beside a simulated worker."""

    def close(self) -> None:
        return


class _Neighbours:
    """Implements `Neighbours` for one process."""

    def __init__(self, world: World, process: Process, clock: SimClock) -> None:
        self._world = world
        self._process = process
        self._clock = clock

    def source(self, lane: str) -> Source:
        return self._world.lanes[lane].source(self._process, self._clock)

    def warehouse(self) -> Warehouse:
        return self._world.open_warehouse(self._process)

    def answering(self, warehouse: Warehouse) -> Closing:
        return _Unread()

    def me(self) -> Holder:
        return self._process.holder

    def is_dead(self, holder: Holder) -> bool:
        return self._world.is_dead(holder.pid)
