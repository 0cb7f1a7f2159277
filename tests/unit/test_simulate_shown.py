"""What a person sees of a simulated run: the view, the lines of a terminal that is none, and the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from tieout.sim.world.campaign.campaign import Campaign, Progress
from tieout.sim.world.campaign.planting import Caught, Level
from tieout.sim.world.campaign.shrink import Shrunk
from tieout.sim.world.campaign.tally import Tally, Violation
from tieout.sim.world.campaign.watched import Looked
from tieout.sim.world.campaign.wishes import Look, Wish
from tieout.sim.world.result import Moment, Result
from tieout.ui.simulate_ended import CampaignEnded, SeedEnded
from tieout.ui.simulate_stage import SimulateStage, advanced, painted

MOMENT = Moment(4, 120, 0.5, "     0.500 kill strikes worker-1", ("worker-2",), 1, {"kill": 1}, 33)
SOUND = Result(4, (1, 2), 200, 12.0, 1, {"kill": 1}, {"disk.sync.after": 1}, {"sealed": 1}, {"I1": 33}, {}, "ab")
BROKEN = replace(SOUND, invariant="I1", violation="I1: it is not durable", last=("  0.4 worker-1 step.sealed",))
VIOLATION = Violation(4, "I1", "I1: it is not durable", 200, last=BROKEN.last)
TALLY = Tally(seeds=1000, virtual_seconds=7200.0, crashes=9, faults={"kill": 9}, checks={"I1": 33})
CAUGHT, MISSED = Caught("lease_kept", "", 7, "I11", 3), Caught("fence_not_taken", "", None, "", 40)


def text(shown: RenderableType) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def campaign(tally: Tally = TALLY, bugs: tuple[Caught, ...] = (), empty: tuple[str, ...] = ()) -> CampaignEnded:
    return CampaignEnded(Campaign(Wish(1000), tally, 2, 10, bugs, empty, 500.0, 2, {"python": "3.11"}))


def test_a_picture_tells_who_lives_and_what_struck() -> None:
    shown = text(painted(MOMENT, [Text("the last step")]))

    assert "seed 4" in shown
    assert "worker-2" in shown
    assert "kill 1" in shown
    assert "the last step" in shown


def test_a_log_has_a_line_for_each_fault_and_for_no_other_step() -> None:
    console = Console(width=120, color_system=None, force_terminal=False)
    with console.capture() as captured, SimulateStage(console) as stage:
        for moment in (MOMENT, replace(MOMENT, step=121, told="     0.502 worker-2 disk.sync.after")):
            stage.step(lambda moment=moment: moment)

    assert captured.get().splitlines() == ["   120      0.500 kill strikes worker-1"]


def test_a_log_tells_of_a_campaign_ten_times() -> None:
    console = Console(width=120, color_system=None, force_terminal=False)
    with console.capture() as captured, SimulateStage(console) as stage:
        for done in range(1, 101):
            stage.progress(Progress(done, 100, TALLY, caught=0))

    assert len(captured.get().splitlines()) == 10


def test_what_broke_is_told_at_once() -> None:
    console = Console(width=120, color_system=None, force_terminal=False)
    with console.capture() as captured, SimulateStage(console) as stage:
        for done in (1, 2):
            stage.progress(Progress(done, 1000, replace(TALLY, violations=(VIOLATION,)), caught=0))

    assert captured.get().splitlines() == ["seed 4: I1: it is not durable"]


def test_a_bar_tells_how_far_a_campaign_is() -> None:
    shown = text(advanced(Progress(25, 100, TALLY, caught=3)))

    assert "25 of 100" in shown
    assert "3 planted bugs caught" in shown


def test_a_sound_run_says_so_in_one_line() -> None:
    assert text(SeedEnded(Looked(Look(4), SOUND)).shown()).startswith("✓ Seed 4: every invariant held.")


def test_a_broken_run_tells_the_promise_the_last_steps_and_the_command() -> None:
    shown = text(SeedEnded(Looked(Look(4, plant="lease_kept"), BROKEN)).shown())

    assert "I1 is broken. It promises: What is merged has landed" in shown
    assert "it is not durable" in shown
    assert "worker-1 step.sealed" in shown
    assert "Next: tieout simulate --seed 4 --until 200 --plant lease_kept" in shown


def test_a_run_that_was_shrunk_is_repeated_by_its_file() -> None:
    shrunk = Shrunk((0, 1), replace(BROKEN, steps=20), before=1200, tries=30)
    ended = SeedEnded(Looked(Look(4, keep=Path("look")), BROKEN, shrunk))

    assert "shrunk from 1,200 choices to 2" in text(ended.shown())
    assert ended.to_json()["repeat"] == "tieout simulate --seed 4 --until 20 --choices look/choices.json"


def test_a_campaign_without_a_violation_says_how_little_that_proves() -> None:
    assert "✓ No violation in 1,000 seeds: at 95 %, fewer than 0.30% of seeds have one." in text(campaign().shown())


def test_a_campaign_tells_each_violation_with_its_command() -> None:
    shown = text(campaign(replace(TALLY, violations=(VIOLATION,) * 7)).shown())

    assert shown.count("Next: tieout simulate --seed 4 --until 200") == 5
    assert shown.count("Next: tieout simulate --seed 4 --keep ./look") == 1
    assert "and 2 more" in shown
    assert "✗ 7 violations." in shown


def test_what_was_missed_or_never_came_about_is_no_success() -> None:
    shown = text(campaign(bugs=(CAUGHT, MISSED), empty=("fault drift: 0 of 30",)).shown())

    assert "Planted bugs that nothing caught: fence_not_taken." in shown
    assert "fault drift: 0 of 30" in shown
    assert "✓" not in shown


def test_a_violation_of_the_merge_is_repeated_at_its_level() -> None:
    wish = Wish(500, level=Level.ALGEBRA)
    ended = CampaignEnded(
        Campaign(wish, replace(TALLY, violations=(VIOLATION,)), 0, 0, (), (), 1.0, 2, {"python": "3.11"})
    )

    assert ended.to_json()["violated"][0]["repeat"] == "tieout simulate --algebra 1 --first-seed 4"
