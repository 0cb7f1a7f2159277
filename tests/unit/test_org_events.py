"""Change events of the simulated org: how many there are, what they say, and that a fold of them is the org."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.org import HandClock, account, deal, org_at_noon, read, told
from tieout.sim.org.events import NO_RECORD
from tieout.sim.org.fields import double, text
from tieout.sim.org.life import Life
from tieout.sim.org.org import Org
from tieout.sim.org.seedling import Size, fill


@pytest.fixture
def at_noon() -> tuple[Org, HandClock]:
    return org_at_noon()


def test_several_deeds_on_a_row_are_one_event_with_the_final_state(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction(client="loader") as deed:
        made = deal(deed, NextStep="first")
        deed.update("Opportunity", made, {"NextStep": "second"})
        deed.update("Opportunity", made, {"StageName": "Closed Won"})

    (event,) = read(org)

    assert (event.change_type, event.record_ids, event.sequence_number) == ("CREATE", (made,), 1)
    assert (event.values["NextStep"], event.values["IsWon"]) == ("second", 1)
    assert event.changed == frozenset()
    assert event.change_origin == "com/salesforce/api/rest/62.0;client=loader"
    assert not {"Id", "IsDeleted", "SystemModstamp", "LastActivityDate", "ExpectedRevenue", "Amount"} & set(
        event.values
    )
    assert "Line_Total__c" in event.values


def test_an_update_tells_what_changed_and_the_last_edit(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        made = deal(deed, NextStep="call", Amount=1)
    before = org.events.latest

    with org.transaction() as deed:
        deed.update("Opportunity", made, {"NextStep": "", "Amount": "1.00"})

    (event,) = read(org, before)
    assert event.changed == {"NextStep", "LastModifiedDate"}
    assert event.nulled == {"NextStep"}
    assert event.change_origin == ""


def test_what_comes_and_goes_within_a_transaction_is_no_event(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        deed.delete("Account", account(deed))

    assert told(org) == []


def test_a_delete_says_nothing_but_who(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        one = account(deed)
    before = org.events.latest
    with org.transaction() as deed:
        deed.update("Account", one, {"Name": "Last words"})
        deed.delete("Account", one)

    (event,) = read(org, before)
    assert (event.change_type, dict(event.values), event.changed) == ("DELETE", {}, frozenset())


def test_equal_changes_of_one_second_share_an_event_of_at_most_fifty_rows(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    with org.transaction() as deed:
        ids = [account(deed, f"A{at}") for at in range(130)]
    before = org.events.latest
    with org.transaction() as deed:
        for at, record in enumerate(ids):
            deed.update("Account", record, {"Phone": "1" if at % 2 else "2"})
            clock.sleep(1 if at == 119 else 0)

    merged = read(org, before)
    assert [len(event.record_ids) for event in merged] == [50, 10, 50, 10, 5, 5]
    assert [event.sequence_number for event in merged] == [1, 2, 3, 4, 5, 6]
    assert len({event.transaction_key for event in merged}) == 1
    assert sorted(record for event in merged for record in event.record_ids) == ids


def test_too_many_changes_overflow_with_one_event_an_entity(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    org.manner.changes_most = 10
    with org.transaction() as deed:
        ids = [account(deed, f"A{at}") for at in range(8)]
    before = org.events.latest
    with org.transaction() as deed:
        for record in ids:
            deed.update("Account", record, {"Phone": "1"})
        for at in range(3):
            deal(deed, Name=f"D{at}")

    assert told(org, before) == [
        ("Account", "UPDATE", 5),
        ("Account", "GAP_OVERFLOW", 1),
        ("Opportunity", "GAP_OVERFLOW", 1),
    ]
    assert read(org, before)[-1].record_ids == (NO_RECORD,)


def test_a_mass_update_bumps_every_row_in_one_second(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    fill(org, Size(opportunities=300))
    clock.sleep(5)

    count = org.mass_update("Opportunity", "IsClosed = false", {"NextStep": "swept"})

    swept = [each for each in org.rows("Opportunity") if each["NextStep"] == "swept"]
    assert len(swept) == count > 0
    assert {each["SystemModstamp"] for each in swept} == {"2026-11-20T12:00:05.000Z"}
    assert sum(records for _, _, records in told(org)) == count


def test_gaps_come_for_what_is_too_large_and_for_what_is_asked_for(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    org.manner.bytes_most = 20_000
    org.gaps["Account"] = 1
    with org.transaction() as deed:
        one, other = account(deed), account(deed, "Other")
        large = deal(deed, Description="x" * 30_000)

    events = {event.record_ids[0]: event for event in read(org)}

    assert [events[each].change_type for each in (one, other, large)] == ["GAP_CREATE", "CREATE", "GAP_CREATE"]
    assert (dict(events[large].values), events[large].sequence_number) == ({}, 1)


def test_a_long_text_is_sent_as_a_diff(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        made = deal(deed, Description="a" * 6_000)
    before = org.events.latest
    with org.transaction() as deed:
        deed.update("Opportunity", made, {"Description": "a" * 6_000 + "b"})

    (event,) = read(org, before)
    assert event.diffed == {"Description"}
    assert event.values["Description"] == "@@ -6001,0 +6001,1 @@\n-\n+b"


def test_an_event_is_read_by_the_schema_of_its_writer(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        account(deed, "Old")
    org.admin.add_field("Account", text("Region__c", 20))
    with org.transaction() as deed:
        account(deed, "New", Region__c="EMEA")
    org.admin.rename_field("Account", "Region__c", "Area__c")
    org.admin.drop_field("Account", "Website")
    with org.transaction() as deed:
        account(deed, "Newest", Area__c="APAC")

    old, new, newest = read(org)

    assert [event.schema_version for event in (old, new, newest)] == [1, 2, 4]
    names = [[field.name for field in org.events.fields(event)] for event in (old, new, newest)]
    assert ["Region__c" in each for each in names] == [False, True, False]
    assert ["Website" in each for each in names] == [True, True, False]
    assert newest.values["Area__c"] == "APAC"


def test_a_lossy_conversion_is_told_with_a_wildcard(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        account(deed, Website="12")
        account(deed, Website="https://x.example")
    before = org.events.latest

    lost = org.admin.retype_field("Account", "Website", double("Website", 9, 1))

    assert lost == 1
    assert [each["Website"] for each in org.rows("Account")] == ["12.0", None]
    assert [(event.change_type, event.record_ids) for event in read(org, before)] == [("GAP_UPDATE", ("001*",))]


def test_a_hidden_field_is_in_no_event_query_or_description(at_noon: tuple[Org, HandClock]) -> None:
    org, _ = at_noon
    with org.transaction() as deed:
        account(deed, Phone="1")
    org.admin.hide_field("Account", "Phone")

    assert "Phone" not in read(org)[0].values
    assert "Phone" not in {field["name"] for field in _described(org)}
    assert org.rows("Account")[0]["Phone"] == "1"


def _described(org: Org) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = org.schemas["Account"].describe_json("", org.schemas.hidden("Account"))["fields"]
    return fields


def test_what_is_older_than_the_retention_is_gone(at_noon: tuple[Org, HandClock]) -> None:
    org, clock = at_noon
    for name in ("one", "two", "three"):
        with org.transaction() as deed:
            account(deed, name)
        clock.sleep(10)
    first = read(org)[0].position

    assert org.events.expire(read(org)[1].commit_timestamp_ms) == 1
    assert org.events.earliest == first
    assert [event.values["Name"] for event in read(org)] == ["two", "three"]


def test_a_fold_of_the_events_is_what_the_org_holds() -> None:
    """The one who follows them has everything but what no event carries."""
    org, clock = org_at_noon()
    fill(org, Size(accounts=40, contacts=60, leads=40, opportunities=60, line_items=80, tasks=40, users=5))
    org.manner.diff_from = 1_000_000
    told_objects = [each for each in org.schemas if each.tracked]
    replica = {each.name: {row["Id"]: dict(row) for row in org.rows(each.name)} for each in told_objects}
    life, random = Life(org, late_share=0.2), Random(11)
    for _ in range(600):
        life.step(random)
        clock.sleep(0.7)
    life.settle()

    for event in read(org):
        rows = replica[event.entity]
        for record in event.record_ids:
            if event.change_type == "DELETE":
                del rows[record]
            else:
                rows.setdefault(record, {}).update(event.values)

    assert {"merge", "undelete", "delete", "convert_lead", "locked"} <= set(life.done)
    for sobject in told_objects:
        names = [field.name for field in sobject.event_fields]
        held = {row["Id"]: [row[name] for name in names] for row in org.rows(sobject.name)}
        assert {record: [row.get(name) for name in names] for record, row in replica[sobject.name].items()} == held


def test_a_seed_brings_the_same_org_and_the_same_day_back() -> None:
    def lived() -> list[Any]:
        org, clock = org_at_noon()
        fill(org, Size(accounts=20, opportunities=20, tasks=20, line_items=20))
        life, random = Life(org), Random(4)
        for _ in range(60):
            life.step(random)
            clock.sleep(1)
        life.settle()
        return [org.rows("Opportunity", everything=True), read(org)]

    assert lived() == lived()
