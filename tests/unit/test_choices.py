"""What a source offers to choose among, entered when it changes and told as drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tieout.ledger.facts import Drifted, Offered
from tieout.ledger.sqlite import SqliteLedger
from tieout.run.choices import look_at_choices
from tieout.run.clock import SystemClock


class Org:
    """As far as it offers anything."""

    lane = "crm"

    def __init__(self, **stages: Sequence[str]) -> None:
        self.stages = stages

    def offered(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        return {"opportunity": self.stages}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    book = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())
    yield book
    book.close()


def told(ledger: SqliteLedger) -> list[tuple[str, str, str]]:
    facts = [entry.fact for entry in ledger.entries(Drifted)]
    return [(fact.column, fact.was, fact.type) for fact in facts if isinstance(fact, Drifted)]


def test_what_is_offered_at_first_sight_is_no_drift(ledger: SqliteLedger) -> None:
    look_at_choices(Org(StageName=["Open", "Won"]), ledger)  # type: ignore[arg-type]

    assert not told(ledger)
    assert len(list(ledger.entries(Offered))) == 1


def test_a_choice_that_is_added_or_ended_is_told_once(ledger: SqliteLedger) -> None:
    look_at_choices(Org(StageName=["Open", "Won"], Type=["New"]), ledger)  # type: ignore[arg-type]
    for _ in range(2):
        look_at_choices(Org(StageName=["Open", "Lost"], Type=["New"]), ledger)  # type: ignore[arg-type]

    assert told(ledger) == [("StageName", "Open, Won", "Open, Lost")]


def test_another_order_or_another_column_is_no_drift_of_choices(ledger: SqliteLedger) -> None:
    look_at_choices(Org(StageName=["Open", "Won"]), ledger)  # type: ignore[arg-type]
    look_at_choices(Org(StageName=["Won", "Open"], Type=["New"]), ledger)  # type: ignore[arg-type]

    assert not told(ledger)
