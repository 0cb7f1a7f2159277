"""The simulated sources keep the promise of a source: whatever breaks off, in the end what they told is the truth."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc
import pytest

from tests.simulated import BEGAN, STEPS, Breaks, Time, World, differences
from tieout.base.change import Kind
from tieout.base.cursor import Cursor
from tieout.base.order import Class
from tieout.capture.changes.source import ChangesSource
from tieout.capture.source import Bound, Captured
from tieout.sim.world.chance import Chance
from tieout.sim.world.company.company import Change, Commit
from tieout.sim.world.company.hooked import HookedSender, Manners
from tieout.sim.world.company.hookinbox import HookInbox
from tieout.sim.world.company.logged import LOG, LoggedSource
from tieout.sim.world.company.logreading import read_track
from tieout.sim.world.company.logserver import LogServer, Slot
from tieout.sim.world.company.polled import Poll, PolledSource, Standing
from tieout.sim.world.company.pollserver import PollServer
from tieout.sim.world.company.saying import Says
from tieout.sim.world.company.systems import System

SHEAVES = [range(first, first + 30) for first in range(0, 60, 30)]
"""Seeds that are judged together; each sheaf is a test, so that they run side by side."""


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


def polled(seed: int, kind: type[PolledSource] = PolledSource, *, full_every: int = 4) -> World:
    chance, time = Chance(seed), Time()
    system = System(began=BEGAN, skew=chance.pick([0.0, 7.5, -3.0]))
    server, breaks = PollServer(system, now=time.now), Breaks(chance)
    source = kind("erp", server, reach=breaks, full_every=full_every)
    deeds = (lambda: server.shorten(1), lambda: server.throttle.refuse(2))
    world = World(chance, time, system, breaks, source, odd_deeds=deeds, unrefuse=lambda: server.throttle.refuse(0))
    world.live()
    world.drain()
    return world


class Clock:
    """The time of the simulated world, as the product asks for it."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._time.now(), UTC)

    def sleep(self, seconds: float) -> None:
        self._time.seconds += seconds


def hooked(seed: int, kind: type[HookedSender] = HookedSender, *, manners: Manners = Manners()) -> World:  # noqa: B008
    chance, time = Chance(seed), Time()
    system = System(began=BEGAN, skew=chance.pick([0.0, 7.5, -3.0]))
    inbox, breaks = HookInbox(made=True), Breaks(chance)
    sender = kind(system, "erp", inbox.put, manners=manners)
    source = ChangesSource("erp", inbox.seen_by(breaks), Clock(time))
    world = World(chance, time, system, breaks, source)
    for _ in range(STEPS):
        world.live(1)
        if chance.happens(0.5):
            sender.deliver(chance, time.seconds)
    system.settle(time.seconds)
    time.seconds += 60.0
    sender.settle(time.seconds)
    world.drain(passes=1)
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


class PassesOverLateCommits(PolledSource):
    """It asks for what was stamped after the second that is covered, as if it were the last that it had seen."""

    def _ended_standing(self, then: Standing, poll: Poll) -> Standing:
        seen = poll.after[0] if poll.after else (then.since or 0)
        return replace(super()._ended_standing(then, poll), since=seen)

    def _since(self, then: Standing) -> int | None:
        return None if then.since is None else then.since + 1


class NeverSwept(PolledSource):
    def _ended(self, covered: int, second: int) -> list[Says]:
        return []


class LateWatermarks(LoggedSource):
    """It stamps a chunk with the position at which its reading may have ended."""

    def _chunk(self, this: Any, object_: str) -> Iterator[Captured]:
        for piece in super()._chunk(this, object_):
            table = piece.tables[object_]
            place = table.schema.get_field_index("_position")
            later = pc.add(table["_position"], 100)
            yield replace(piece, tables={object_: table.set_column(place, table.schema.field(place), later)})


@pytest.mark.parametrize("seeds", SHEAVES, ids=str)
def test_a_log_and_chunks_beside_it_tell_the_truth(seeds: range) -> None:
    assert not differences([logged(seed) for seed in seeds])


@pytest.mark.parametrize("seeds", SHEAVES, ids=str)
def test_polls_and_full_reads_tell_the_truth(seeds: range) -> None:
    worlds = [polled(seed) for seed in seeds]

    assert not differences(worlds, may_have_ghosts=True)
    for world in worlds:
        world.read_anew()
    assert not differences(worlds)


@pytest.mark.parametrize("seeds", SHEAVES, ids=str)
def test_webhooks_and_snapshots_tell_the_truth(seeds: range) -> None:
    assert not differences([hooked(seed) for seed in seeds])


@pytest.mark.parametrize("broken", [WithoutSweeps, TellsNothingApart, TrustsAnySlot, LateWatermarks])
def test_a_source_that_breaks_the_promise_is_found_out(broken: type[LoggedSource]) -> None:
    assert differences([logged(seed, broken) for seed in range(40)])


def test_a_poll_that_passes_over_what_commits_late_is_found_out() -> None:
    worlds = [polled(seed, PassesOverLateCommits, full_every=1000) for seed in range(40)]

    assert differences(worlds, may_have_ghosts=True)


def test_a_page_that_lacks_a_row_ends_no_sweep_and_is_asked_for_again() -> None:
    world = polled(1)
    server = world.source._server  # type: ignore[attr-defined]
    piece = world.source.anew("account", world.landing.progress)  # type: ignore[attr-defined]
    world.landing.land(piece)
    server.shorten(1)

    first = list(world.source.capture(world.landing.progress, until=Bound(0)))
    for piece in first:
        world.landing.land(piece)
    second = list(world.source.capture(world.landing.progress, until=Bound(0)))

    assert "sweep" not in kinds(first, "account")
    assert "sweep" in kinds(second, "account")


def kinds(pieces: list[Captured], object_: str) -> list[str]:
    return [kind for piece in pieces if object_ in piece.tables for kind in piece.tables[object_]["_kind"].to_pylist()]


def test_without_sweeps_what_was_deleted_stays() -> None:
    worlds = [polled(seed, NeverSwept) for seed in range(20)]
    for world in worlds:
        world.read_anew()

    assert differences(worlds)


class WithoutSnapshots(HookedSender):
    def snapshot(self) -> None:
        pass


def test_without_a_snapshot_what_was_dropped_stays_lost() -> None:
    assert differences([hooked(seed, WithoutSnapshots) for seed in range(20)])


def test_late_doubled_and_unordered_webhooks_need_no_snapshot() -> None:
    manners = Manners(late=0.5, doubled=0.5, dropped=0.0, broken=0.0, mistyped=0.0)

    assert not differences([hooked(seed, WithoutSnapshots, manners=manners) for seed in range(40)])
