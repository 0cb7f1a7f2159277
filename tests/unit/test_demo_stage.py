"""What a person sees of a demo: a line for each thing that happened, and a picture that says how things stand."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console
from rich.text import Text

from tieout.base.stream import Stream
from tieout.quality.certificate import Difference
from tieout.quality.gate import Gate, Verdict
from tieout.sim.behind import Behind, Deed, How, Place
from tieout.sim.stage import Kill, Picture, Scene
from tieout.ui.demo_stage import DemoStage, news, painted

READING = Picture(
    Scene.READING,
    7,
    seconds=4.0,
    seconds_wanted=45.0,
    source={"customers": 40, "orders": 100},
    warehouse={"customers": 40, "orders": 90},
    batches=3,
)
ORDERS = Stream("shop", "orders")
BEHIND = Behind(Verdict(Gate("revenue", (ORDERS,), 3600), (), None))
ALTERED = Deed(Place.WAREHOUSE, How.ALTERED, ORDERS, Difference.DIVERGED, frozenset({'["1"]', '["2"]'}))
INTRUDING = replace(READING, scene=Scene.INTRUDING, seconds=50.0, kills=(), behind=BEHIND)
KILL = Kill(seconds=3.5, pid=4711, scene=Scene.READING, batches=1)


def shown(picture: Picture) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(painted(picture, Text("-")))
    return captured.get()


def test_a_kill_is_told_once() -> None:
    killed = replace(READING, kills=(KILL,))

    assert news(READING, killed) == ["  3.5 s  SIGKILL 4711, reading the tables, 1 batch landed"]
    assert news(killed, replace(killed, seconds=5.0)) == []


def test_a_new_scene_is_told_once() -> None:
    following = replace(READING, scene=Scene.FOLLOWING)

    assert news(READING, following) == ["  4.0 s  tieout follows the log"]
    assert news(following, following) == []


def test_a_picture_shows_how_far_the_warehouse_is() -> None:
    lines = shown(READING).splitlines()

    assert any("customers" in line and "✓" in line for line in lines)
    assert any("orders" in line and "-10" in line for line in lines)


def test_a_kill_stands_on_the_line_of_time() -> None:
    assert "━✗━" in shown(replace(READING, seconds=20.0, kills=(KILL,)))


def test_before_anything_is_known_a_picture_only_says_what_is_done() -> None:
    picture = shown(Picture(Scene.OPENING, 7))

    assert "a shop opens" in picture
    assert "warehouse" not in picture


def test_outside_a_terminal_there_are_lines_and_no_pictures() -> None:
    console = Console(width=100, color_system=None, force_terminal=False)

    with console.capture() as captured, DemoStage(console) as stage:
        stage.show(READING)
        stage.show(replace(READING, kills=(KILL,)))

    assert captured.get().splitlines() == [
        "  4.0 s  tieout reads the tables while the shop sells",
        "  3.5 s  SIGKILL 4711, reading the tables, 1 batch landed",
    ]


def test_what_is_done_behind_its_back_is_told_once_and_a_line_a_step() -> None:
    touched = replace(INTRUDING, behind=replace(BEHIND, deeds=(ALTERED,)))

    assert news(READING, INTRUDING) == [
        " 50.0 s  the gate of revenue is open",
        " 50.0 s  rows are touched behind its back, on both sides",
    ]
    assert news(INTRUDING, touched) == [" 50.0 s  in the warehouse: 2 orders altered"]
    assert news(touched, touched) == []


def test_on_a_terminal_it_has_a_picture_of_its_own_below_that_of_the_kills() -> None:
    console = Console(width=100, color_system=None, force_terminal=True, file=StringIO())

    with DemoStage(console) as stage:
        stage.show(replace(READING, kills=(KILL,)))
        stage.show(INTRUDING)
        stage.show(replace(INTRUDING, behind=replace(BEHIND, deeds=(ALTERED,))))

    assert isinstance(console.file, StringIO)
    before, _, after = console.file.getvalue().partition("rows are touched behind its back")
    assert "SIGKILL 4711" in before
    assert "SIGKILL" not in after
    assert "2 orders altered" in after
