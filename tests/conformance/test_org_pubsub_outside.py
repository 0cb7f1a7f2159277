"""The org's Pub/Sub API, asked by a client that shares nothing with it: messages from the published text, bitmaps
decoded by hand, schemas only as the service tells them."""

from __future__ import annotations

import io
import json
import queue
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tieout.sim.org.fields import text
from tieout.sim.org.misbehaviour import Do
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.server import PubSubServer
from tieout.sim.org.pubsub.stream import Rhythm

PROTO = """
syntax = "proto3";
package eventbus.v1;

enum ReplayPreset { LATEST = 0; EARLIEST = 1; CUSTOM = 2; }

message TopicRequest { string topic_name = 1; }
message TopicInfo {
  string topic_name = 1; string tenant_guid = 2; bool can_publish = 3; bool can_subscribe = 4;
  string schema_id = 5; string rpc_id = 6;
}
message SchemaRequest { string schema_id = 1; }
message SchemaInfo { string schema_json = 1; string schema_id = 2; string rpc_id = 3; }
message EventHeader { string key = 1; bytes value = 2; }
message ProducerEvent { string id = 1; string schema_id = 2; bytes payload = 3; repeated EventHeader headers = 4; }
message ConsumerEvent { ProducerEvent event = 1; bytes replay_id = 2; }
message FetchRequest {
  string topic_name = 1; ReplayPreset replay_preset = 2; bytes replay_id = 3; int32 num_requested = 4;
  string auth_refresh = 5;
}
message FetchResponse {
  repeated ConsumerEvent events = 1; bytes latest_replay_id = 2; string rpc_id = 3; int32 pending_num_requested = 4;
}
"""

EARLIEST, CUSTOM = 1, 2
ALL = "/data/ChangeEvents"
SECONDS_MAX = 10
CODE = "sfdc.platform.eventbus.grpc."


def compiled(proto: str) -> dict[str, Any]:
    """The messages of a text as plain as the one above."""
    kinds = {name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
             for name in ("string", "bytes", "bool", "int32")}  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="outside.proto", package="eventbus.v1", syntax="proto3")
    enums = set()
    for kind, name, body in re.findall(r"(enum|message) (\w+) \{(.*?)\}", proto, re.DOTALL):
        if kind == "enum":
            enums.add(name)
            described = file.enum_type.add(name=name)
            for value, number in re.findall(r"(\w+) = (\d+);", body):
                described.value.add(name=value, number=int(number))
            continue
        message = file.message_type.add(name=name)
        for repeated, of, field, number in re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body):
            one = message.field.add(name=field, number=int(number), label=3 if repeated else 1)
            if of in kinds:
                one.type = kinds[of]
            else:
                one.type = one.TYPE_ENUM if of in enums else one.TYPE_MESSAGE
                one.type_name = f".eventbus.v1.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = [message.name for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"eventbus.v1.{name}")) for name in names}


MESSAGES = compiled(PROTO)


