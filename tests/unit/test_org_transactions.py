"""Transactions of the simulated org: what is stamped when, who sees it when, and what follows by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.org import NOON, HandClock, account, deal, org_at_noon, read, told
from tieout.sim.org.errors import OrgError
from tieout.sim.org.fields import text
from tieout.sim.org.org import Org
from tieout.sim.org.schema import Row

NOW = "2026-11-20T12:00:00.000Z"
LATER = "2026-11-20T12:00:09.000Z"


@pytest.fixture
def at_noon() -> tuple[Org, HandClock]:
    return org_at_noon()


def row(org: Org, name: str, record: str) -> Row:
    found = org.get(name, record)
    assert found is not None
    return found


def test_a_late_commit_is_stamped_when_it_was_done_and_seen_when_it_commits(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    late = org.begin()
    record = account(late)

    clock.sleep(9)

    assert org.select("SELECT Id FROM Account").ids == []
    assert told(org) == []
    assert org.latest_covered() == NOON
    late.commit()
    assert row(org, "Account", record)["SystemModstamp"] == NOW
    assert read(org)[0].commit_timestamp_ms == int((NOON + timedelta(seconds=9)).timestamp() * 1000)
    assert org.latest_covered() == NOON + timedelta(seconds=9)


def test_what_is_rolled_back_never_was(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon

    with pytest.raises(OrgError), org.transaction() as deed:
        deal(deed, account(deed), StageName=None)

    assert org.rows("Account", everything=True) == []
    assert told(org) == []
    assert not org.locks


def test_a_row_belongs_to_one_transaction_at_a_time_and_so_does_its_parent(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        one = account(deed)
    late = org.begin()
    deal(late, one, Amount=5)

    with pytest.raises(OrgError) as refused, org.transaction() as deed:
        deed.update("Account", one, {"Name": "Other"})

    assert refused.value.code == "UNABLE_TO_LOCK_ROW"
    late.commit()
    with org.transaction() as deed:
        deed.update("Account", one, {"Name": "Other"})
    assert row(org, "Account", one)["Open_Pipeline__c"] == "5.00"


def test_a_roll_up_moves_the_stamp_of_its_parent_and_not_its_last_edit(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one, other = account(deed), account(deed)
        moving = deal(deed, one, Amount="10.10")
        deal(deed, one, Amount="0.20")
    clock.sleep(9)
    before = org.events.latest

    with org.transaction() as deed:
        deed.update("Opportunity", moving, {"AccountId": other})

    assert [row(org, "Account", each)["Open_Pipeline__c"] for each in (one, other)] == ["0.20", "10.10"]
    assert (row(org, "Account", one)["SystemModstamp"], row(org, "Account", one)["LastModifiedDate"]) == (LATER, NOW)
    assert [event.changed for event in read(org, before) if event.entity == "Account"] == [{"Open_Pipeline__c"}] * 2


def test_a_roll_up_that_comes_to_the_same_is_no_change(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one = account(deed)
        made = deal(deed, one, Amount=3)
    clock.sleep(9)

    with org.transaction() as deed:
        deed.update("Opportunity", made, {"NextStep": "call"})

    assert row(org, "Account", one)["SystemModstamp"] == NOW


def test_lines_add_up_exactly_and_a_deleted_one_no_more(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        made = deal(deed)
        line = {"OpportunityId": made, "Quantity": "3", "UnitPrice": "0.10"}
        first = deed.create("OpportunityLineItem", line)
        deed.create("OpportunityLineItem", {**line, "UnitPrice": "9999999999.99"})

    assert row(org, "Opportunity", made)["Line_Total__c"] == "30000000000.27"
    with org.transaction() as deed:
        deed.delete("OpportunityLineItem", first)
    assert row(org, "Opportunity", made)["Line_Total__c"] == "29999999999.97"


def test_a_formula_drifts_without_a_stamp_or_an_event(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one = account(deed, Tier__c="SMB")
        made = deal(deed, one)
    clock.sleep(9)
    before = org.events.latest

    with org.transaction() as deed:
        deed.update("Account", one, {"Tier__c": "Strategic"})

    (shown,) = org.rows("Opportunity", "Id, Account_Tier__c, SystemModstamp")
    assert shown == {"Id": made, "Account_Tier__c": "Strategic", "SystemModstamp": NOW}
    assert {event.entity for event in read(org, before)} == {"Account"}


def test_a_finished_task_moves_a_stamp_that_no_event_tells_of(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one = account(deed)
    clock.sleep(9)
    before = org.events.latest

    with org.transaction() as deed:
        deed.create("Task", {"WhatId": one, "Status": "Completed", "ActivityDate": "2026-11-19"})

    assert (row(org, "Account", one)["LastActivityDate"], row(org, "Account", one)["SystemModstamp"]) == (
        "2026-11-19",
        LATER,
    )
    assert row(org, "Account", one)["LastModifiedDate"] == NOW
    assert told(org, before) == []


def test_a_deleted_row_stays_in_the_bin_until_it_is_purged(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one = account(deed)
    clock.sleep(9)
    with org.transaction() as deed:
        deed.delete("Account", one)

    assert org.rows("Account") == []
    assert row(org, "Account", one)["SystemModstamp"] == LATER
    assert org.deleted_between("Account", NOW, "2027") == [(one, LATER)]
    before = org.events.latest
    assert org.silent.purge_bin("Account") == [one]
    assert org.get("Account", one) is None
    assert org.deleted_between("Account", NOW, "2027") == [(one, LATER)]
    assert told(org, before) == []


def test_an_undelete_brings_back_what_went_with_the_row_and_nothing_else(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        made = deal(deed)
        line = {"OpportunityId": made, "Quantity": 1, "UnitPrice": 2}
        gone, kept = (deed.create("OpportunityLineItem", line) for _ in range(2))
    with org.transaction() as deed:
        deed.delete("OpportunityLineItem", gone)
    with org.transaction() as deed:
        deed.delete("Opportunity", made)
    before = org.events.latest

    with org.transaction() as deed:
        deed.undelete("Opportunity", made)

    assert [each["Id"] for each in org.rows("OpportunityLineItem")] == [kept]
    assert row(org, "Opportunity", made)["Line_Total__c"] == "2.00"
    assert [event[:2] for event in told(org, before)] == [
        ("Opportunity", "UNDELETE"),
        ("OpportunityLineItem", "UNDELETE"),
    ]
    assert [each[0] for each in org.deleted_between("OpportunityLineItem", NOW, "2027")] == [gone]


def test_a_merge_deletes_the_loser_towards_the_winner_and_takes_its_children_along(
    at_noon: tuple[Org, HandClock],
) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        winner, loser = account(deed, "Winner"), account(deed, "Loser")
        made = deal(deed, loser, Amount=7)
    before = org.events.latest

    with org.transaction() as deed:
        deed.merge("Account", winner, [loser])

    assert (row(org, "Account", loser)["IsDeleted"], row(org, "Account", loser)["MasterRecordId"]) == (1, winner)
    assert row(org, "Opportunity", made)["AccountId"] == winner
    assert row(org, "Account", winner)["Open_Pipeline__c"] == "7.00"
    kinds = {(event.entity, event.change_type) for event in read(org, before)}
    assert kinds == {("Account", "UPDATE"), ("Account", "DELETE"), ("Opportunity", "UPDATE")}


@pytest.mark.parametrize(
    ("deed_done", "code"),
    [
        ({"Nope": 1}, "INVALID_FIELD"),
        ({"SystemModstamp": NOW}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Health_Score__c": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Name": ""}, "REQUIRED_FIELD_MISSING"),
        ({"ParentId": "0015f0zzzzzzzzz"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": "0015f0zzzzzzzzz"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_what_may_not_be_written_is_refused(
    at_noon: tuple[Org, HandClock], deed_done: dict[str, object], code: str
) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        one = account(deed)

    with pytest.raises(OrgError) as refused, org.transaction() as deed:
        deed.update("Account", one, deed_done)

    assert refused.value.code == code


def test_a_database_job_moves_what_it_is_told_to_move(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        one, other = account(deed), account(deed)
    clock.sleep(9)
    before = org.events.latest

    org.silent.database_job("Account", [one], {"Phone": "1"}, moves_stamp=False)
    org.silent.database_job("Account", [other], {"Phone": "2"}, tells_gap=True)
    org.admin.rename_picklist_value("Account", "Tier__c", "SMB", "Small")

    assert [(each["Phone"], each["SystemModstamp"]) for each in org.rows("Account")] == [("1", NOW), ("2", LATER)]
    assert [(event.change_type, event.record_ids) for event in read(org, before)] == [("GAP_UPDATE", (other,))]


def test_a_schema_that_changes_under_an_open_transaction_takes_what_it_can(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        old = account(deed, "Old", Tier__c="SMB")
    late = org.begin()
    late.update("Account", old, {"Website": "w", "Phone": "1"})
    new = account(late, "New", Website="w")

    org.admin.drop_field("Account", "Website")
    org.admin.add_field("Account", text("New__c", 5, default="x"))
    late.commit()

    assert [(row["Id"], row["Phone"], row["New__c"]) for row in org.rows("Account")] == [
        (old, "1", "x"),
        (new, None, "x"),
    ]
    assert "Website" not in read(org)[-1].values
    assert {event.schema_version for event in read(org)} == {1, 3}


def test_a_field_that_others_rest_on_stays(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon

    for name, field in (("Account", "Tier__c"), ("Opportunity", "Amount"), ("Deal_Desk__c", "Discount__c")):
        with pytest.raises(OrgError) as refused:
            org.admin.drop_field(name, field)
        assert refused.value.code == "DEPENDENCY_EXISTS"


def test_a_clean_up_may_tell_of_a_gap(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        one = account(deed)
    before = org.events.latest

    org.silent.hard_delete("Account", [one], tells_gap=True)

    assert told(org, before) == [("Account", "GAP_DELETE", 1)]


def test_a_hard_delete_leaves_the_delete_log_alone(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        one = account(deed)
    before = org.events.latest

    org.silent.hard_delete("Account", [one])

    assert org.rows("Account", everything=True) == []
    assert told(org, before) == []
    assert [each[0] for each in org.deleted_between("Account", NOW, "2027")] == [one]
