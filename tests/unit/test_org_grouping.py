"""Groups of the simulated org: by fields and by the days of moments, as many as one answer has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.org import Caller, HandClock, account, deal, org_at_noon
from tieout.sim.org.errors import OrgError
from tieout.sim.org.grouping import must_fit
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer

DAY = "DAY_ONLY(CreatedDate)"


@pytest.fixture
def caller() -> Iterator[Caller]:
    """Of an org with a deal at 23:59:59, two at midnight behind it and one two hours later, which was deleted."""
    org, clock = org_at_noon()
    clock.at = clock.at.replace(hour=23, minute=59, second=59)
    made(org, clock, "1.10", after=0)
    made(org, clock, "1.20", after=1)
    made(org, clock, None, after=0)
    last = made(org, clock, "9", after=7200)
    with org.transaction() as deed:
        deed.delete("Opportunity", last)
    with OrgServer(org) as server:
        yield Caller(server)


def made(org: Org, clock: HandClock, amount: str | None, *, after: int) -> str:
    clock.at += timedelta(seconds=after)
    with org.transaction() as deed:
        return deal(deed, account(deed), Amount=amount)


def test_days_are_utc_s_and_what_has_no_alias_is_numbered(caller: Caller) -> None:
    told = caller.query(f"SELECT {DAY} d, COUNT(Id), SUM(Amount), MAX(CreatedDate) m FROM Opportunity GROUP BY {DAY}")

    kind = {"type": "AggregateResult"}
    assert (told["totalSize"], told["done"]) == (2, True)
    assert told["records"] == [
        {"attributes": kind, "d": "2026-11-20", "expr0": 1, "expr1": 1.1, "m": "2026-11-20T23:59:59.000+0000"},
        {"attributes": kind, "d": "2026-11-21", "expr0": 2, "expr1": 1.2, "m": "2026-11-21T00:00:00.000+0000"},
    ]


@pytest.mark.parametrize(
    ("soql", "words"),
    [
        (f"SELECT {DAY}, COUNT(Id) FROM Opportunity GROUP BY CreatedDate", "must be grouped"),
        (f"SELECT {DAY} FROM Opportunity", "must be grouped"),
        ("SELECT COUNT(Id) FROM Opportunity GROUP BY DAY_ONLY(CloseDate)", "DAY_ONLY"),
    ],
)
def test_what_cannot_be_grouped_is_refused(caller: Caller, soql: str, words: str) -> None:
    refused = caller.get("query", q=soql)

    (told,) = refused.json()
    assert (refused.status_code, told["errorCode"]) == (400, "MALFORMED_QUERY")
    assert words in told["message"]


def test_more_groups_than_an_answer_has_are_refused() -> None:
    must_fit(2_000)
    with pytest.raises(OrgError, match="queryMore"):
        must_fit(2_001)
