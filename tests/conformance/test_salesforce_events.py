"""Events of the simulated org, heard over its Pub/Sub API, come to what the org holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.salesforce_pubsub import Token
from tieout.base.errors import TieoutError
from tieout.capture.salesforce.describe import SObject
from tieout.capture.salesforce.events.lately import Lately
from tieout.capture.salesforce.events.plan import Followed
from tieout.capture.salesforce.events.schema import SchemaCache
from tieout.capture.salesforce.events.subscription import Subscription
from tieout.capture.salesforce.events.told import Doubt, tables
from tieout.capture.salesforce.events.verdict import DeliveryLimit, ReplayExpired, TopicUnknown
from tieout.sim.org.fields import text
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.server import PubSubServer
from tieout.sim.org.pubsub.stream import Rhythm
from tieout.sim.org.schema import Field, Stored

ALL = "/data/ChangeEvents"
FOLLOWED = ("Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem")
QUIET_SECONDS = 2.0
"""Mostly it need not be waited for: the org says by an empty answer that it has told all."""
KEEPALIVE_SECONDS = 0.05
Order = tuple[int, int, int]


class MachineClock:
    """The machine's, moved ahead where a test wants."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class World:
    def __init__(self, **options: Any) -> None:
        self.clock = MachineClock()
        self.org = Org(7, self.clock)
        self.server = PubSubServer(self.org, **options)

    def __enter__(self) -> World:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def create(self, name: str, **fields: object) -> str:
        with self.org.transaction() as deed:
            return deed.create(name, fields)

    def update(self, name: str, record: str, **fields: object) -> None:
        with self.org.transaction() as deed:
            deed.update(name, record, fields)

    def accounts(self, count: int) -> list[str]:
        """Each in a transaction of its own, so each with an event."""
        return [self.create("Account", Name=f"Account {number}") for number in range(count)]


@dataclass
class Copy:
    """What was heard, folded: of each row its fields by the greatest order, and whether it lives.

    gaps  rows of which something is not known, and since when
    """

    fields: dict[str, dict[str, tuple[Order, str | None]]] = field(default_factory=dict)
    life: dict[str, tuple[Order, bool]] = field(default_factory=dict)
    gaps: set[str] = field(default_factory=set)
    doubts: set[tuple[str, str, bool]] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def fold(self, row: dict[str, Any]) -> None:
        assert row["_fault"] is None
        record, order = row["Id"], (row["_position"], row["_minor"], row["_rank"])
        for name in json.loads(row["_cover"]):
            fields = self.fields.setdefault(record, {})
            fields[name] = max(fields.get(name, (order, row[name])), (order, row[name]), key=lambda each: each[0])
        if row["_kind"] in ("image", "undelete", "delete"):
            self.life[record] = max(self.life.get(record, (order, True)), (order, row["_kind"] != "delete"))
        if row["_kind"] == "gap":
            self.gaps.add(record)

    def row(self, record: str) -> dict[str, str | None]:
        return {name: value for name, (_, value) in self.fields[record].items()}


class Connector:
    """As a source would use the parts: it hears, tells, and keeps where it stands."""

    def __init__(self, world: World, **options: Any) -> None:
        self.world = world
        self.lately = Lately()
        self.copy = Copy()
        self.replay_id: bytes | None = None
        self.token = self.renew(None)
        self.subscription = self.to(ALL, **options)
        self.schemas = SchemaCache(self.subscription.schema)

    def to(self, topic: str, **options: Any) -> Subscription:
        return Subscription(
            self.world.server.target, topic, lambda: self.token, renew=self.renew, clock=self.world.clock,
            pauses_seconds=(0.01,) * 5, **options,
        )  # fmt: skip

    def renew(self, _: object) -> Token:
        org = self.world.org
        self.token = Token(org.sessions.begin(org.user), "http://localhost", org.org_id)
        return self.token

    def objects(self) -> dict[str, Followed]:
        found = (SObject.of(self.world.org.schemas[name].describe_json()) for name in FOLLOWED)
        return {described.object: Followed.of(described) for described in found}

    def catch_up(self, *, at_once: int = 1_000) -> Copy:
        """Up to the second time in a row that all is told: the first may have been under way for a while."""
        dry = 0
        for _ in range(500):
            batch = self.subscription.take(at_once, QUIET_SECONDS)
            told = tables(batch.events, self.schemas, self.objects(), lately=self.lately)
            for table in told.tables.values():
                for row in table.to_pylist():
                    self.copy.fold(row)
            self.copy.doubts |= {(doubt.object, doubt.reason, doubt.whole) for doubt in told.doubts}
            self.copy.unknown |= {name for names in told.unknown.values() for name in names}
            self.lately = told.lately
            self.replay_id = batch.latest_replay_id
            dry = dry + 1 if batch.is_caught_up else 0
            if dry == 2:
                return self.copy
        raise AssertionError("it was never told that this is all")


