"""How tests drive a simulated source without a worker: pieces are taken, some of them twice, and folded by the rule."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from tieout.base.change import CAPTURED
from tieout.base.cursor import Cursor
from tieout.base.errors import Transient
from tieout.base.stream import Stream
from tieout.capture.source import Captured, ReadsAnew, Source
from tieout.contract.contract import Contract
from tieout.contract.judge import judge
from tieout.merge.rule import State, fold, is_shown, object_gap_is_open, open_reasons
from tieout.merge.told import changes_of
from tieout.sim.world.chance import Chance
from tieout.sim.world.company.company import KEY, Field
from tieout.sim.world.company.saying import described
from tieout.sim.world.company.systems import System

BEGAN = 1_795_000_000.0
STEPS = 14


@dataclass
class Time:
    seconds: float = BEGAN

    def now(self) -> float:
        return self.seconds


@dataclass
class Breaks:
    """Cuts exchanges off by chance, before or after they are done."""

    chance: Chance
    odds: float = 0.03

    def __call__(self, operation: str) -> None:
        if self.chance.happens(self.odds):
            raise Transient(f"{operation} was cut off.")


@dataclass
class Landing:
    """What a worker would have: where it stands, and all that it was told."""

    progress: dict[str, Cursor] = field(default_factory=dict)
    tables: defaultdict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    encoding: str = ""

    def seal(self, piece: Captured) -> None:
        assert self.encoding in ("", piece.encoding)
        assert piece.epoch == 0
        self.encoding = piece.encoding
        for object_, table in piece.tables.items():
            assert table.schema.names[: len(CAPTURED)] == CAPTURED.names
            self.tables[object_].append(table)

    def taken(self, object_: str) -> list[pa.Table]:
        """What has landed since this was asked last."""
        return self.tables.pop(object_, [])

    def land(self, piece: Captured) -> None:
        assert self.progress.get(piece.after.track) == piece.before, "each piece begins where the one before it ended"
        assert piece.before is None or piece.before.position <= piece.after.position
        self.seal(piece)
        self.progress[piece.after.track] = piece.after


@dataclass
class World:
    """One run: a system, a source of it, and what has landed."""

    chance: Chance
    time: Time
    system: System
    breaks: Breaks
    source: Source
    landing: Landing = field(default_factory=Landing)
    states: defaultdict[str, State] = field(default_factory=lambda: defaultdict(State))
    odd_deeds: tuple[Callable[[], None], ...] = ()
    unrefuse: Callable[[], None] = lambda: None

    def live(self, steps: int = STEPS) -> None:
        """Transactions, captures that break off, and whatever else happens to such a source."""
        for _ in range(steps):
            self.transact()
            if self.odd_deeds and self.chance.happens(0.1):
                self.chance.pick(self.odd_deeds)()
            if self.chance.happens(0.1):
                self.system.drift(self.chance)
            if self.chance.happens(0.7):
                self.capture()

    def transact(self) -> None:
        self.time.seconds += self.chance.seconds(2.0)
        self.system.transact(self.chance, self.time.seconds)

    def capture(self) -> None:
        """A pass that may end anywhere: what was yielded last may be sealed, and is not registered."""
        try:
            for piece in self.source.capture(self.landing.progress, until=self.source.bound()):
                if self.chance.happens(0.1):
                    self.landing.seal(piece)
                    return
                if self.chance.happens(0.1):
                    return
                self.landing.land(piece)
                self.source.acknowledge(piece.after)
                if self.chance.happens(0.5):
                    self.transact()
        except Transient:
            return

    def drain(self, *, passes: int = 3) -> None:
        """Everything is quiet and well, and all that was committed is read."""
        self.breaks.odds = 0.0
        self.time.seconds += 60.0
        self.system.settle(self.time.seconds)
        self.unrefuse()
        self.catch_up(passes)

    def catch_up(self, passes: int) -> None:
        for _ in range(passes):
            self.time.seconds += 60.0
            for piece in self.source.capture(self.landing.progress, until=self.source.bound()):
                self.landing.land(piece)
                self.source.acknowledge(piece.after)

    def read_anew(self) -> None:
        """Everything is read from its beginning, to a sweep."""
        assert isinstance(self.source, ReadsAnew)
        for object_ in self.system.fields:
            if piece := self.source.anew(object_, self.landing.progress):
                self.landing.land(piece)
        self.catch_up(2)

    def mend(self) -> None:
        """What is open is read again."""
        open_ = {object_: tuple(self.open_keys(object_)) for object_ in self.system.fields}
        if self.source.rereads and any(open_.values()):
            with self.source.reread({object_: keys for object_, keys in open_.items() if keys}) as told:
                for piece in told:
                    self.landing.seal(piece)

    def open_keys(self, object_: str) -> list[str]:
        state, required = self.states[object_], _required(self.system.fields[object_])
        return [key for key, row in state.rows.items() if open_reasons(row, state, required=required)]


def _required(fields: Sequence[Field]) -> frozenset[str]:
    return frozenset(one.name for one in fields if one.required)


def differences(worlds: Sequence[World], *, may_have_ghosts: bool = False) -> dict[int, list[str]]:
    """By world, what is folded there and is not true, after what was open was mended. `may_have_ghosts`: nobody has
    told of deletions yet."""
    fold_landed(worlds)
    for world in worlds:
        world.mend()
    fold_landed(worlds)
    return {at: found for at, world in enumerate(worlds) if (found := list(_differences(world, may_have_ghosts)))}


def fold_landed(worlds: Sequence[World]) -> None:
    """What has landed and is not folded. All worlds are judged at once, as that costs hardly more than one."""
    for object_ in worlds[0].system.fields:
        landed = [(world, tables) for world in worlds if (tables := world.landing.taken(object_))]
        if not landed:
            continue
        contract = _contract_of_all(worlds, object_)
        table = pa.concat_tables([one for _, tables in landed for one in tables], promote_options="default")
        encoding = worlds[0].landing.encoding
        judged, at = judge(table, contract, encoding=encoding, epoch=0).changes, 0
        for world, tables in landed:
            rows = sum(one.num_rows for one in tables)
            fields = frozenset(one.name for one in world.system.fields[object_])
            fold(world.states[object_], changes_of(judged.slice(at, rows)), fields=fields)
            at += rows


def _contract_of_all(worlds: Sequence[World], object_: str) -> Contract:
    """Every column that the object has in any of these worlds; of one name it has one type in all of them."""
    shown = [described(object_, world.system.fields[object_]) for world in worlds]
    columns = {column.name: column for one in shown for column in one.columns}
    stream = Stream(worlds[0].source.lane, object_)
    return Contract(stream, tuple(columns.values()), (KEY,), "1.0.0", "active", "digest")


def _differences(world: World, may_have_ghosts: bool) -> Iterator[str]:
    for object_, fields in world.system.fields.items():
        state = world.states[object_]
        if object_gap_is_open(state):
            yield f"{object_} has a hole"
        yield from (f"{object_} {key} is open" for key in world.open_keys(object_))
        told, true = told_rows(state, fields), true_rows(world.system, object_)
        for key in sorted(true.keys() if may_have_ghosts else told.keys() | true.keys()):
            if told.get(key) != true.get(key):
                yield f"{object_} {key}: told {told.get(key)}, true {true.get(key)}"


def told_rows(state: State, fields: Sequence[Field]) -> dict[str, dict[str, Any]]:
    """The rows as they would be shown."""
    shown = {key: row for key, row in state.rows.items() if is_shown(row, state, required=_required(fields))}
    return {
        json.loads(key)[0]: {
            one.name: told_value(row.fields.get(one.name, ("", None))[1], one.physical) for one in fields
        }
        for key, row in shown.items()
    }


def true_rows(system: System, object_: str) -> dict[str, dict[str, Any]]:
    """What is true, in the same terms."""
    return {
        key: {one.name: true_value(row.get(one.name), one.physical) for one in system.fields[object_]}
        for key, row in system.rows(object_).items()
    }


def told_value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind.startswith("decimal"):
        return str(value)
    return json.loads(value) if kind == "json" else value


def true_value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "timestamptz":
        return micros(value)
    return json.loads(value) if kind == "json" else value


def micros(text: str) -> int:
    delta = datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
