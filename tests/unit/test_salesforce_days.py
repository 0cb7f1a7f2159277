"""Days of an org that are asked for: as few ranges as hold them and no other day that has rows."""

from __future__ import annotations

from datetime import date

import pytest

from tieout.capture.salesforce.counting import runs


def days(*numbers: int) -> list[date]:
    return [date(2026, 1, number) for number in numbers]


@pytest.mark.parametrize(
    ("wanted", "known", "told"),
    [
        ([], [1, 2], []),
        ([1], [1, 2], [(1, 2)]),
        ([1, 2, 3], [1, 2, 3], [(1, 4)]),
        ([1, 9], [1, 9], [(1, 10)]),
        ([1, 9], [1, 5, 9], [(1, 2), (9, 10)]),
        ([1, 2, 9, 12], [1, 2, 5, 9, 12, 20], [(1, 3), (9, 13)]),
        ([3], [1, 2], []),
        ([2, 3, 4], [2, 4], [(2, 5)]),
    ],
    ids=["none", "one", "following", "over an empty time", "around others", "several", "only here", "here between"],
)
def test_days_are_ranges(wanted: list[int], known: list[int], told: list[tuple[int, int]]) -> None:
    found = list(runs(days(*wanted), days(*known)))

    assert [(start.day, end.day) for start, end in found] == told
