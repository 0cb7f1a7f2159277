"""A column that came and is not filled yet: what was proven before it came proves nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.ledger.facts import Drifted, Fact, Landed, Ran
from tieout.ledger.ledger import Entry
from tieout.ledger.sqlite import SqliteLedger
from tieout.quality.freshness import Complete
from tieout.run.clock import SystemClock
from tieout.run.figures import Figures
from tieout.run.freshness import Freshnesses
from tieout.run.project import load_project

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=1)
ACCOUNT = Stream("crm", "account")
GAINED = Drifted(str(ACCOUNT), "added", "Segment__c", "text", "", "1.1.0")


def passed(minutes: int) -> Ran:
    through = (NOON + timedelta(minutes=minutes)).isoformat()
    return Ran("crm", "complete", "", None, json.dumps({"account": through}))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())
    yield ledger
    ledger.close()


def complete_after(ledger: SqliteLedger, root: Path, facts: list[Fact]) -> Complete:
    (root / "tieout.yaml").write_text("project: shop\nsources:\n  crm: {type: changes, path: ./inbox}\n")
    for fact in facts:
        ledger.append([fact], given=[])
    landed = Landed("b", str(ACCOUNT), "crm", "window/account", Tally(), False)
    last = {"crm": ledger.passed("crm")}
    said = Freshnesses(load_project(root, environ={}), ledger, NOW, last)
    return said.each({ACCOUNT: Figures(applied=frozenset({"b"}))}, {ACCOUNT: {"b": Entry(0, NOON, landed)}})[
        ACCOUNT
    ].complete


def test_a_pass_from_before_a_column_came_proves_nothing_of_it(ledger: SqliteLedger, tmp_path: Path) -> None:
    done = complete_after(ledger, tmp_path, [passed(10), GAINED])

    assert done.through is None
    assert done.unknown.startswith("Segment__c is new")


def test_the_next_pass_says_again_through_when_it_is_complete(ledger: SqliteLedger, tmp_path: Path) -> None:
    done = complete_after(ledger, tmp_path, [passed(10), GAINED, passed(5)])

    assert (done.through, done.unknown) == (NOON + timedelta(minutes=5), "")
