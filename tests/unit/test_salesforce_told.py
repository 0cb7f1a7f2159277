"""What change events come to: their cover is what their bitmaps say, and what they do not tell is a gap or a doubt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.salesforce_events import (
    ADA,
    BOB,
    COMMIT_MS,
    DEAL_TYPES,
    OBJECTS,
    SCHEMAS,
    cache,
    compound,
    event,
    followed,
    schema_json,
)
from tieout.base.errors import Rejected, Transient
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType
from tieout.capture.salesforce.events.lately import Lately
from tieout.capture.salesforce.events.plan import Followed
from tieout.capture.salesforce.events.received import Received
from tieout.capture.salesforce.events.schema import EventSchema, SchemaCache
from tieout.capture.salesforce.events.told import Doubt, Told, tables
from tieout.contract.contract import Contract
from tieout.contract.judge import judge

SECOND = COMMIT_MS // 1000


def told(*events: Received, objects: Mapping[str, Followed] = OBJECTS, lately: Lately | None = None) -> Told:
    return tables(events, cache(), objects, lately=lately)


def rows(*events: Received, of: str = "opportunity", objects: Mapping[str, Followed] = OBJECTS) -> list[dict[str, Any]]:
    return [dict(row) for row in told(*events, objects=objects).tables[of].to_pylist()]


def said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of a row, and the values of what it covers."""
    return row["_kind"], {name: row[name] for name in json.loads(row["_cover"])}


def test_a_new_row_covers_all_that_its_events_carry() -> None:
    (row,) = rows(event("CREATE", Name="Deal", Amount=45000.0, IsWon=False, CloseDate=COMMIT_MS))

    assert said(row) == (
        "image",
        {
            "Name": "Deal", "Amount": "45000.00", "IsWon": "false", "CloseDate": "2023-11-14", "StageName": None,
            "Description": None, "LastModifiedDate": None,
        },
    )  # fmt: skip
    assert row["Id"] == ADA


def test_a_row_that_comes_back_is_alive_with_all_its_fields() -> None:
    (row,) = rows(event("UNDELETE", StageName="Won"))

    assert said(row)[0] == "undelete"
    assert said(row)[1]["StageName"] == "Won"


def test_an_update_covers_what_its_bitmaps_name_and_no_other_null() -> None:
    (row,) = rows(event("UPDATE", changed=["StageName", "LastModifiedDate"], StageName="Won", LastModifiedDate=1))

    assert said(row) == ("patch", {"StageName": "Won", "LastModifiedDate": "1970-01-01T00:00:00.001Z"})
    assert "Amount" not in row


def test_a_value_that_no_bitmap_names_is_not_told() -> None:
    (row,) = rows(event("UPDATE", changed=["StageName"], StageName="Won", Amount=7.0))

    assert "Amount" not in row


def test_a_field_that_became_null_is_covered() -> None:
    (row,) = rows(event("UPDATE", changed=["StageName"], nulled=["Amount"], StageName="Won"))

    assert said(row) == ("patch", {"StageName": "Won", "Amount": None})


def test_text_without_a_character_is_null() -> None:
    (row,) = rows(event("UPDATE", changed=["StageName"], StageName=""))

    assert said(row) == ("patch", {"StageName": None})


def test_a_change_stands_at_its_commit() -> None:
    (row,) = rows(event("UPDATE", commit_ms=COMMIT_MS + 1_999, number=77, rank=3))

    assert (row["_position"], row["_class"], row["_minor"], row["_rank"]) == (SECOND + 1, 1, 77, 3)
    assert row["_observed_at"].timestamp() == SECOND + 1.999
    assert row["_fault"] is None


def test_a_deletion_says_only_that() -> None:
    assert said(rows(event("DELETE"))[0]) == ("delete", {})
    assert said(rows(event("GAP_DELETE"))[0]) == ("delete", {})


@pytest.mark.parametrize("change", ["GAP_CREATE", "GAP_UPDATE", "GAP_UNDELETE", "SNAPSHOT"])
def test_a_gap_is_of_its_records(change: str) -> None:
    found = rows(event(change, ids=[ADA, BOB]))

    assert [(row["_kind"], row["Id"], row["_cover"]) for row in found] == [("gap", ADA, "[]"), ("gap", BOB, "[]")]


def test_an_event_of_many_records_is_a_change_of_each() -> None:
    found = rows(event("UPDATE", ids=[ADA[:15], BOB], changed=["StageName"], StageName="Won"))

    assert [(row["Id"], row["StageName"]) for row in found] == [(ADA, "Won"), (BOB, "Won")]
    assert [row["_ordinal"] for row in found] == [0, 1]


