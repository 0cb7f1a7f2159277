"""A chunk takes about a second of the lane's time, and live traffic keeps most of it."""

from __future__ import annotations

import pytest

from tieout.run.pace import BYTES_MAX, CHUNK_SECONDS, ROWS_FIRST, ROWS_MAX, ROWS_MIN, next_rows, rest_seconds


def settled(rows_a_second: float, row_bytes: int, *, overhead: float = 0.05) -> tuple[int, float]:
    """The rows of a chunk after a while, and what it takes."""
    rows = ROWS_FIRST
    for _ in range(20):
        rows = next_rows(rows, seconds=overhead + rows / rows_a_second, size=rows * row_bytes)
    return rows, overhead + rows / rows_a_second


@pytest.mark.parametrize("rows_a_second", [200.0, 5_000.0, 40_000.0])
def test_a_chunk_comes_to_take_about_a_second(rows_a_second: float) -> None:
    _, seconds = settled(rows_a_second, 100)

    assert CHUNK_SECONDS * 0.8 <= seconds <= CHUNK_SECONDS * 1.2


def test_a_chunk_is_bounded_in_rows_and_in_bytes_however_fast_it_is() -> None:
    assert settled(1e9, 10)[0] == ROWS_MAX
    assert settled(1e9, 2**20)[0] == max(ROWS_MIN, BYTES_MAX // 2**20)


def test_one_slow_chunk_does_not_stop_all() -> None:
    assert next_rows(1000, seconds=600.0, size=1) == ROWS_MIN


def test_live_traffic_keeps_seven_tenths_of_the_time_while_there_is_any() -> None:
    took = 0.9

    assert took / (took + rest_seconds(took, is_busy=True)) == pytest.approx(0.3)
    assert rest_seconds(took, is_busy=False) == 0.0