@contextmanager
def connected(world: World, **options: Any) -> Iterator[Connector]:
    connector = Connector(world, **options)
    connector.subscription.start(None, earliest=True)
    try:
        yield connector
    finally:
        connector.subscription.close()


@pytest.fixture
def world() -> Iterator[World]:
    with World(rhythm=Rhythm(keepalive=KEEPALIVE_SECONDS)) as made:
        yield made


def as_text(of: Field, value: Stored) -> str | None:
    if of.type == "boolean":
        return "true" if value else "false"
    return None if value is None else str(value)


def holds(world: World, name: str) -> dict[str, dict[str, str | None]]:
    """Rows that live, with the fields that events can carry."""
    sobject = world.org.schemas[name]
    fields = [each for each in sobject.event_fields if each.type != "address"]
    return {
        str(row["Id"]): {each.name: as_text(each, row[each.name]) for each in fields}
        for row in world.org.rows(name, "Id, " + ", ".join(each.name for each in fields))
    }


def agrees(world: World, copy: Copy, *, but: frozenset[str] = frozenset()) -> None:
    """`but` rows that the copy knows not to know."""
    for name in FOLLOWED:
        prefix = world.org.schemas[name].key_prefix
        expected = {record: row for record, row in holds(world, name).items() if record not in but}
        alive = {record for record, (_, lives) in copy.life.items() if lives and record.startswith(prefix)} - but
        assert {record: copy.row(record) for record in alive} == expected


def at_work(world: World, seed: int, deeds: int) -> None:
    """People at work: some rows are made, changed, emptied, deleted and brought back, several in a deed."""
    dice = Random(seed)
    for number in range(deeds):
        with world.org.transaction() as deed:
            for _ in range(dice.randint(1, 3)):
                _something(world, deed, dice, number)
        _delete_one(world, dice)


def _something(world: World, deed: Any, dice: Random, number: int) -> None:
    accounts = sorted(holds(world, "Account"))
    deals = sorted(holds(world, "Opportunity"))
    kind = dice.choice(["account", "contact", "deal", "change", "change", "empty", "line"])
    if kind == "account" or not accounts:
        deed.create(
            "Account", {"Name": f"Firm {number} ß", "AnnualRevenue": dice.randint(0, 10**9), "BillingCity": "Ulm"}
        )
    elif kind == "contact":
        deed.create("Contact", {"LastName": "Byron", "FirstName": "Ada", "AccountId": dice.choice(accounts)})
    elif kind == "deal" or not deals:
        deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", "Amount": "10000000.10"}
        deed.create("Opportunity", {**deal, "AccountId": dice.choice(accounts)})
    elif kind == "change":
        deed.update("Opportunity", dice.choice(deals), {"Amount": f"{dice.randint(0, 10**6)}.5", "NextStep": "call"})
        deed.update("Account", dice.choice(accounts), {"BillingCity": dice.choice(["Bern", "Thun"]), "Phone": "1"})
    elif kind == "empty":
        deed.update("Opportunity", dice.choice(deals), {"NextStep": None})
        deed.update("Account", dice.choice(accounts), {"BillingCity": None})
    elif kind == "line":
        line = {"Quantity": "2.50", "UnitPrice": "3.99", "OpportunityId": dice.choice(deals)}
        deed.create("OpportunityLineItem", line)


def _delete_one(world: World, dice: Random) -> None:
    deals = sorted(holds(world, "Opportunity"))
    if deals and dice.random() < 0.3:
        gone = dice.choice(deals)
        with world.org.transaction() as deed:
            deed.delete("Opportunity", gone)
        if dice.random() < 0.5:
            with world.org.transaction() as deed:
                deed.undelete("Opportunity", gone)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_heard_is_what_the_org_holds(world: World, seed: int) -> None:
    at_work(world, seed, 40)

    with connected(world) as connector:
        agrees(world, connector.catch_up())
        at_work(world, seed + 100, 20)
        agrees(world, connector.catch_up())

    assert not connector.copy.doubts
    assert not connector.copy.unknown


def deal(world: World, **fields: object) -> str:
    return world.create("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-12-31", **fields)


