"""Law: a drafted contract loads to what the source's catalogue described, whatever its names and types."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from tieout.base.change import is_reserved
from tieout.base.stream import Stream
from tieout.base.types import DECIMAL_DIGITS_MAX, Column, ColumnType, Described, Kind
from tieout.contract import odcs

# PostgreSQL takes every character in a name but NUL, and so do we; half a surrogate pair is no character.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
WORDS_OF_YAML = st.sampled_from(
    ["yes", "no", "on", "null", "~", "1e5", "1.5", "007", "12:30", "2026-11-20", "- a", "#", "<<"]
)
DECIMALS = st.integers(0, DECIMAL_DIGITS_MAX).flatmap(
    lambda digits: st.integers(0, digits).map(lambda scale: ColumnType(Kind.DECIMAL, digits, scale))
)
TYPES = st.sampled_from([kind for kind in Kind if kind is not Kind.DECIMAL]).map(ColumnType) | DECIMALS
PHYSICALS = st.sampled_from(["", "bigint", "mood", "text[]", "varchar(3)", "timestamp(3) with time zone"]) | NAMES
COLUMNS = st.builds(Column, NAMES | WORDS_OF_YAML, TYPES, st.booleans(), PHYSICALS)
OBJECTS = NAMES.filter(lambda name: "/" not in name and not name.startswith("."))


@st.composite
def described(draw: st.DrawFn) -> Described:
    columns = draw(st.lists(COLUMNS, min_size=1, max_size=6, unique_by=lambda column: column.name.lower()))
    assume(not any(is_reserved(column.name) for column in columns))
    key = draw(st.lists(st.sampled_from([column.name for column in columns]), min_size=1, unique=True))
    return Described(draw(OBJECTS), tuple(columns), tuple(key))


@given(described())
def test_a_draft_loads_to_what_was_described(described: Described) -> None:
    stream = Stream("erp", described.object)
    with tempfile.TemporaryDirectory() as folder:
        path = odcs.find(Path(folder), stream)
        path.parent.mkdir(parents=True)
        path.write_text(odcs.draft(stream, described), encoding="utf-8")

        contract = odcs.load(path, stream)

    # Where the source has no word of its own for a type, ours stands in the document.
    spoken = tuple(replace(column, physical=column.physical or str(column.type)) for column in described.columns)
    assert (contract.stream, contract.columns, contract.key) == (stream, spoken, described.key)
    assert contract.digest == odcs.digest(described.columns, described.key)
