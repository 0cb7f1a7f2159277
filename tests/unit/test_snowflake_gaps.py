"""Where the stand-in is not as Snowflake: each gap has its word and its reason, and stands on the page."""

from __future__ import annotations

import pytest

from tests.golden.stand_in import PAGE, page
from tieout.sim.snowflake.manners.gaps import GAPS, WORDS, Gap


def test_the_page_says_what_the_data_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "if it is meant: make golden, and read it"


def test_each_gap_has_one_of_the_three_words_and_a_reason() -> None:
    assert set(WORDS) == {"notimpl", "notyet", "never"}
    assert {gap.word for gap in GAPS} == set(WORDS)
    assert [gap.what for gap in GAPS if len(gap.reason) < len("no use of it")] == []
    assert len({gap.what for gap in GAPS}) == len(GAPS)


@pytest.mark.parametrize(
    ("word", "reason", "told"),
    [
        ("later", "there is no time", "x: 'later' is none of notimpl, notyet, never"),
        ("", "there is no time", "x: '' is none of notimpl, notyet, never"),
        ("never", " ", "x: a gap says what it is and why it is let be"),
    ],
)
def test_a_gap_without_its_word_or_its_reason_is_none(word: str, reason: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        Gap("x", "fails", "works", word, reason)
