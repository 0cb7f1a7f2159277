"""What people see: data cannot take hold of their terminal, and figures are readable."""

from __future__ import annotations

import pytest

from tieout.ui.paint import safe, safe_lines, seconds, several


def test_control_codes_and_stray_bytes_are_written_out() -> None:
    assert safe("a\x1b[2Jb").plain == "a\\x1b[2Jb"
    assert safe("\udcff").plain == "\\udcff"
    assert safe("[red]é 语").plain == "[red]é 语"


def test_the_lines_of_a_message_stay_lines() -> None:
    assert safe_lines("one\ntwo\x07").plain == "one\ntwo\\x07"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (0.25, "250 ms"), (1.0, "1.0 s"), (300.0, "5 min"), (90_000.0, "25 h"), (864_000.0, "10 d")],
)
def test_a_duration_is_told_in_the_unit_that_fits(value: float | None, shown: str) -> None:
    assert seconds(value).plain == shown


def test_one_is_not_several() -> None:
    assert (several(1, "row"), several(2_000, "row")) == ("1 row", "2,000 rows")
