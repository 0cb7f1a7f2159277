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