def test_one_event_of_many_rows_is_a_change_of_each(world: World) -> None:
    for _ in range(60):
        deal(world)
    world.org.mass_update("Opportunity", "", {"NextStep": "call"})

    with connected(world) as connector:
        copy = connector.catch_up()

    agrees(world, copy)
    assert {copy.row(record)["NextStep"] for record in copy.life} == {"call"}


def test_a_row_that_was_deleted_and_brought_back_lives_with_all_its_fields(world: World) -> None:
    records = [deal(world, NextStep=f"step {number}") for number in range(3)]
    for record in records:
        with world.org.transaction() as deed:
            deed.delete("Opportunity", record)
    with world.org.transaction() as deed:
        deed.undelete("Opportunity", records[0])

    with connected(world) as connector:
        copy = connector.catch_up()

    agrees(world, copy)
    assert [copy.life[record][1] for record in records] == [True, False, False]


def test_an_address_and_a_name_are_emptied_in_parts_and_as_a_whole(world: World) -> None:
    parts = {"BillingStreet": "1 Way", "BillingCity": "Ulm", "BillingState": "BW", "BillingPostalCode": "89073",
             "BillingCountry": "DE"}  # fmt: skip
    whole, one = world.create("Account", Name="A", **parts), world.create("Account", Name="B", **parts)
    person = world.create("Contact", FirstName="Ada", LastName="Byron", MailingCity="London")
    world.update("Account", whole, **dict.fromkeys(parts))
    world.update("Account", one, BillingCity=None)
    world.update("Contact", person, FirstName=None)

    with connected(world) as connector:
        agrees(world, connector.catch_up())


def test_a_long_text_that_is_told_as_a_difference_is_a_gap_and_nothing_else_is(world: World) -> None:
    told, other = deal(world, Description="a" * 6_000), deal(world)
    world.update("Opportunity", told, Description="b" * 6_000, NextStep="call")

    with connected(world) as connector:
        copy = connector.catch_up()

    assert copy.gaps == {told}
    assert copy.row(told)["NextStep"] == "call"
    assert copy.row(told)["Description"] == "a" * 6_000
    agrees(world, copy, but=frozenset({told}))
    assert other in copy.life


def test_gaps_name_the_rows_that_are_not_known(world: World) -> None:
    known, gone = deal(world), deal(world)
    world.org.gaps["Opportunity"] = 3
    world.update("Opportunity", known, NextStep="unheard")
    unheard = deal(world)
    with world.org.transaction() as deed:
        deed.delete("Opportunity", gone)

    with connected(world) as connector:
        copy = connector.catch_up()

    assert copy.gaps == {known, unheard}
    assert copy.life[gone][1] is False
    assert copy.row(known)["NextStep"] is None


def test_a_deed_too_large_is_a_doubt_of_each_object_it_touched(world: World) -> None:
    world.org.manner = replace(world.org.manner, changes_most=20)
    for _ in range(30):
        deal(world)
    world.org.mass_update("Opportunity", "", {"NextStep": "call"})

    with connected(world) as connector:
        copy = connector.catch_up()

    assert copy.doubts == {("opportunity", "overflow", False)}


def test_a_type_that_loses_values_leaves_the_whole_object_in_doubt(world: World) -> None:
    deal(world, NextStep="no number")
    lost = world.org.admin.retype_field("Opportunity", "NextStep", Field("NextStep", "double", precision=10, scale=2))

    with connected(world) as connector:
        copy = connector.catch_up()

    assert lost == 1
    assert copy.doubts == {("opportunity", "wildcard", True)}


def test_a_field_that_comes_amid_the_stream_is_read_by_the_schema_of_each_event(world: World) -> None:
    before = deal(world, NextStep="before")
    with connected(world) as connector:
        connector.catch_up()
        world.org.admin.add_field("Opportunity", text("Region__c", 40))
        world.update("Opportunity", before, Region__c="north")
        deal(world, Region__c="south", NextStep="after")
        copy = connector.catch_up()

    agrees(world, copy)
    assert not copy.unknown


def test_a_field_newer_than_the_description_is_named(world: World) -> None:
    with connected(world) as connector:
        described = connector.objects()
        world.org.admin.add_field("Opportunity", text("Region__c", 40))
        record = deal(world, Region__c="south")
        batch = connector.subscription.take(10, 5.0)
        old = tables(batch.events, connector.schemas, described)
        new = tables(batch.events, connector.schemas, connector.objects())

    assert old.unknown == {"opportunity": {"Region__c"}}
    assert not new.unknown
    assert new.tables["opportunity"].select(["Id", "Region__c"]).to_pylist() == [{"Id": record, "Region__c": "south"}]


