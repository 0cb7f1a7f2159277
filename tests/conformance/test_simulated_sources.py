"""The simulated sources keep the promise of a source: whatever breaks off, in the end what they told is the truth."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc
import pytest

from tests.simulated import BEGAN, Breaks, Time, World, differences
from tieout.base.change import Kind
from tieout.base.cursor import Cursor
from tieout.base.order import Class
from tieout.capture.source import Captured
from tieout.sim.world.chance import Chance
from tieout.sim.world.company import Change, Commit
from tieout.sim.world.logged import LOG, LoggedSource, read_track
from tieout.sim.world.logserver import LogServer, Slot
from tieout.sim.world.saying import Says
from tieout.sim.world.systems import System

SEEDS = range(200)


def logged(seed: int, kind: type[LoggedSource] = LoggedSource) -> World:
    chance, time = Chance(seed), Time()
    system = System(began=BEGAN, skew=chance.pick([0.0, 7.5, -3.0]))
    server, breaks = LogServer(system, now=time.now), Breaks(chance)
    source = kind("erp", server, reach=breaks)
    deeds = (server.drop_slot, server.remake_slot, lambda: server.throttle.refuse(2))
    world = World(chance, time, system, breaks, source, odd_deeds=deeds, unrefuse=lambda: server.throttle.refuse(0))
    world.live()
    world.drain()
    return world


class WithoutSweeps(LoggedSource):
    def _ended(self, start: int, second: int) -> list[Says]:
        return [Says(Kind.MARK, None, start, Class.READ, second)]


class TellsNothingApart(LoggedSource):
    """It says NULL of what the log leaves out."""

    def _said(self, commit: Commit, at: int, change: Change) -> list[Says]:
        lacking = self._apart(change)
        said = super()._said(commit, at, change)
        told = dict.fromkeys(lacking)
        return [replace(one, fields={**one.fields, **told}) if one.fields else one for one in said]


class TrustsAnySlot(LoggedSource):
    """It goes on through whatever slot is there."""

    def _come_up(self, known: Mapping[str, Cursor]) -> Generator[Captured, None, Slot]:
        slot = self._server.slot()
        return slot if LOG in known and slot is not None else (yield from super()._come_up(known))

    def _unread(self, this: Any) -> str | None:
        ours = {of: cursor.read() for of, cursor in this.known.items() if of.startswith("read/")}
        return next((of for of in self._objects() if not ours.get(read_track(of), {}).get("done")), None)


class LateWatermarks(LoggedSource):
    """It stamps a chunk with the position at which its reading may have ended."""

    def _chunk(self, this: Any, object_: str) -> Iterator[Captured]:
        for piece in super()._chunk(this, object_):
            table = piece.tables[object_]
            place = table.schema.get_field_index("_position")
            later = pc.add(table["_position"], 100)
            yield replace(piece, tables={object_: table.set_column(place, table.schema.field(place), later)})


def test_a_log_and_chunks_beside_it_tell_the_truth() -> None:
    assert not differences([logged(seed) for seed in SEEDS])


@pytest.mark.parametrize("broken", [WithoutSweeps, TellsNothingApart, TrustsAnySlot, LateWatermarks])
def test_a_source_that_breaks_the_promise_is_found_out(broken: type[LoggedSource]) -> None:
    assert differences([logged(seed, broken) for seed in range(40)])
