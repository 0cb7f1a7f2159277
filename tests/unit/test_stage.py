"""The stage of a simulated run: one moves at a time, chance says who, and nobody waits for the real clock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from tieout.sim.world.chance import Chance
from tieout.sim.world.machine.stage import Actor, Killed, Overrun, Stage


def stage_of(seed: int = 0, *, switches: float = 0.5, steps_max: int = 1_000) -> Stage:
    return Stage(Chance(seed), switches=switches, steps_max=steps_max)


def to_the_end(stage: Stage) -> Stage:
    with closing(stage):
        stage.run(lambda: False)
    return stage


def walkers(stage: Stage, told: list[str]) -> None:
    """Three actors of four points each."""

    def walk(name: str) -> Callable[[], None]:
        def body() -> None:
            for at in range(4):
                stage.reach(f"point.{at}")
                told.append(f"{name}{at}")

        return body

    for name in "abc":
        stage.spawn(name, walk(name))


def order_of(seed: int) -> tuple[list[str], str]:
    told: list[str] = []
    stage = stage_of(seed)
    walkers(stage, told)
    return told, to_the_end(stage).trace


def test_a_seed_gives_one_order_and_others_give_others() -> None:
    assert order_of(7) == order_of(7)
    assert len({tuple(order_of(seed)[0]) for seed in range(20)}) > 10
    assert len({order_of(seed)[1] for seed in range(20)}) == 20


def test_without_switches_an_actor_goes_on_until_its_end() -> None:
    told: list[str] = []
    stage = stage_of(switches=0.0)
    walkers(stage, told)
    to_the_end(stage)

    assert [name for name, _ in told[::4]] == [name for name, _ in told[3::4]]
    assert sorted(told) == [f"{name}{at}" for name in "abc" for at in range(4)]


def test_time_leaps_to_whoever_wakes_first() -> None:
    stage, woke = stage_of(), []

    def sleeper(seconds: float) -> Callable[[], None]:
        def body() -> None:
            stage.sleep(seconds)
            woke.append((seconds, round(stage.now)))

        return body

    for seconds in (3600.0, 5.0, 86_400.0):
        stage.spawn("sleeper", sleeper(seconds))
    to_the_end(stage)

    assert woke == [(5.0, 5), (3600.0, 3600), (86_400.0, 86_400)]


def test_who_is_killed_gets_no_further_and_unwinds_before_anybody_else_moves() -> None:
    stage, told = stage_of(), []

    def victim() -> None:
        try:
            stage.reach("a")
            stage.reach("b")
            told.append("lives")
        except Killed:
            told.append("unwinds")
            raise

    def strike(actor: Actor, point: str) -> None:
        if point == "b":
            stage.kill(actor)
            told.append("struck")

    stage.fate = strike
    stage.spawn("victim", victim)
    stage.spawn("other", lambda: (stage.sleep(1.0), told.append("other"))[0])
    to_the_end(stage)

    assert told == ["struck", "unwinds", "other"]


def test_who_is_paused_stands_still_and_then_goes_on() -> None:
    stage, told = stage_of(switches=0.0), []

    def paused() -> None:
        stage.reach("here")
        told.append(("paused", round(stage.now)))

    def strike(actor: Actor, point: str) -> None:
        stage.pause(actor, 300.0)

    stage.fate = strike
    stage.spawn("paused", paused)
    stage.spawn("other", lambda: told.append(("other", round(stage.now))))
    to_the_end(stage)

    assert sorted(told) == [("other", 0), ("paused", 300)]


def test_what_an_actor_fails_of_is_raised_where_the_stage_is_run() -> None:
    stage = stage_of()

    def fail() -> None:
        stage.reach("here")
        raise LookupError("nothing there")

    stage.spawn("failing", fail)

    with closing(stage), pytest.raises(LookupError, match="nothing there"):
        stage.run(lambda: False)


def test_a_run_that_never_ends_is_ended() -> None:
    stage = stage_of(steps_max=50)

    def endless() -> None:
        while True:  # the bound under test ends it
            stage.sleep(1.0)

    stage.spawn("endless", endless)

    with closing(stage), pytest.raises(Overrun, match="steps"):
        stage.run(lambda: False)


def test_off_the_stage_points_are_nothing_and_time_passes_at_once() -> None:
    stage = stage_of()

    stage.reach("anywhere")
    stage.sleep(60.0)

    assert (stage.now, stage.steps) == (60.0, 0)
    stage.close()
