"""A reader of a warehouse that nobody holds: what belongs together is asked of one open file, and a worker gets in."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.conformance.ledger_promise import HandClock
from tieout.base.errors import Misconfigured
from tieout.run.serve import PatientReader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    return tmp_path / "warehouse.duckdb"


def is_free(file: Path) -> bool:
    """Whether somebody could open it to write."""
    try:
        duckdb.connect(str(file)).close()
    except duckdb.Error:
        return False
    return True


def test_the_file_stays_open_from_question_to_question_and_for_a_moment_only(file: Path) -> None:
    clock = HandClock()

    with PatientReader(file, clock) as reader:
        asked = [reader.query("select 1 n").to_pylist() for _ in range(2)]
        kept = not is_free(file)
        clock.sleep(1)
        reader.query("select 1")
        let_go = is_free(file)
        reader.query("select 1")

    assert asked == [[{"n": 1}]] * 2
    assert (kept, let_go, is_free(file)) == (True, True, True)


def test_whoever_asks_once_keeps_nothing(file: Path) -> None:
    reader = PatientReader(file, HandClock())

    reader.query("select 1")

    assert is_free(file)


def test_a_question_that_fails_lets_go(file: Path) -> None:
    with PatientReader(file, HandClock()) as reader:
        with pytest.raises(Misconfigured):
            reader.query("select nonsense")

        assert is_free(file)
