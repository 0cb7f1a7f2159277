"""A fact is read back from its text as it was written, for all facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.base.batch import Tally
from tieout.base.cursor import Cursor
from tieout.base.errors import Broken
from tieout.ledger.codec import read, write, write_cursor
from tieout.ledger.facts import (
    Acknowledged,
    Advanced,
    Alerted,
    Asked,
    Certified,
    Checked,
    Compared,
    Drifted,
    Fact,
    Freed,
    Landed,
    Looked,
    Merged,
    Modelled,
    Paused,
    Ran,
    Resumed,
    Stuck,
    Switched,
    Turned,
)

_INT64 = st.integers(-(2**63), 2**63 - 1)
_LANES = st.integers(0, 2**64 - 1)
_TEXTS = st.text()
_REASONS = st.text(st.characters())  # lone surrogates too
_TALLIES = st.builds(Tally, st.integers(0, 2**63 - 1), _LANES, _LANES)
_STATES = st.dictionaries(_TEXTS, st.one_of(_TEXTS, _INT64, st.none(), st.lists(_INT64, max_size=3)), max_size=4)
_CURSORS = st.builds(Cursor.of, _TEXTS, _INT64, _STATES)
_MOMENTS = st.datetimes(timezones=st.just(UTC))
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Landed, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _TALLIES, st.booleans()),
    st.builds(Advanced, _TEXTS, _CURSORS),
    st.builds(Acknowledged, _TEXTS, _CURSORS),
    st.builds(Merged, _TEXTS, _TEXTS, _MOMENTS),
    st.builds(Certified, _TEXTS, _TEXTS, _TEXTS),
    st.builds(Checked, _TEXTS, _TEXTS, _REASONS),
    st.builds(Ran, _TEXTS, _TEXTS, _REASONS),
    st.builds(Looked, _TEXTS, _TEXTS, _TEXTS),
    st.builds(Drifted, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _TEXTS),
    st.builds(Paused, _TEXTS, _REASONS, _REASONS, _TEXTS),
    st.builds(Resumed, _TEXTS, _REASONS),
    st.builds(Stuck, _TEXTS, _REASONS, _REASONS),
    st.builds(Freed, _TEXTS),
    st.builds(Alerted, _TEXTS, _TEXTS, _TEXTS),
    st.builds(Compared, _TEXTS, _TEXTS, _TEXTS, _REASONS),
    st.builds(Switched, _TEXTS, st.lists(_TEXTS).map(tuple)),
    st.builds(Modelled, _TEXTS, _TEXTS, _REASONS),
    st.builds(Asked, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _INT64),
    st.builds(Turned, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _REASONS),
)


@given(FACTS)
def test_a_fact_comes_back_as_it_was_written(fact: Fact) -> None:
    line = write(fact)

    assert read(line.kind, line.body) == fact
    line.body.encode("ascii")


@given(_CURSORS)
def test_a_cursors_text_does_not_depend_on_how_its_state_was_spelled(cursor: Cursor) -> None:
    spelled = replace(cursor, state=f"  {cursor.state}\n")

    assert write_cursor(spelled) == write_cursor(cursor)
    assert write_cursor(replace(cursor, position=cursor.position + 1)) != write_cursor(cursor)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Ran", "{"),
        ("Ran", "{}"),
        ("Ran", "[]"),
        ("Ran", "7"),
        ("Unheard", "{}"),
        ("Advanced", '{"lane":"a","cursor":1}'),
    ],
)
def test_a_text_that_is_no_fact_is_broken_and_says_the_way_out(kind: str, body: str) -> None:
    with pytest.raises(Broken, match="Move the ledger away"):
        read(kind, body)
