"""When a demo's worker is killed: by a seed, often enough, and first while it reads the tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import floats, integers

from tieout.sim.chaos import Strike, strikes

seeds = integers(min_value=0, max_value=2**64)
lengths = floats(min_value=0, max_value=3600)


@given(seeds, lengths)
def test_a_worker_is_killed_at_least_five_times_however_short_the_demo(seed: int, seconds: float) -> None:
    assert len(strikes(seed=seed, seconds=seconds)) >= 5


@given(seeds, lengths)
def test_the_first_kills_wait_for_batches_so_that_they_hit_the_reading_of_tables(seed: int, seconds: float) -> None:
    drawn = strikes(seed=seed, seconds=seconds)

    assert [strike.batches for strike in drawn[:2]] == [1, 2]
    assert all(strike.batches is None for strike in drawn[2:])


@given(seeds, lengths)
def test_the_same_seed_kills_at_the_same_moments(seed: int, seconds: float) -> None:
    assert strikes(seed=seed, seconds=seconds) == strikes(seed=seed, seconds=seconds)


def test_another_seed_kills_at_other_moments() -> None:
    assert strikes(seed=1, seconds=45) != strikes(seed=2, seconds=45)


def test_a_worker_that_lands_nothing_is_killed_all_the_same() -> None:
    strike = Strike(seconds=10, batches=2)

    assert not strike.is_due(seconds=9, batches=1)
    assert strike.is_due(seconds=1, batches=2)
    assert strike.is_due(seconds=10, batches=0)
