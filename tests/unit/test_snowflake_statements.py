"""Every statement that is sent to Snowflake stands in a file, and no statement changes without it."""

from __future__ import annotations

import inspect
from itertools import pairwise

import pytest

from tests.golden.statements import CONTRACTS, FOLDER, OCCASIONS, QUESTIONS, recorded
from tieout.base.errors import Broken
from tieout.merge.readings import StreamReading
from tieout.merge.snowflake.dry import _BEGINNINGS, DryConnection, Known

NOT_ASKED = {"parts_of"}
"""Of what a reading has, that which asks nothing."""


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_sent_is_what_stands_in_the_files(contract: str) -> None:
    stands = {file.stem: file.read_text(encoding="utf-8") for file in (FOLDER / contract).glob("*.sql")}

    sent = dict(recorded(contract))

    assert sent.keys() == stands.keys()
    assert [name for name in sent if sent[name] != stands[name]] == [], "if it is meant: make golden, and read it"


def test_no_other_contract_has_files() -> None:
    assert {folder.name for folder in FOLDER.iterdir()} == set(CONTRACTS)


def test_each_question_of_a_reading_is_among_them() -> None:
    asked = {name for name, _ in inspect.getmembers(StreamReading, inspect.isfunction) if not name.startswith("_")}

    assert asked - NOT_ASKED == set(QUESTIONS)


def test_each_occasion_of_a_merge_sends_something_of_its_own() -> None:
    merges = {name for name in OCCASIONS if name.startswith("merge")}
    texts = {name: (FOLDER / "simple" / f"{name}.sql").read_text(encoding="utf-8") for name in merges}

    assert 'insert into "QUARANTINE"' in texts["merge_faults"]
    assert "insert into tieout.settlements" in texts["merge_settlement"]
    assert all("set _deleted = true" in texts[name] for name in ("merge_truncation", "merge_sweep"))
    assert "merge into" not in texts["merge_sweep"]
    assert "insert into tieout.floors" not in texts["merge"]


def test_a_question_without_a_known_answer_is_no_dry_run() -> None:
    connection = DryConnection(Known(1), CONTRACTS["simple"])

    with pytest.raises(Broken) as refused:
        connection.cursor().execute("select 1 as one")

    assert refused.value.message == "a dry run knows no answer to 'select 1 as one'"


def test_no_statement_begins_as_another_does() -> None:
    begins = sorted(_BEGINNINGS.values())

    assert all(begins)
    assert not [one for one, next_ in pairwise(begins) if next_.startswith(one)]
