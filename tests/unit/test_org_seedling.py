"""The past of a simulated org: its figures hang together, and the rows that break pipelines are there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.org import org_at_noon
from tieout.sim.org.gallery import LOST_PARENT
from tieout.sim.org.org import Org
from tieout.sim.org.schema import Row, Stored
from tieout.sim.org.seedling import Size, fill
from tieout.sim.org.selecting import Kept


@pytest.fixture(scope="module")
def org() -> Org:
    org, _ = org_at_noon()
    fill(org, Size())
    return org


def sums(rows: list[Row], by: str, of: str) -> dict[Stored, Decimal]:
    total: dict[Stored, Decimal] = {}
    for row in rows:
        total[row[by]] = total.get(row[by], Decimal(0)) + Decimal(str(row[of] or 0))
    return total


def test_roll_ups_are_the_sums_of_their_children(org: Org) -> None:
    still_open = [row for row in org.rows("Opportunity") if not row["IsClosed"]]
    pipeline, lines = (
        sums(still_open, "AccountId", "Amount"),
        sums(org.rows("OpportunityLineItem"), "OpportunityId", "TotalPrice"),
    )

    for account in org.rows("Account"):
        assert Decimal(str(account["Open_Pipeline__c"])) == pipeline.get(account["Id"], 0)
    for deal in org.rows("Opportunity"):
        assert Decimal(str(deal["Line_Total__c"])) == lines.get(deal["Id"], 0)


def test_it_spreads_over_years_and_ids_rise_with_them(org: Org) -> None:
    leads = org.rows("Lead", "Id, CreatedDate, SystemModstamp", everything=True)
    created = [str(row["CreatedDate"]) for row in sorted(leads, key=lambda row: str(row["Id"]))]

    assert created == sorted(created)
    assert (created[0][:4], created[-1][:7]) == ("2023", "2026-11")
    assert all(str(row["SystemModstamp"]) >= str(row["CreatedDate"]) for row in leads)


def test_old_activities_are_archived_and_some_rows_are_in_the_bin(org: Org) -> None:
    archived = org.select("SELECT COUNT() FROM Task WHERE IsArchived = true", kept=Kept.EVERYTHING).total

    assert archived > 100
    assert org.select("SELECT COUNT() FROM Task").total == 1_000 - archived
    assert (
        len(org.binned("Lead"))
        == org.select("SELECT Id FROM Lead WHERE IsDeleted = true", kept=Kept.EVERYTHING).total
        == 1
    )


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("Opportunity", "Amount = null AND StageName = 'Closed Won'"),
        ("Opportunity", "CloseDate = 4000-12-31"),
        ("Opportunity", "CloseDate = 1700-01-01"),
        ("Opportunity", f"AccountId = '{LOST_PARENT}'"),
        ("Opportunity", "LastModifiedDate > TOMORROW"),
        ("Opportunity", "CreatedDate < 1999-01-01T00:00:00Z"),
        ("Opportunity", "NextStep = '#N/A'"),
        ("Opportunity", "Amount > 9999999999999998"),
        ("Account", "Name LIKE '=HYPER%'"),
        ("Account", "Name LIKE '%\U0001f680%'"),
        ("Contact", "Email = 'same@mail.example'"),
        ("Deal_Desk__c", "Discount__c = 999.99"),
    ],
)
def test_what_breaks_pipelines_is_there(org: Org, name: str, where: str) -> None:
    assert org.select(f"SELECT Id FROM {name} WHERE {where}").total >= 1


def test_nothing_of_the_past_is_told_as_an_event(org: Org) -> None:
    assert len(org.events) == 0
    assert org.locks == {}
