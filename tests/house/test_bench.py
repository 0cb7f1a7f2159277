"""The measurements run: each deed and its floor, on a few rows, to the same content."""

from __future__ import annotations

import pytest

from bench.__main__ import PAIRS
from bench.timing import Pair, measure

ROWS = 200


LONG = {"salesforce_events", "salesforce_load"}
"""These start an org and a worker each."""


@pytest.mark.parametrize(
    "pair",
    [pytest.param(pair, id=pair.name, marks=[pytest.mark.campaign] if pair.name in LONG else []) for pair in PAIRS],
)
def test_a_deed_and_its_floor_come_to_the_same(pair: Pair) -> None:
    measured = measure(pair, rows=min(ROWS, pair.rows), repeats=1)

    assert measured.subject[0].wall > 0