class MachineClock:
    """The machine's, moved ahead where a test wants."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Client:
    def __init__(self, server: PubSubServer, org: Org, **metadata: str) -> None:
        self.channel = grpc.insecure_channel(server.target)
        token = org.sessions.begin(org.user)
        given = {"accesstoken": token, "instanceurl": "http://localhost", "tenantid": org.org_id, **metadata}
        self.metadata = tuple(given.items())
        self.schemas: dict[str, Any] = {}

    def ask(self, method: str, request: Any, answer: str) -> Any:
        call = self.channel.unary_unary(
            f"/eventbus.v1.PubSub/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES[answer].FromString,
        )
        return call(request, metadata=self.metadata, timeout=SECONDS_MAX)

    def subscribe(self, topic: str = ALL, *, count: int = 100, preset: int = 0, after: bytes = b"") -> Subscription:
        return Subscription(self, topic, count, preset, after)

    def decoded(self, event: Any) -> dict[str, Any]:
        """By the schema of its writer, as the service tells it."""
        wanted = event.event.schema_id
        if wanted not in self.schemas:
            told = self.ask("GetSchema", MESSAGES["SchemaRequest"](schema_id=wanted), "SchemaInfo")
            assert told.schema_id == wanted
            self.schemas[wanted] = fastavro.parse_schema(json.loads(told.schema_json))
        payload = io.BytesIO(event.event.payload)
        record = fastavro.schemaless_reader(payload, self.schemas[wanted])
        assert payload.read() == b""
        assert isinstance(record, dict)
        return record

    def named(self, event: Any, bitmaps: list[str]) -> set[str]:
        """The fields that bitmaps speak of: bit by bit, from the text of each."""
        fields = self.schemas[event.event.schema_id]["fields"]
        found = set()
        for told in bitmaps:
            parent, _, digits = told.rpartition("-")
            inside = fields
            if parent:
                nested = next(each for each in fields[int(parent)]["type"] if isinstance(each, dict))
                inside = nested["fields"]
            bits = bin(int(digits, 16))[2:][::-1]
            prefix = f"{fields[int(parent)]['name']}." if parent else ""
            found |= {prefix + inside[at]["name"] for at, bit in enumerate(bits) if bit == "1"}
        return found


class Subscription:
    def __init__(self, client: Client, topic: str, count: int, preset: int, after: bytes) -> None:
        self.topic = topic
        self.requests: queue.Queue[Any] = queue.Queue()
        self.requests.put(
            MESSAGES["FetchRequest"](topic_name=topic, replay_preset=preset, replay_id=after, num_requested=count)
        )
        call = client.channel.stream_stream(
            "/eventbus.v1.PubSub/Subscribe",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES["FetchResponse"].FromString,
        )
        self.call = call(iter(self.requests.get, None), metadata=client.metadata, timeout=SECONDS_MAX)

    def request(self, count: int, topic: str | None = None) -> None:
        self.requests.put(MESSAGES["FetchRequest"](topic_name=topic or self.topic, num_requested=count))

    def events(self, count: int) -> list[Any]:
        """Exactly so many, in as many responses as they need."""
        found: list[Any] = []
        while len(found) < count:
            found += next(self.call).events
        assert len(found) == count
        return found

    def refused(self) -> tuple[grpc.StatusCode, str]:
        """How the stream ends, once its responses are read."""
        with pytest.raises(grpc.RpcError) as caught:
            for _ in self.call:
                pass
        trailers = dict(caught.value.trailing_metadata() or ())
        if "error-code" in trailers:
            assert str(caught.value.details()).endswith(f"rpcId: {trailers['rpc-id']}")
        return caught.value.code(), str(trailers.get("error-code", "")).removeprefix(CODE)

    def close(self) -> None:
        self.call.cancel()
        self.requests.put(None)


class World:
    def __init__(self, **options: Any) -> None:
        self.clock = MachineClock()
        self.org = Org(7, self.clock)
        self.server = PubSubServer(self.org, **options)
        self.opened: list[Subscription] = []

    def __enter__(self) -> World:
        self.server.start()
        self.client = Client(self.server, self.org)
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.opened:
            each.close()
        self.client.channel.close()
        self.server.stop()

    def subscribe(self, topic: str = ALL, **options: Any) -> Subscription:
        self.opened.append(self.client.subscribe(topic, **options))
        return self.opened[-1]

    def create(self, name: str, **fields: object) -> str:
        with self.org.transaction() as deed:
            return deed.create(name, fields)

    def update(self, name: str, record: str, **fields: object) -> None:
        with self.org.transaction() as deed:
            deed.update(name, record, fields)

    def accounts(self, count: int) -> list[str]:
        """Each in a transaction of its own, so each with an event."""
        return [self.create("Account", Name=f"Account {number}") for number in range(count)]

    def earliest(self, count: int) -> list[dict[str, Any]]:
        return [self.client.decoded(event) for event in self.subscribe(preset=EARLIEST).events(count)]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def opportunity(world: World, **fields: object) -> str:
    return world.create("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-12-31", **fields)


def test_a_new_row_is_told_with_what_is_not_empty(world: World) -> None:
    record = opportunity(world, Amount="45000.5")

    (told,) = world.earliest(1)

    header = told["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Opportunity", "CREATE", [record])
    assert header["changedFields"] == header["nulledFields"] == header["diffFields"] == []
    assert (header["sequenceNumber"], header["commitUser"]) == (1, world.org.automation)
    assert (told["Amount"], told["IsClosed"], told["NextStep"]) == (45000.5, False, None)
    assert told["CloseDate"] == 1798675200000
    assert told["CreatedDate"] % 1000 == 0
    assert not {"Id", "IsDeleted", "SystemModstamp", "ExpectedRevenue", "LastActivityDate"} & set(told)


def test_an_update_tells_the_changed_fields_and_null_for_the_others(world: World) -> None:
    record = opportunity(world, Amount="1", NextStep="call")
    world.update("Opportunity", record, Amount="2.25", NextStep=None)

    event = world.subscribe(preset=EARLIEST).events(2)[1]
    told = world.client.decoded(event)

    header = told["ChangeEventHeader"]
    assert {"Amount", "NextStep", "LastModifiedDate"} <= world.client.named(event, header["changedFields"])
    assert world.client.named(event, header["nulledFields"]) == {"NextStep"}
    assert (told["Amount"], told["NextStep"], told["Name"], told["IsClosed"]) == (2.25, None, None, None)


def test_parts_of_a_name_and_an_address_are_nested_under_their_own_names(world: World) -> None:
    record = world.create("Contact", FirstName="Ada", LastName="Byron", MailingCity="London")
    world.update("Contact", record, LastName="Lovelace", MailingCountry="UK")

    created, updated = world.subscribe(preset=EARLIEST).events(2)
    first, second = world.client.decoded(created), world.client.decoded(updated)

    assert first["Name"] == {"Salutation": None, "FirstName": "Ada", "LastName": "Byron"}
    assert first["MailingAddress"]["City"] == "London"
    changed = world.client.named(updated, second["ChangeEventHeader"]["changedFields"])
    assert changed == {"Name.LastName", "MailingAddress.Country", "LastModifiedDate"}
    assert second["Name"] == {"Salutation": None, "FirstName": None, "LastName": "Lovelace"}


def test_an_address_that_is_gone_is_nulled_as_one_field(world: World) -> None:
    parts = {"Street": "1 Way", "City": "Ulm", "State": "BW", "PostalCode": "89073", "Country": "DE"}
    record = world.create("Account", Name="A", **{f"Billing{part}": value for part, value in parts.items()})
    world.update("Account", record, **{f"Billing{part}": None for part in parts})

    event = world.subscribe(preset=EARLIEST).events(2)[1]
    header = world.client.decoded(event)["ChangeEventHeader"]

    assert world.client.named(event, header["nulledFields"]) == {"BillingAddress"}
    assert world.client.named(event, header["changedFields"]) == {"BillingAddress", "LastModifiedDate"}


def test_a_deletion_has_no_body_and_its_undoing_has_all_of_it(world: World) -> None:
    record = world.create("Account", Name="A", Phone="1")
    with world.org.transaction() as deed:
        deed.delete("Account", record)
    with world.org.transaction() as deed:
        deed.undelete("Account", record)

    _, deleted, back = world.earliest(3)

    header = deleted.pop("ChangeEventHeader")
    assert header["changeType"] == "DELETE"
    assert set(deleted.values()) == {None}
    assert back["ChangeEventHeader"]["changeType"] == "UNDELETE"
    assert (back["Name"], back["Phone"]) == ("A", "1")


def test_no_more_is_sent_than_was_asked_for_and_no_more_than_a_hundred(world: World) -> None:
    world.accounts(130)
    few = world.subscribe(count=3, preset=EARLIEST)
    many = world.subscribe(count=500, preset=EARLIEST)

    first = next(few.call)
    few.request(2)
    second = next(few.call)

    assert (len(first.events), first.pending_num_requested) == (3, 0)
    assert (len(second.events), second.pending_num_requested) == (2, 0)
    told = many.events(100)
    many.request(30)
    assert len({event.replay_id for event in [*told, *many.events(30)]}) == 130


def test_a_request_may_be_answered_in_several_responses() -> None:
    with World(rhythm=Rhythm(events_max=4)) as world:
        world.accounts(10)

        stream = world.subscribe(count=10, preset=EARLIEST)
        sizes = [(len(told.events), told.pending_num_requested) for told in (next(stream.call) for _ in range(3))]

        assert sizes == [(4, 6), (4, 2), (2, 0)]


def test_what_is_left_out_begins_at_the_latest() -> None:
    with World(rhythm=Rhythm(keepalive=0.05)) as world:
        world.accounts(2)
        stream = world.subscribe(count=5)
        keepalive = next(stream.call)
        record = world.create("Account", Name="new")

        (event,) = stream.events(1)

        assert not keepalive.events
        assert world.client.decoded(event)["ChangeEventHeader"]["recordIds"] == [record]


def test_a_subscription_resumes_behind_the_event_it_names(world: World) -> None:
    world.accounts(5)
    events = world.subscribe(preset=EARLIEST).events(5)

    resumed = world.subscribe(preset=CUSTOM, after=events[1].replay_id).events(3)

    assert [event.replay_id for event in resumed] == [event.replay_id for event in events[2:]]


def test_replay_ids_tell_nothing_of_their_order(world: World) -> None:
    world.accounts(50)

    ids = [event.replay_id for event in world.subscribe(preset=EARLIEST).events(50)]

    assert len(set(ids)) == 50
    assert ids != sorted(ids)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"topic": "/data/TaskChangeEvent"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        ({"topic": "/data/Nothing__chn"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        ({"count": 0}, grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.requested.events.invalid"),
        ({"preset": CUSTOM}, grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.validation.failed"),
        (
            {"preset": CUSTOM, "after": b"\0\0\0\1"},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.replayid.corrupted",
        ),
    ],
)
def test_a_wrong_request_is_refused_by_the_word_for_it(
    world: World, options: dict[str, Any], status: grpc.StatusCode, code: str
) -> None:
    assert world.subscribe(**options).refused() == (status, code)


def test_the_first_request_fixes_the_topic(world: World) -> None:
    world.accounts(1)
    stream = world.subscribe(count=1, preset=EARLIEST)
    stream.events(1)

    stream.request(1, topic="/data/ContactChangeEvent")

    assert stream.refused() == (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch")


def test_an_id_older_than_three_days_is_refused_even_if_nothing_came_since(world: World) -> None:
    world.accounts(1)
    (event,) = world.subscribe(preset=EARLIEST).events(1)
    world.clock.ahead = timedelta(hours=73)
    world.client = Client(world.server, world.org)

    stale = world.subscribe(preset=CUSTOM, after=event.replay_id)

    assert stale.refused()[1] == "subscription.fetch.replayid.corrupted"


def test_an_id_whose_event_is_not_kept_is_refused_and_the_earliest_is_what_is_kept(world: World) -> None:
    world.accounts(2)
    (first, _) = world.subscribe(preset=EARLIEST).events(2)
    world.org.events.expire(int(world.clock.now().timestamp() * 1000) + 1)
    record = world.create("Account", Name="kept")

    lost = world.subscribe(preset=CUSTOM, after=first.replay_id)

    assert lost.refused()[1] == "subscription.fetch.replayid.corrupted"
    assert [each["ChangeEventHeader"]["recordIds"] for each in world.earliest(1)] == [[record]]


def test_an_idle_stream_is_told_a_place_that_does_not_grow_old() -> None:
    with World(rhythm=Rhythm(keepalive=0.05)) as world:
        world.accounts(1)
        stream = world.subscribe("/data/ContactChangeEvent", count=7, preset=EARLIEST)

        told = next(stream.call)
        again = next(stream.call)

        assert (len(told.events), told.pending_num_requested, len(again.events)) == (0, 7, 0)
        record = world.create("Contact", LastName="New")
        (event,) = world.subscribe("/data/ContactChangeEvent", preset=CUSTOM, after=told.latest_replay_id).events(1)
        assert world.client.decoded(event)["ChangeEventHeader"]["recordIds"] == [record]


def test_a_stream_that_asks_for_nothing_more_is_closed_without_an_error() -> None:
    with World(rhythm=Rhythm(patience=0.1)) as world:
        world.accounts(1)
        stream = world.subscribe(count=1, preset=EARLIEST)

        responses = list(stream.call)

        assert [len(told.events) for told in responses] == [1]
        assert stream.call.code() is grpc.StatusCode.OK


def test_topics_of_one_entity_and_of_a_channel_tell_only_theirs() -> None:
    with World(channels={"People__chn": ("Contact", "Lead")}) as world:
        world.accounts(2)
        world.create("Contact", LastName="C")
        world.create("Lead", LastName="L", Company="C")

        def entities(topic: str, count: int) -> list[str]:
            events = world.subscribe(topic, preset=EARLIEST).events(count)
            return [world.client.decoded(event)["ChangeEventHeader"]["entityName"] for event in events]

        assert entities("/data/AccountChangeEvent", 2) == ["Account", "Account"]
        assert entities("/data/People__chn", 2) == ["Contact", "Lead"]
        assert entities(ALL, 4) == ["Account", "Account", "Contact", "Lead"]


def test_schemas_alternate_within_a_response_and_change_with_the_entity(world: World) -> None:
    record = world.create("Account", Name="A")
    world.create("Contact", LastName="C")
    world.org.admin.add_field("Account", text("Nickname__c", 20))
    world.update("Account", record, Nickname__c="Al")

    response = next(world.subscribe(preset=EARLIEST).call)

    before, _, after = response.events
    assert len({event.event.schema_id for event in response.events}) == 3
    assert "Nickname__c" not in world.client.decoded(before)
    assert world.client.decoded(after)["Nickname__c"] == "Al"
    changed = world.client.decoded(after)["ChangeEventHeader"]["changedFields"]
    assert world.client.named(after, changed) == {"Nickname__c", "LastModifiedDate"}


def test_a_topic_tells_its_schema(world: World) -> None:
    told = world.client.ask("GetTopic", MESSAGES["TopicRequest"](topic_name="/data/AccountChangeEvent"), "TopicInfo")
    world.accounts(1)

    (event,) = world.subscribe(preset=EARLIEST).events(1)

    assert told.can_subscribe
    assert not told.can_publish
    assert told.schema_id == event.event.schema_id


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"accesstoken": "another"}, "service.auth.error"),
        ({"tenantid": "00D000000000000AAA"}, "service.auth.headers.invalid"),
        ({"instanceurl": ""}, "service.auth.headers.invalid"),
    ],
)
def test_every_call_needs_a_session(world: World, metadata: dict[str, str], code: str) -> None:
    world.client.metadata = tuple({**dict(world.client.metadata), **metadata}.items())

    assert world.subscribe().refused() == (grpc.StatusCode.UNAUTHENTICATED, code)


def test_a_session_that_ends_is_noticed_at_the_next_request(world: World) -> None:
    world.accounts(1)
    stream = world.subscribe(count=1, preset=EARLIEST)
    stream.events(1)

    world.org.sessions.expire()
    stream.request(1)

    assert stream.refused() == (grpc.StatusCode.UNAUTHENTICATED, "service.auth.error")


def test_deliveries_end_with_the_days_allowance_and_go_on_a_day_later() -> None:
    with World(delivered_max=3) as world:
        world.accounts(5)
        stream = world.subscribe(preset=EARLIEST)
        told = stream.events(3)

        assert stream.refused() == (grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded")
        world.clock.ahead = timedelta(hours=25)
        world.client = Client(world.server, world.org)
        assert len(world.subscribe(preset=CUSTOM, after=told[-1].replay_id).events(2)) == 2


def test_a_stream_may_fall_silent_without_an_error(world: World) -> None:
    world.accounts(1)
    stream = world.subscribe(preset=EARLIEST)
    events = stream.events(1)

    world.server.fall_silent()
    world.accounts(2)

    assert world.server.streams == 1
    assert stream.call.is_active()
    assert len(world.subscribe(preset=CUSTOM, after=events[0].replay_id).events(2)) == 2


def test_a_silent_stream_stays_open_whatever_its_client_does() -> None:
    with World(rhythm=Rhythm(keepalive=0.05)) as world:
        world.accounts(1)
        stream = world.subscribe(count=1, preset=EARLIEST)
        stream.events(1)

        world.server.fall_silent()
        stream.request(1)
        stream.requests.put(None)
        another = world.subscribe()
        for _ in range(3):
            next(another.call)

        assert world.server.streams == 2
        assert stream.call.is_active()


def test_a_stream_may_break_and_resume_with_what_was_told_before(world: World) -> None:
    world.accounts(4)
    stream = world.subscribe(preset=EARLIEST)
    events = stream.events(4)

    world.server.repeat_next(2)
    world.server.cut()

    assert stream.refused() == (grpc.StatusCode.UNAVAILABLE, "service.unavailable")
    again = world.subscribe(preset=CUSTOM, after=events[3].replay_id).events(2)
    assert [event.replay_id for event in again] == [event.replay_id for event in events[2:]]


def test_the_script_strikes_at_the_nth_request_of_a_stream(world: World) -> None:
    world.accounts(3)
    world.server.script.at("fetch", 2, Do(world.server.cut))
    stream = world.subscribe(count=1, preset=EARLIEST)
    stream.events(1)

    stream.request(1)

    assert stream.refused()[0] is grpc.StatusCode.UNAVAILABLE
    assert world.server.script.calls["subscribe"] == 1


def test_a_stream_may_be_reset_without_a_word(world: World) -> None:
    world.accounts(1)
    stream = world.subscribe(preset=EARLIEST)
    stream.events(1)

    world.server.reset()

    assert stream.refused() == (grpc.StatusCode.CANCELLED, "")


def test_the_ids_of_an_org_that_moved_are_refused(world: World) -> None:
    world.accounts(2)
    (first, _) = world.subscribe(preset=EARLIEST).events(2)

    world.server.migrate()

    assert world.subscribe(preset=CUSTOM, after=first.replay_id).refused()[1] == (
        "subscription.fetch.replayid.corrupted"
    )


def test_a_lost_server_comes_back_on_its_port(world: World) -> None:
    world.accounts(2)
    stream = world.subscribe(preset=EARLIEST)
    events = stream.events(2)

    world.server.stop()
    assert stream.refused()[0] in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    world.server.start()
    world.client = Client(world.server, world.org)

    assert world.subscribe(preset=CUSTOM, after=events[0].replay_id).events(1)


def test_merged_gap_overflow_and_wildcard_events_are_told_as_they_are(world: World) -> None:
    records = world.accounts(3)
    with world.org.transaction() as deed:
        for record in records:
            deed.update("Account", record, {"Phone": "1"})
    world.org.gaps["Account"] = 1
    world.update("Account", records[0], Phone="2")
    world.org.manner.changes_most = 1
    with world.org.transaction() as deed:
        for record in records:
            deed.update("Account", record, {"Phone": record[-5:]})

    told = world.earliest(6)[3:]
    headers = [each.pop("ChangeEventHeader") for each in told]

    assert [each["changeType"] for each in headers] == ["UPDATE", "GAP_UPDATE", "GAP_OVERFLOW"]
    assert headers[0]["recordIds"] == records
    assert headers[1]["recordIds"] == [records[0]]
    assert [each["changedFields"] for each in headers[1:]] == [[], []]
    assert {value for each in told[1:] for value in each.values()} == {None}
    assert {each["sequenceNumber"] for each in headers} == {1}


def test_responses_stay_within_what_a_client_takes_in_one_message(world: World) -> None:
    for _ in range(6):
        opportunity(world, Description="x" * 31_000 + "é" * 500)
    long = text("Long__c", 900_000)
    world.org.admin.add_field("Account", long)
    for _ in range(8):
        world.create("Account", Name="A", Long__c="y" * 800_000)

    stream = world.subscribe(preset=EARLIEST)
    sizes = []
    while sum(sizes) < 14:
        response = next(stream.call)
        assert response.ByteSize() < 4 * 2**20
        sizes.append(len(response.events))

    assert sum(sizes) == 14
    assert len(sizes) > 2


def test_each_of_many_streams_is_told_everything_once_and_in_order(world: World) -> None:
    streams = [world.subscribe(count=7, preset=EARLIEST) for _ in range(4)]
    writer = threading.Thread(target=world.accounts, args=(120,))

    writer.start()
    found: list[list[bytes]] = []
    for stream in streams:
        told: list[bytes] = []
        while len(told) < 120:
            response = next(stream.call)
            told += [event.replay_id for event in response.events]
            stream.request(1 + len(told) % 5)
        found.append(told)
    writer.join()

    again = world.subscribe(count=100, preset=EARLIEST)
    everything = again.events(100)
    again.request(20)
    everything += again.events(20)
    assert found == [[event.replay_id for event in everything]] * 4


def test_streams_that_went_leave_nothing_behind(world: World) -> None:
    world.accounts(1)
    for _ in range(40):
        stream = world.subscribe(preset=EARLIEST)
        stream.events(1)
        stream.close()

    assert world.subscribe(preset=EARLIEST).events(1)


def test_there_are_only_so_many_streams_at_once() -> None:
    with World(streams_max=2) as world:
        world.accounts(1)
        for _ in range(2):
            world.subscribe(preset=EARLIEST).events(1)

        assert world.subscribe().refused()[1] == "service.protection.stream.limit.triggered"
