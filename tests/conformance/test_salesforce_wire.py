"""The client against an org that answers over real HTTP: what it tells, and what it survives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.salesforce import NOON, Clock
from tieout.base.errors import Misconfigured
from tieout.capture.salesforce import soql
from tieout.capture.salesforce.budget import Budget, Work
from tieout.capture.salesforce.describe import SObject
from tieout.capture.salesforce.refusal import (
    ConcurrentLimit,
    DailyLimit,
    FieldGone,
    LocatorExpired,
    ObjectHidden,
    OverBudget,
    TooManyIds,
    WindowRefused,
)
from tieout.capture.salesforce.rows import from_json, images, presence
from tieout.capture.salesforce.wire.client import Client
from tieout.capture.salesforce.wire.oauth import Credentials, JwtBearer
from tieout.sim.org.misbehaviour import (
    Drop,
    ExpireLocator,
    ExpireSession,
    ShortPage,
    concurrent_limit,
    daily_limit,
    unavailable,
)
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

USER = "integration@tieout.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
NAMES = [f"Account {number:04d}" for number in range(450)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[OrgServer]:
    org = Org(1, clock)
    org.sessions.register(App("consumer", public_key=PUBLIC, approved=frozenset({USER})))
    with org.transaction() as deed:
        for name in NAMES:
            deed.create("Account", {"Name": name, "AnnualRevenue": Decimal(10_000_000)})
    clock.at += timedelta(minutes=10)
    with OrgServer(org) as running:
        yield running


@pytest.fixture
def asking(server: OrgServer, clock: Clock) -> Iterator[Client]:
    made = client(server, clock)
    yield made
    made.close()


def client(server: OrgServer, clock: Clock, credentials: Credentials | None = None) -> Client:
    signer = JwtBearer("consumer", USER, PRIVATE)
    return Client(server.login_url, credentials or signer, "62.0", clock=clock, budget=Budget())


def accounts(asking: Client) -> SObject:
    told = asking.describe("Account", anew=True)
    assert told is not None
    return SObject.of(told)


def names(asking: Client) -> list[str]:
    """In pages of 200, as the script has it."""
    question = "SELECT Name FROM Account ORDER BY Name"
    return [record["Name"] for page in asking.query_pages(question, work=Work.LIVE) for record in page.records]


def short(server: OrgServer) -> None:
    server.script.at("query", 1, ShortPage(200))
    server.script.at("query_more", 1, ShortPage(200))


def test_an_app_that_signs_for_itself_is_let_in(server: OrgServer, asking: Client) -> None:
    assert asking.identity().org_id == server.org.org_id
    assert asking.identity().user_id == server.org.user
    assert asking.token().instance_url == server.instance_url


def test_rows_come_as_they_stand(asking: Client) -> None:
    sobject = accounts(asking)
    question = soql.window(sobject, sobject.fields, int(NOON.timestamp()))

    pages = [from_json(page.records, sobject.fields) for page in asking.query_pages(question, work=Work.LIVE)]
    told = images(
        pages[0], sobject, watermark=0, read_start_us=0, read_at=NOON, since=0, origin="window", first=0
    ).to_pylist()

    assert sorted(row["Name"] for row in told) == NAMES
    assert {row["AnnualRevenue"] for row in told} == {"10000000"}
    assert {row["_position"] for row in told} == {int(NOON.timestamp())}
    assert not [row["_fault"] for row in told if row["_fault"]]


def test_a_session_that_ends_between_pages_changes_nothing(server: OrgServer, asking: Client) -> None:
    short(server)
    server.script.at("query_more", 2, ExpireSession())

    assert names(asking) == NAMES
    assert server.script.calls["token"] == 2


def test_what_the_edge_answers_in_the_middle_is_waited_for(server: OrgServer, asking: Client, clock: Clock) -> None:
    short(server)
    server.script.at("query_more", 1, unavailable(), times=2)

    assert names(asking) == NAMES
    assert clock.slept == [1.0, 2.0]


@pytest.mark.parametrize("after", [0, 40])
def test_a_connection_that_breaks_is_made_anew(server: OrgServer, asking: Client, after: int) -> None:
    server.script.at("query", 1, Drop(after))

    assert names(asking) == NAMES


def test_a_place_that_the_org_forgot_is_told_as_such(server: OrgServer, asking: Client) -> None:
    short(server)
    server.script.at("query_more", 1, ExpireLocator())

    with pytest.raises(LocatorExpired):
        names(asking)


def test_a_day_that_is_used_up_parks_until_it_is_not(server: OrgServer, asking: Client, clock: Clock) -> None:
    server.script.at("query", 1, daily_limit())

    with pytest.raises(DailyLimit):
        names(asking)
    with pytest.raises(OverBudget):
        names(asking)
    assert server.script.calls["query"] == 1

    clock.at += timedelta(minutes=15)
    assert names(asking) == NAMES


def test_what_others_use_is_seen_and_left_to_them(server: OrgServer, asking: Client) -> None:
    names(asking)
    server.org.use_api(750_000)
    names(asking)

    with pytest.raises(OverBudget):
        asking.count("SELECT COUNT() FROM Account", work=Work.BACKFILL)
    assert asking.count("SELECT COUNT() FROM Account", work=Work.LIVE) == len(NAMES)
    assert asking.limits()["DailyApiRequests"]["Max"] == 1_000_000


def test_a_crowd_is_waited_for_a_little(server: OrgServer, asking: Client, clock: Clock) -> None:
    server.script.at("query", 1, concurrent_limit(), times=2)

    assert names(asking) == NAMES

    server.org.api.long_running = 25
    with pytest.raises(ConcurrentLimit):
        names(asking)
    assert sum(clock.slept) < 15


def test_an_org_that_moves_is_followed(server: OrgServer, asking: Client) -> None:
    assert names(asking) == NAMES
    moved = server.move()

    assert names(asking) == NAMES
    assert asking.token().instance_url == moved


def test_the_time_is_the_orgs(server: OrgServer, asking: Client, clock: Clock) -> None:
    assert asking.now() == int(clock.at.timestamp())


def test_the_watermark_stands_where_the_oldest_open_transaction_began(
    server: OrgServer, asking: Client, clock: Clock
) -> None:
    now = int(clock.at.timestamp())
    opened = server.org.begin()
    clock.at += timedelta(minutes=5)

    covered = asking.updated("Account", now - 3_600, now + 300, work=Work.LIVE)
    opened.rollback()

    assert (len(covered.ids), covered.latest) == (len(NAMES), now)


def test_the_log_of_deletions_tells_what_no_row_tells(server: OrgServer, asking: Client, clock: Clock) -> None:
    now = int(clock.at.timestamp())
    gone = server.org.rows("Account", "Id")[0]["Id"]
    with server.org.transaction() as deed:
        deed.delete("Account", str(gone))
    clock.at += timedelta(minutes=5)

    deleted = asking.deleted("Account", now - 3_600, now + 300, work=Work.LIVE)

    assert deleted.entries == ((gone, now),)
    assert deleted.latest == now + 300
    server.replication.ids_most = 0
    with pytest.raises(TooManyIds):
        asking.deleted("Account", now - 3_600, now + 300, work=Work.LIVE)
    with pytest.raises(WindowRefused):
        asking.deleted("Account", now - 16 * 86_400, now + 300, work=Work.LIVE)


def test_rows_in_the_recycle_bin_are_asked_for_by_a_question_only(server: OrgServer, asking: Client) -> None:
    sobject = accounts(asking)
    gone, *_, kept = [str(row["Id"]) for row in server.org.rows("Account", "Id")]
    with server.org.transaction() as deed:
        deed.delete("Account", gone)

    ((question, _),) = soql.by_ids(sobject.fields, sobject, [gone, kept, "001000000000001AAA"])
    (page,) = asking.query_pages(question, work=Work.REPAIR)
    told = presence(
        [gone, kept, "001000000000001AAA"],
        from_json(page.records, sobject.fields),
        sobject,
        watermark=1,
        read_start_us=0,
        read_at=NOON,
        since=0,
        origin="ids",
        first=0,
    ).to_pylist()

    assert {row["Id"]: row["_kind"] for row in told} == {gone: "delete", kept: "image", "001000000000001AAA": "delete"}
    assert [row["Id"] for row in asking.retrieve("Account", [gone, kept], ["Id"], work=Work.REPAIR)] == [kept]


def test_what_is_described_is_told_again_only_when_it_changed(server: OrgServer, asking: Client, clock: Clock) -> None:
    clock.at += timedelta(minutes=1)
    assert asking.describe("Account") is not None
    assert asking.describe("Account") is None

    clock.at += timedelta(minutes=1)
    server.org.admin.add_picklist_value("Account", "Industry", "Falconry")
    told = asking.describe("Account")

    assert told is not None
    (industry,) = SObject.of(told).named({"Industry"})
    assert "Falconry" in industry.picklist


def test_each_object_of_the_org_can_be_described(asking: Client) -> None:
    for known in asking.objects():
        told = asking.describe(known["name"])
        assert told is not None
        assert SObject.of(told).described().columns[0].name == "Id"


def test_a_field_that_is_hidden_and_an_object_that_is_not_there_are_told_apart(
    server: OrgServer, asking: Client
) -> None:
    server.org.admin.hide_field("Account", "Industry")

    with pytest.raises(FieldGone):
        list(asking.query_pages("SELECT Industry FROM Account", work=Work.LIVE))
    with pytest.raises(ObjectHidden):
        list(asking.query_pages("SELECT Id FROM Nothing__c", work=Work.LIVE))
    with pytest.raises(ObjectHidden):
        asking.describe("Nothing__c")
    assert not accounts(asking).named({"Industry"})


def test_a_clock_that_goes_wrong_is_named(server: OrgServer) -> None:
    late = Clock(NOON - timedelta(minutes=10))

    with pytest.raises(Misconfigured) as refused:
        client(server, late).token()

    assert refused.value.hint.startswith("This machine's clock is 1200 s behind Salesforce's")
