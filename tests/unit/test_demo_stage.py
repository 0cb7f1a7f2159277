"""What a person sees of a demo: a line for each thing that happened, and a picture that says how things stand."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.text import Text

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
