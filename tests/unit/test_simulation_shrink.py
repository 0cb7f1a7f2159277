"""A run that broke is shrunk to the choices that break it, and to no other trouble."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tieout.sim.world.campaign.shrink import shrink
from tieout.sim.world.result import Result

LONG = tuple(range(1, 200))


def runner(broken: Callable[[Sequence[int]], str], *, asks: int = 300) -> Callable[[Sequence[int]], Result]:
    """Runs that ask for so many choices, and break what `broken` says of them."""

    def run(choices: Sequence[int]) -> Result:
        taken = tuple((*choices, *[0] * asks)[:asks])
        return Result(1, taken, len(taken), 0.0, 0, {}, {}, {}, {}, {}, "", broken(taken), "told")

    return run


def both(taken: Sequence[int]) -> str:
    return "I1" if 17 in taken and taken[40:41] and taken[40] > 3 else ""


def test_what_does_not_matter_is_gone() -> None:
    run = runner(both)

    shrunk = shrink(run, run(LONG))

    assert both(shrunk.choices) == "I1"
    assert sum(1 for choice in shrunk.choices if choice) == 2
    assert (len(shrunk.choices), sorted(shrunk.choices)[-2:]) == (41, [4, 17])
    assert shrunk.result.invariant == "I1"
    assert shrunk.before == 300


def test_another_broken_invariant_is_not_taken_for_this_one() -> None:
    run = runner(lambda taken: "I1" if 150 in taken else "I8")

    shrunk = shrink(run, run(LONG))

    assert shrunk.choices == (150,)
    assert shrunk.result.invariant == "I1"


def test_it_ends_after_so_many_tries() -> None:
    run = runner(both)

    assert shrink(run, run(LONG), tries=7).tries == 7


def test_it_ends_after_so_much_time_with_the_best_it_has() -> None:
    run = runner(lambda taken: "I1" if sum(taken) > 100 else "")
    seconds = iter(range(1000))

    shrunk = shrink(run, run(LONG), seconds=20, elapsed=lambda: float(next(seconds)))

    assert 0 < shrunk.tries <= 20
    assert 100 < sum(shrunk.choices) < sum(LONG)


def test_what_breaks_without_any_choice_shrinks_to_nothing() -> None:
    run = runner(lambda taken: "I14")

    assert shrink(run, run(LONG)).choices == ()
