"""The simulated systems hold what they say, and their servers forget only what they may."""

from __future__ import annotations

import json

import pytest

from tests.simulated import BEGAN, Breaks
from tieout.base.cursor import Cursor
from tieout.base.errors import Transient
from tieout.capture.hole import unread
from tieout.capture.source import Captured, Source
from tieout.sim.world.chance import Chance
from tieout.sim.world.company.company import COMPANY, Row
from tieout.sim.world.company.logged import LoggedSource
from tieout.sim.world.company.logserver import LogServer
from tieout.sim.world.company.polled import PolledSource
from tieout.sim.world.company.pollserver import PollServer
from tieout.sim.world.company.systems import Habits, System


def lived(seed: int, *, steps: int = 40, **habits: float) -> System:
    chance, system = Chance(seed), System(began=BEGAN, habits=Habits(**habits))  # type: ignore[arg-type]
    for step in range(steps):
        if chance.happens(0.1):
            system.skew = chance.pick([0.0, 5.0, -5.0])
        system.transact(chance, BEGAN + step)
    return system


def never(operation: str) -> None:
    """Nothing breaks off."""


def registered(source: Source, known: dict[str, Cursor], *, acknowledging: bool = True) -> list[Captured]:
    pieces = []
    for piece in source.capture(known, until=source.bound()):
        known[piece.after.track] = piece.after
        pieces.append(piece)
        if acknowledging:
            source.acknowledge(piece.after)
    return pieces


def kinds(pieces: list[Captured], object_: str) -> list[str]:
    return [kind for piece in pieces if object_ in piece.tables for kind in piece.tables[object_]["_kind"].to_pylist()]