@pytest.mark.parametrize("trick", ["cut", "reset", "repeat", "expire", "silence", "restart"])
def test_whatever_befalls_the_stream_nothing_is_lost(world: World, trick: str) -> None:
    with connected(world) as connector:
        at_work(world, 7, 15)
        connector.catch_up()
        if trick == "expire":
            world.org.sessions.expire()
        if trick == "repeat":
            world.server.repeat_next(9)
        if trick == "silence":
            world.server.fall_silent()
            world.clock.ahead += timedelta(seconds=151)
        if trick == "restart":
            world.server.stop()
            world.server.start()
        if trick == "reset":
            world.server.reset()
        if trick in ("cut", "repeat", "expire"):
            world.server.cut()
        at_work(world, 8, 15)

        agrees(world, connector.catch_up())


def failure(connector: Connector) -> TieoutError:
    for _ in range(50):
        try:
            connector.subscription.take(100, 1.0)
        except TieoutError as error:
            return error
    raise AssertionError("nothing was raised")


def test_after_a_migration_the_id_is_refused_and_the_earliest_events_are_told_again(world: World) -> None:
    with connected(world) as connector:
        at_work(world, 7, 10)
        connector.catch_up()
        world.server.migrate()
        error = failure(connector)
        connector.subscription.start(None, earliest=True)

        agrees(world, connector.catch_up())

    assert type(error) is ReplayExpired


def test_an_id_that_went_on_by_an_empty_answer_does_not_grow_old() -> None:
    with World(rhythm=Rhythm(keepalive=KEEPALIVE_SECONDS)) as world, connected(world) as connector:
        deal(world)
        connector.catch_up()
        world.org.events.expire(int(world.clock.now().timestamp() * 1000) + 1)
        world.clock.ahead += timedelta(hours=71)
        while connector.subscription.take(10, 1.0).latest_replay_id == connector.replay_id:
            pass
        connector.catch_up()
        world.clock.ahead += timedelta(hours=71)
        deal(world)
        connector.subscription.start(connector.replay_id)

        agrees(world, connector.catch_up())


def test_an_allowance_that_is_used_up_parks_and_loses_nothing() -> None:
    with World(delivered_max=10) as world, connected(world) as connector:
        world.accounts(15)
        heard = connector.subscription.take(10, 5.0)
        error = failure(connector)

    assert type(error) is DeliveryLimit
    assert len(heard.events) == 10


def test_a_topic_that_is_not_there_is_a_setting(world: World) -> None:
    connector = Connector(world)
    task = connector.to("/data/TaskChangeEvent")
    task.start(None, earliest=True)
    try:
        with pytest.raises(TopicUnknown):
            task.take(1, 5.0)
        assert not task.topic_info("/data/TaskChangeEvent")
        assert task.topic_info("/data/AccountChangeEvent")
    finally:
        task.close()


def test_a_field_that_is_hidden_from_us_is_not_covered(world: World) -> None:
    record = deal(world, NextStep="seen")
    with connected(world) as connector:
        connector.catch_up()
        world.org.admin.hide_field("Opportunity", "NextStep")
        hidden = world.org.schemas.hidden("Opportunity")
        described = SObject.of(world.org.schemas["Opportunity"].describe_json(hidden=hidden))
        with world.org.transaction() as deed:
            deed.delete("Opportunity", record)
        with world.org.transaction() as deed:
            deed.undelete("Opportunity", record)
        batch = connector.subscription.take(10, 5.0)
        told = tables(batch.events, connector.schemas, {"opportunity": Followed.of(described)}, lately=connector.lately)
        for row in told.tables["opportunity"].to_pylist():
            connector.copy.fold(row)

    assert connector.copy.row(record)["NextStep"] == "seen"
    assert connector.copy.life[record][1]


def test_a_doubt_says_since_when(world: World) -> None:
    world.org.manner = replace(world.org.manner, changes_most=0)
    deal(world)
    committed = int(world.clock.now().timestamp())

    with connected(world) as connector:
        batch = connector.subscription.take(10, 5.0)
        (doubt,) = tables(batch.events, connector.schemas, connector.objects()).doubts

    assert doubt == Doubt("opportunity", "overflow", doubt.position, whole=False)
    assert committed - 60 <= doubt.position <= committed
