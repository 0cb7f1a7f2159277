"""The text of Prometheus, read back by the rules of its format."""

from __future__ import annotations

import math

import pytest

from tests.prometheus import parsed
from tieout.quality.exposition import Family, Sample, exposition

STRANGE = 'a\\b "c"\nd\te{f="g"} ü 漢'


def test_what_is_read_back_is_what_was_told() -> None:
    gauge = Family("tieout_some", "gauge", "Some of\nit \\ here.", (Sample({"stream": STRANGE, "of": ""}, 1.5),))
    counter = Family("tieout_all_total", "counter", "All.", (Sample({}, 10**15), Sample({"a": "b"}, 0)))

    read = parsed(exposition([gauge, counter]))

    assert read["tieout_some"] == ("gauge", "Some of\nit \\ here.", {(("of", ""), ("stream", STRANGE)): 1.5})
    assert read["tieout_all_total"] == ("counter", "All.", {(): 1e15, (("a", "b"),): 0.0})


@pytest.mark.parametrize("value", [0.1 + 0.2, 1795297251.105406, -0.0, 5e-324, math.inf, -math.inf])
def test_a_value_is_exact(value: float) -> None:
    (read,) = parsed(exposition([Family("x", "gauge", "X.", (Sample({}, value),))]))["x"][2].values()

    assert math.copysign(1, read) == math.copysign(1, value)
    assert read == value


def test_what_is_no_number_is_told_as_that() -> None:
    assert exposition([Family("x", "gauge", "X.", (Sample({}, math.nan),))]).endswith("\nx NaN\n")


def test_a_family_of_which_nothing_is_known_is_not_told() -> None:
    assert exposition([Family("x", "gauge", "X.")]) == ""


def test_a_name_that_the_format_cannot_hold_is_our_own_fault() -> None:
    with pytest.raises(AssertionError, match="plain word"):
        Family("no name", "gauge", "X.")
    with pytest.raises(AssertionError, match="plain word"):
        Sample({"no-label": ""}, 1)