def ids(pieces: list[Captured], object_: str) -> list[str]:
    return [
        key for piece in pieces if object_ in piece.tables for key in piece.tables[object_]["id"].to_pylist() if key
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_history_amounts_to_the_rows(seed: int) -> None:
    system = lived(seed)
    rows: dict[str, dict[str, Row]] = {object_: {} for object_ in COMPANY}

    for commit in system.commits:
        for change in commit.changes:
            if change.key is None:
                rows[change.object].clear()
                continue
            assert (change.what == "insert") == ((change.before or change.key) not in rows[change.object])
            rows[change.object].pop(change.before or change.key, None)
            if change.row is not None:
                rows[change.object][change.key] = dict(change.row)

    assert rows == {object_: system.rows(object_) for object_ in COMPANY}


@pytest.mark.parametrize("seed", range(20))
def test_positions_rise_and_the_clock_never_steps_back(seed: int) -> None:
    commits = lived(seed).commits

    positions, seconds = [one.position for one in commits], [one.at_second for one in commits]

    assert positions == sorted(set(positions))
    assert seconds == sorted(seconds)
    assert all(change.stamped <= one.at_second for one in commits for change in one.changes)
    assert any(change.stamped < one.at_second for one in commits for change in one.changes)


@pytest.mark.parametrize("seed", range(20))
def test_a_row_is_stamped_in_the_order_in_which_it_was_written(seed: int) -> None:
    newest: dict[tuple[str, str | None], int] = {}

    for commit in lived(seed, lasting=0.6).commits:
        for change in commit.changes:
            for key in {change.key, change.before} - {None}:
                assert newest.get((change.object, key), 0) <= change.stamped
                newest[change.object, key] = change.stamped


def test_the_same_choices_give_the_same_history() -> None:
    chance = Chance(7)
    first, second = System(began=BEGAN), System(began=BEGAN)
    for step in range(30):
        first.transact(chance, BEGAN + step)
    again = Chance(0, replay=chance.taken)
    for step in range(30):
        second.transact(again, BEGAN + step)

    assert first.commits == second.commits


def test_settling_ends_what_is_open_and_puts_right_what_no_contract_takes() -> None:
    system = lived(3, poison=0.5, lasting=0.5)
    assert system.poisoned()

    system.settle(BEGAN + 1000)

    assert not system.poisoned()
    assert not system.open


def test_the_server_keeps_what_is_not_confirmed_and_forgets_the_rest() -> None:
    chance, system = Chance(1), System(began=BEGAN)
    server = LogServer(system, now=lambda: BEGAN)
    source, known = LoggedSource("erp", server, reach=never), {}
    registered(source, known)
    for _ in range(5):
        system.transact(chance, BEGAN)
    kept = server.kept

    registered(source, known, acknowledging=False)
    unconfirmed = server.kept
    source.acknowledge(known["log"])

    assert kept == unconfirmed == len(system.commits) > 0
    assert server.kept == 0


def test_a_slot_made_anew_is_a_hole_that_a_whole_reading_closes() -> None:
    chance, system = Chance(2), System(began=BEGAN)
    server = LogServer(system, now=lambda: BEGAN)
    source, known = LoggedSource("erp", server, reach=never), {}
    registered(source, known)
    told = known["log"].position
    system.transact(chance, BEGAN)
    missed = system.position
    server.remake_slot()

    pieces, holes = [], {}
    for piece in source.capture(known, until=source.bound()):
        known[piece.after.track] = piece.after
        pieces.append(piece)
        holes = holes or {of: one.holes for of, one in unread(known).items() if one.holes}

    assert kinds(pieces, "account")[0] == "gap"
    assert kinds(pieces, "account")[-1] == "sweep"
    assert pieces[0].tables["account"]["_position"][0].as_py() >= missed
    assert [hole.since for hole in holes["account"]] == [str(told)]
    assert not unread(known)


def test_a_reply_that_is_lost_leaves_nothing_undone_or_done_twice() -> None:
    chance, system = Chance(4), System(began=BEGAN)
    for _ in range(10):
        system.transact(chance, BEGAN)
    breaks = Breaks(chance, odds=0.15)
    source, known = LoggedSource("erp", LogServer(system, now=lambda: BEGAN), reach=breaks), {}
    cut_off = 0
    for _ in range(100):
        try:
            registered(source, known)
        except Transient:
            cut_off += 1

    assert cut_off > 50
    assert not unread(known)
    assert known["read/account"].read()["rows"] == len(system.rows("account")) > 4


def test_the_cut_of_a_log_is_all_up_to_its_bound_and_nothing_behind_it() -> None:
    chance, system = Chance(5), System(began=BEGAN)
    source, known = LoggedSource("erp", LogServer(system, now=lambda: BEGAN), reach=never), {}
    registered(source, known)
    for _ in range(9):
        system.transact(chance, BEGAN)

    with source.cut(("account",)) as cut:
        then = set(system.rows("account"))
        for _ in range(9):
            system.transact(chance, BEGAN)
        behind = {commit.position for commit in system.commits if commit.position > cut.bound.position}
        drained = list(source.capture(known, until=cut.bound))
        told = list(cut.tell(("account",)))

    assert set(ids(told, "account")) == then
    assert all(piece.at_one_moment for piece in told)
    positions = {at for piece in drained for table in piece.tables.values() for at in table["_position"].to_pylist()}
    assert behind
    assert positions
    assert not positions & behind


def test_the_cut_of_a_polled_system_is_a_moment_behind_every_change() -> None:
    chance, system, now = Chance(6), System(began=BEGAN), [BEGAN]
    source, known = PolledSource("saas", PollServer(system, now=lambda: now[0]), reach=never), {}
    for _ in range(9):
        system.transact(chance, BEGAN)
    with pytest.raises(Transient), source.cut(("account",)):
        pass
    now[0] += 60.0

    with source.cut(("account",)) as cut:
        then = set(system.rows("account"))
        for _ in range(9):
            system.transact(chance, now[0])
        pieces = list(source.capture(known, until=cut.bound))
        told = list(cut.tell(("account",)))

    assert set(ids(told, "account")) == set(ids(pieces, "account")) == then
    assert kinds(pieces, "account")[-1] == "sweep"
    assert set(system.rows("account")) != then


@pytest.mark.parametrize("of", ["logged", "polled"])
def test_keys_are_read_again_as_they_are_now(of: str) -> None:
    chance, system = Chance(8), System(began=BEGAN)
    for _ in range(9):
        system.transact(chance, BEGAN)
    source: Source = LoggedSource("erp", LogServer(system, now=lambda: BEGAN), reach=never)
    if of == "polled":
        source = PolledSource("erp", PollServer(system, now=lambda: BEGAN), reach=never)
    there = min(system.rows("account"))

    with source.reread({"account": (json.dumps([there]), '["nobody"]'), "unknown": ('["x"]',)}) as told:
        pieces = list(told)

    assert list(zip(ids(pieces, "account"), kinds(pieces, "account"), strict=True)) == [
        (there, "image"),
        ("nobody", "delete"),
    ]
    assert all(set(piece.tables) == {"account"} for piece in pieces)
