"""The rules of the org's Pub/Sub server, each by itself."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import fastavro
import grpc
import pytest

from tests.org import HandClock, account, org_at_noon
from tieout.sim.org.events import ChangeEvent
from tieout.sim.org.fields import date, datetime_, double, integer, text
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.allowance import Allowance
from tieout.sim.org.pubsub.avro import EventSchema, event_name
from tieout.sim.org.pubsub.bitmaps import bitmaps, emptied
from tieout.sim.org.pubsub.credit import Credit
from tieout.sim.org.pubsub.messages import EARLIEST, FetchRequest
from tieout.sim.org.pubsub.reading import Reading
from tieout.sim.org.pubsub.refusals import Refusal
from tieout.sim.org.pubsub.replay import Place, ReplayIds
from tieout.sim.org.pubsub.schemas import EventSchemas
from tieout.sim.org.pubsub.topics import entities_of
from tieout.sim.org.schema import Stored


def test_a_request_stands_on_the_wire_as_it_was_published() -> None:
    request = FetchRequest(topic_name="/data/ChangeEvents", replay_preset=EARLIEST, num_requested=5)

    wire = bytes.fromhex("0a122f646174612f4368616e67654576656e747310012005")
    assert request.SerializeToString() == wire
    assert FetchRequest.FromString(wire) == request


@pytest.mark.parametrize(
    ("positions", "told"),
    [
        ([5, 6, 7, 10, 24, 26, 29, 30], ["0x650004E0"]),
        ([4], ["0x10"]),
        ([1, 2], ["0x06"]),
        ([55], ["0x80000000000000"]),
        ([], []),
    ],
)
def test_bitmaps_are_the_published_ones(positions: list[int], told: list[str]) -> None:
    assert bitmaps((position, None) for position in positions) == told


def test_children_follow_their_parents_and_a_whole_record_is_told_as_one() -> None:
    seats = [(7, 1), (4, 4), (5, None), (7, 2)]

    assert bitmaps(seats) == ["0x20", "4-0x10", "7-0x06"]
    assert bitmaps(seats, {7}) == ["0xA0", "4-0x10"]
    assert bitmaps([(7, 1)]) == ["7-0x02"]
    assert emptied([(7, 1), (7, 2), (4, 4)], {7: frozenset({1, 2}), 4: frozenset({3, 4})}) == {7}


def test_credits_add_up_and_end_at_a_hundred() -> None:
    credit = Credit("/data/ChangeEvents")

    credit.request("/data/ChangeEvents", 60)
    credit.request("", 60)
    assert credit.pending == 100
    credit.spend(99, now=1.0)
    assert not credit.forfeited(1000.0, 60)
    credit.spend(1, now=2.0)
    assert not credit.forfeited(61.0, 60)
    assert credit.forfeited(62.1, 60)
    credit.request("", 1)
    assert not credit.forfeited(1000.0, 60)


@pytest.mark.parametrize(
    ("topic", "count", "code"),
    [("/data/Other", 1, "topic.mismatch"), ("", 0, "events.invalid"), ("", -1, "events.invalid")],
)
def test_a_wrong_request_spends_nothing(topic: str, count: int, code: str) -> None:
    credit = Credit("/data/ChangeEvents")

    with pytest.raises(Refusal) as refused:
        credit.request(topic, count)

    assert refused.value.error_code.endswith(code)
    assert refused.value.status is grpc.StatusCode.INVALID_ARGUMENT
    assert credit.pending == 0


def test_a_replay_id_leads_back_and_no_other_bus_understands_it() -> None:
    ids, moved, other = ReplayIds(1, 0), ReplayIds(1, 1), ReplayIds(2, 0)
    places = [Place(position, 1_795_000_000_000 + position) for position in (0, 1, 2, 77, 2**40)]

    told = [ids.encode(place) for place in places]

    assert [ids.decode(each) for each in told] == places
    assert ids.encode(places[3]) == ReplayIds(1, 0).encode(places[3])
    assert {moved.decode(each) for each in told} == {other.decode(each) for each in told} == {None}
    assert ids.decode(b"") is None
    assert ids.decode(told[0][:-1]) is None


def test_what_was_delivered_weighs_a_day() -> None:
    clock = HandClock()
    allowance = Allowance(10, clock)

    allowance.deliver(7)
    clock.sleep(3600)
    allowance.deliver(2)
    assert allowance.left(5) == 1
    clock.sleep(timedelta(hours=23, minutes=2).total_seconds())
    assert allowance.left(50) == 8
    assert Allowance(None, clock).left(100) == 100


def test_topics_are_the_captured_ones_and_channels() -> None:
    captured, channels = ("Account", "Deal_Desk__c"), {"People__chn": ("Contact",)}

    assert entities_of("/data/ChangeEvents", captured, channels) is None
    assert entities_of("/data/AccountChangeEvent", captured, channels) == {"Account"}
    assert entities_of("/data/Deal_Desk__ChangeEvent", captured, channels) == {"Deal_Desk__c"}
    assert entities_of("/data/People__chn", captured, channels) == {"Contact"}
    for unknown in ("/data/ContactChangeEvent", "/event/People__chn", "People__chn", "/data/"):
        with pytest.raises(Refusal):
            entities_of(unknown, captured, channels)
    assert event_name("Opportunity") == "OpportunityChangeEvent"


def schema(*fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(EventSchema("00D", "Thing__c", 1, fields).json)
    return told


def test_a_schema_names_its_entity_and_each_field_may_be_null() -> None:
    told = schema(
        text("Name", 80), integer("Count__c"), double("Size__c", 10, 2), date("On__c"), datetime_("At__c"),
    )  # fmt: skip

    header, *fields = told["fields"]
    assert (told["name"], header["name"]) == ("Thing__ChangeEvent", "ChangeEventHeader")
    assert [(field["name"], field["type"]) for field in fields] == [
        ("Name", ["null", "string"]), ("Count__c", ["null", "int"]), ("Size__c", ["null", "double"]),
        ("On__c", ["null", "long"]), ("At__c", ["null", "long"]),
    ]  # fmt: skip


def test_the_second_address_refers_to_the_first() -> None:
    told = schema(
        text("ShippingCity", 40, compound="ShippingAddress"), text("BillingCity", 40, compound="BillingAddress")
    )

    first, second = told["fields"][1:]
    children = [child["name"] for child in first["type"][1]["fields"]]
    assert (first["name"], children) == ("ShippingAddress", ["Street", "City", "State", "PostalCode", "Country"])
    assert second["type"] == ["null", "com.sforce.eventbus.Address"]


def test_a_schema_id_is_stable_and_one_of_its_kind() -> None:
    org, _ = org_at_noon()
    before = EventSchemas(org.org_id, org.schemas)
    account = before.current("Account").id

    org.admin.add_field("Account", text("New__c", 10))
    after = EventSchemas(org.org_id, org.schemas)

    assert after.current("Account").id != account
    assert after.by_id(account).id == account
    assert after.current("Contact").id == before.current("Contact").id
    assert EventSchemas("00D000000000001AAA", org.schemas).current("Contact").id != after.current("Contact").id
    with pytest.raises(Refusal):
        after.by_id("another")


def event(kind: str, **rest: Any) -> ChangeEvent:
    header = ("00500000000001AAA", "")
    return ChangeEvent("Account", ("001000000000001AAA",), kind, 1_795_000_000_000, 9, 1, "key", *header, **rest)


def decoded(org: Org, told: ChangeEvent) -> dict[str, Any]:
    schema = EventSchemas(org.org_id, org.schemas).of(told)
    record = fastavro.schemaless_reader(io.BytesIO(schema.encode(told)), json.loads(schema.json), None)
    assert isinstance(record, dict)
    return record


def test_only_what_the_header_names_stands_in_an_update_and_nothing_in_a_deletion_or_gap() -> None:
    org, _ = org_at_noon()
    values: dict[str, Stored] = {"Phone": "1", "Website": "w", "BillingCity": "Ulm"}

    updated = decoded(org, event("UPDATE", values=values, changed=frozenset({"Phone"})))
    others = [decoded(org, event(kind, values=values)) for kind in ("DELETE", "GAP_UPDATE", "GAP_OVERFLOW")]

    assert (updated["Phone"], updated["Website"], updated["BillingAddress"]) == ("1", None, None)
    for record in others:
        del record["ChangeEventHeader"]
        assert set(record.values()) == {None}


def test_what_a_topic_passes_by_is_behind_the_reader() -> None:
    org, _ = org_at_noon()
    with org.transaction() as deed:
        account(deed)
    reading = Reading(
        org.events, EventSchemas(org.org_id, org.schemas), ReplayIds(1, 0), entities=frozenset({"Lead"}), position=0
    )

    assert reading.is_behind
    assert reading.next(10) == []
    assert not reading.is_behind
    assert reading.position == org.events.latest