def test_a_field_told_as_a_difference_is_a_gap() -> None:
    patch, gap = rows(
        event("UPDATE", changed=["StageName", "Description"], diffs=["Description"], StageName="Won", Description="@@")
    )

    assert said(patch) == ("patch", {"StageName": "Won"})
    assert (gap["_kind"], gap["Id"], gap["_position"]) == ("gap", ADA, SECOND)
    assert "Description" not in patch


def test_parts_of_a_compound_are_columns_of_their_own() -> None:
    (row,) = rows(
        event(
            "UPDATE",
            schema_id="person",
            changed=["Name.FirstName", "MailingAddress.City", "OtherAddress.City", "Email"],
            Name={"FirstName": "Ada"},
            MailingAddress={"City": "Bern"},
            OtherAddress={"City": "Thun"},
            Email="a@example.org",
        ),
        of="contact",
    )

    assert said(row) == (
        "patch", {"FirstName": "Ada", "MailingCity": "Bern", "OtherCity": "Thun", "Email": "a@example.org"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event_", "name"),
    [
        (event("UPDATE", schema_id="person", nulled=["Name"]), {}),
        (event("UPDATE", schema_id="person", changed=["Name"], Name={"LastName": "Byron"}), {"LastName": "Byron"}),
    ],
)
def test_a_compound_that_changed_as_a_whole_covers_all_its_parts(event_: Received, name: dict[str, str]) -> None:
    (row,) = rows(event_, of="contact")

    assert said(row) == ("patch", {"Salutation": None, "FirstName": None, "LastName": None, **name})


def test_a_compound_named_by_parts_and_as_a_whole_is_meant_by_its_parts() -> None:
    """Else the null of an unchanged part would stand for a value."""
    (row,) = rows(
        event("UPDATE", schema_id="person", bitmaps={"changedFields": ["0x02", "1-0x02"]}, Name={"FirstName": "Ada"}),
        of="contact",
    )

    assert said(row) == ("patch", {"FirstName": "Ada"})


def test_the_name_of_a_firm_is_plain_and_that_of_a_person_is_in_parts() -> None:
    firm, person = rows(
        event("CREATE", schema_id="account", Name="Firm"),
        event("CREATE", schema_id="account", Name={"FirstName": "Ada", "LastName": "Byron"}),
        of="account",
    )

    assert said(firm) == ("image", {"Name": "Firm", "FirstName": None, "LastName": None})
    assert said(person) == ("image", {"FirstName": "Ada", "LastName": "Byron"})


def test_a_name_that_an_update_says_of_a_firm_is_plain() -> None:
    (row,) = rows(event("UPDATE", schema_id="account", changed=["Name"], Name="Firm"), of="account")

    assert said(row)[1]["Name"] == "Firm"


def test_columns_that_are_derived_or_not_described_are_not_covered() -> None:
    """A field that is hidden from us stands in the schema too, and is always null there."""
    objects = {"opportunity": followed({"Name": "text", "StageName": "text"}, derived=["StageName"])}

    (row,) = rows(event("CREATE", Name="Deal", StageName="Won", Amount=1.0), objects=objects)

    assert said(row) == ("image", {"Name": "Deal"})
    assert "Amount" not in row


def test_a_field_that_is_newer_than_the_description_is_named() -> None:
    found = told(event("UPDATE", schema_id="deal-2", changed=["New__c", "StageName"], New__c="x", StageName="Won"))

    assert found.unknown == {"opportunity": {"New__c"}}
    assert said(found.tables["opportunity"].to_pylist()[0]) == ("patch", {"StageName": "Won"})


def test_each_event_is_read_by_the_schema_of_its_writer() -> None:
    """Positions differ between the two."""
    found = rows(
        event("UPDATE", changed=["StageName"], StageName="a"),
        event("UPDATE", schema_id="deal-2", changed=["StageName", "New__c"], StageName="b", New__c="n"),
        event("UPDATE", changed=["Amount"], Amount=1.5),
        objects={"opportunity": followed({"New__c": "text", "StageName": "text", "Amount": "numeric"})},
    )

    assert [said(row)[1] for row in found] == [
        {"StageName": "a"}, {"StageName": "b", "New__c": "n"}, {"Amount": "1.5"},
    ]  # fmt: skip


def test_an_overflow_is_a_doubt_from_its_commit_on() -> None:
    found = told(event("GAP_OVERFLOW", ids=["000000000000000AAA"]))

    assert found.doubts == (Doubt("opportunity", "overflow", SECOND, whole=False),)
    assert not found.tables


def test_a_wildcard_is_a_doubt_of_the_whole_object() -> None:
    found = told(event("GAP_UPDATE", ids=["006*"]))

    assert found.doubts == (Doubt("opportunity", "wildcard", SECOND, whole=True),)
    assert not found.tables


def test_an_event_that_cannot_be_read_is_kept_and_a_doubt_since_what_was_heard_before() -> None:
    found = told(event("UPDATE"), Received("deal-1", b"r2", b"\x02\x00"), event("UPDATE", commit_ms=COMMIT_MS + 9_000))

    before, faulty, after = found.tables["opportunity"].to_pylist()
    assert faulty["_fault"].startswith("undecodable: EOFError")
    assert (faulty["_raw"], faulty["Id"], faulty["_position"]) == (b"\x02\x00", None, None)
    assert [before["_fault"], after["_fault"]] == [None, None]
    assert found.doubts == (Doubt("opportunity", "undecodable", SECOND, whole=False),)


@pytest.mark.parametrize(
    "odd",
    [
        event("UPDATE", bitmaps={"changedFields": ["0xFF00"]}),
        event("UPDATE", bitmaps={"changedFields": ["Amount"]}),
        event("UPDATE", ids=["006A0000006Vm9riac"]),
        event("UPDATE", ids=[]),
        event("UPDATE", commit_ms=2**62),
        Received("deal-1", b"r", event("UPDATE").payload + b"\0"),
    ],
    ids=["beyond the schema", "no bitmap", "no id", "no record", "no moment", "longer"],
)
def test_an_event_that_makes_no_sense_is_set_aside(odd: Received) -> None:
    found = told(odd, lately=Lately(commit_ms=5_000))

    (row,) = found.tables["opportunity"].to_pylist()
    assert (row["_fault"] is None, row["_raw"]) == (False, odd.payload)
    assert found.doubts == (Doubt("opportunity", "undecodable", 5, whole=False),)


def test_a_schema_that_cannot_be_read_leaves_every_object_in_doubt() -> None:
    found = told(event("UPDATE"), Received("no-header", b"r2", b"\x02"))

    assert {doubt.object for doubt in found.doubts} == set(OBJECTS)
    assert {doubt.reason for doubt in found.doubts} == {"unreadable_schema"}


def test_events_of_objects_that_are_not_followed_are_counted() -> None:
    found = told(event("CREATE", schema_id="desk", Discount__c=1.0), event("CREATE"))

    assert (found.passed_over, list(found.tables)) == (1, ["opportunity"])


def test_the_answer_says_how_far_it_goes() -> None:
    found = told(event("DELETE", commit_ms=9_000, replay_id=b"a"), event("DELETE", commit_ms=8_000, replay_id=b"b"))

    assert (found.replay_id, found.commit_ms, found.schemas_met) == (b"b", 9_000, {"deal-1"})
    assert told().replay_id is None


@pytest.mark.parametrize(
    ("first", "second", "position"),
    [
        ((10, SECOND + 5), (11, SECOND + 3), SECOND + 5),
        ((11, SECOND + 3), (10, SECOND + 5), SECOND + 5),
    ],
)
def test_two_orders_that_disagree_about_a_record_are_a_gap(
    first: tuple[int, int], second: tuple[int, int], position: int
) -> None:
    found = rows(*(event("UPDATE", number=number, commit_ms=at * 1000) for number, at in (first, second)))

    assert [row["_kind"] for row in found] == ["patch", "patch", "gap"]
    assert (found[2]["Id"], found[2]["_position"]) == (ADA, position)


def test_events_told_twice_or_late_are_no_disagreement() -> None:
    events = [event("UPDATE", number=number, commit_ms=(SECOND + number) * 1000) for number in (1, 2, 3)]

    assert {row["_kind"] for row in rows(*events, *events)} == {"patch"}


def test_two_orders_of_different_records_may_disagree() -> None:
    found = rows(event("UPDATE", number=10, commit_ms=9_000), event("UPDATE", ids=[BOB], number=11, commit_ms=8_000))

    assert [row["_kind"] for row in found] == ["patch", "patch"]


def test_what_was_heard_is_remembered_for_a_bounded_number_of_records() -> None:
    lately = Lately(records_max=2)
    for record in ("a", "b", "c", "d", "e"):
        lately = lately.then()
        lately.inverted(record, 10, 100)

    assert lately.then().inverted("e", 11, 90) == 100
    assert lately.then().inverted("a", 11, 90) is None


def test_what_did_not_land_is_told_again_with_its_disagreement_and_its_doubt() -> None:
    before = told(event("UPDATE", number=10, commit_ms=9_000)).lately
    again = [event("UPDATE", number=11, commit_ms=8_000), Received("deal-1", b"r", b""), event("UPDATE", number=12)]

    first, second = (told(*again, lately=before) for _ in range(2))

    assert first.tables["opportunity"].equals(second.tables["opportunity"])
    assert first.tables["opportunity"]["_kind"].to_pylist() == ["patch", "gap", "patch", "patch"]
    assert first.doubts == second.doubts == (Doubt("opportunity", "undecodable", 9, whole=False),)


@pytest.mark.parametrize(
    ("avro", "type_", "value", "text"),
    [
        ("double", "decimal(18,2)", 1e7, "10000000.00"),
        ("double", "decimal(38,2)", 1e22, "10000000000000000000000.00"),
        ("double", "numeric", 1e-7, "0.0000001"),
        ("double", "decimal(18,2)", 0.1, "0.10"),
        ("double", "decimal(18,2)", 0.125, "0.125"),
        ("double", "decimal(18,0)", -3.0, "-3"),
        ("double", "bigint", 5.0, "5"),
        ("int", "bigint", -2, "-2"),
        ("long", "decimal(18,2)", 12, "12.00"),
        ("boolean", "boolean", False, "false"),
        ("long", "date", -1, "1969-12-31"),
        ("long", "date", 64_092_124_800_000, "4000-12-31"),
        ("long", "date", -8_520_336_000_000, "1700-01-01"),
        ("long", "timestamptz", -1, "1969-12-31T23:59:59.999Z"),
        ("long", "timestamptz", 1_714_558_830_000, "2024-05-01T10:20:30.000Z"),
        ("long", "timestamptz", 2**60, str(2**60)),
        ("long", "time", 37_230_005, "10:20:30.005"),
        ("long", "time", 86_400_000, "86400000"),
        ("string", "date", "2024-05-01", "2024-05-01"),
        ({"type": "int", "logicalType": "date"}, "date", 19_844, "2024-05-01"),
        ({"type": "long", "logicalType": "timestamp-millis"}, "timestamptz", 0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_value_has_one_text(avro: Any, type_: str, value: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"date": "int", "timestamp-millis": "long"}.get(avro["logicalType"], "") if isinstance(avro, dict) else avro
    monkeypatch.setitem(SCHEMAS, "one", schema_json("Opportunity", {"X__c": plain}))
    written = event("CREATE", schema_id="one", X__c=value)
    monkeypatch.setitem(SCHEMAS, "one", schema_json("Opportunity", {"X__c": avro}))

    (row,) = rows(written, objects={"opportunity": followed({"X__c": type_})})

    assert row["X__c"] == text


def test_columns_have_the_names_that_queries_give_them() -> None:
    parts = compound("Address", "Street", "StateCode")
    schema = EventSchema.of(
        "s",
        schema_json(
            "Deal_Desk__c",
            {"BillingAddress": parts, "Address": "Address", "Home__c": "Address", "Name": "string", "Odd": "bytes"},
        ),
    )

    assert schema.entity == "Deal_Desk__c"
    assert schema.columns == {
        "BillingStreet", "BillingStateCode", "Street", "StateCode", "Home__Street__s", "Home__StateCode__s", "Name",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '"string"', '{"fields": [1]}', SCHEMAS["no-header"]])
def test_what_is_no_schema_of_a_change_event_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        EventSchema.of("s", text)


def test_a_schema_is_asked_for_once_and_again_after_an_error() -> None:
    asked = []

    def fetch(schema_id: str) -> str:
        asked.append(schema_id)
        if len(asked) == 1:
            raise Transient("away")
        return SCHEMAS[schema_id]

    schemas = SchemaCache(fetch)
    with pytest.raises(Transient):
        tables([event("DELETE")], schemas, OBJECTS)
    tables([event("DELETE")] * 3, schemas, OBJECTS)

    assert asked == ["deal-1", "deal-1"]


def test_the_judge_takes_what_is_told_and_sets_aside_what_could_not_be_read() -> None:
    columns = tuple(Column(name, ColumnType.parse(type_)) for name, type_ in DEAL_TYPES.items())
    contract = Contract(Stream.parse("salesforce.opportunity"), columns, ("Id",), "1.0.0", "active", "digest")
    found = told(
        event("CREATE", Name="Deal", Amount=1e7, CloseDate=COMMIT_MS, LastModifiedDate=COMMIT_MS, IsWon=True),
        event("UPDATE", changed=["StageName", "Description"], diffs=["Description"], StageName="Won"),
        Received("deal-1", b"r", b"\xff\xff"),
        event("DELETE"),
    )

    key = f'["{ADA}"]'
    judged = judge(found.tables["opportunity"], contract, encoding="text", epoch=1).changes.to_pylist()

    assert [(row["_kind"], row["_key"]) for row in judged] == [
        ("image", key), ("patch", key), ("gap", key), ("patch", None), ("delete", key),
    ]  # fmt: skip
    assert [row["_fault"] is None for row in judged] == [True, True, True, False, True]
    assert judged[0]["Amount"] == Decimal("10000000.00")
    assert judged[0]["CloseDate"] == date(2023, 11, 14)
    assert judged[3]["_raw"] == b"\xff\xff"
