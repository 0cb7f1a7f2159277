"""The system clock tells the time in UTC and lets time pass."""

from __future__ import annotations

from datetime import UTC

from tieout.run.clock import SystemClock


def test_it_tells_the_time_in_utc_and_lets_it_pass() -> None:
    clock = SystemClock()

    before = clock.now()
    clock.sleep(0.01)

    assert before.tzinfo is UTC
    assert (clock.now() - before).total_seconds() >= 0.009


def test_who_is_asked_to_stop_sleeps_no_longer() -> None:
    asked = iter([False, True])
    clock = SystemClock(stopping=lambda: next(asked))

    before = clock.now()
    clock.sleep(60)

    assert (clock.now() - before).total_seconds() < 10
