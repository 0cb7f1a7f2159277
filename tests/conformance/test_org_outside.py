"""The simulated org as an outside client sees it: simple-salesforce, unchanged, which was written for the real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)  # fmt: skip

from tests.org import HandClock, account, deal, org_at_noon
from tieout.sim.org.fields import text
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.seedling import Size, fill

MANY = 4_500


class _WithoutTls(requests.adapters.HTTPAdapter):
    """The client always says https; the simulated org has no certificate."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **more)


@pytest.fixture
def org() -> tuple[Org, HandClock]:
    return org_at_noon()


@pytest.fixture
def server(org: tuple[Org, HandClock]) -> Iterator[OrgServer]:
    with OrgServer(org[0]) as running:
        yield running


@pytest.fixture
def client(server: OrgServer) -> Salesforce:
    return connected(server)


def connected(server: OrgServer) -> Salesforce:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _WithoutTls())
    return Salesforce(session_id=server.token(), instance_url=server.instance_url, session=session, version="62.0")


def test_it_reads_every_page_of_a_query(org: tuple[Org, HandClock], client: Salesforce) -> None:
    fill(org[0], Size(opportunities=MANY, line_items=0, tasks=0, leads=0))

    found = client.query_all("SELECT Id, Name, Amount, Account.Name FROM Opportunity ORDER BY Id")

    assert found["totalSize"] == MANY
    assert found["done"]
    rows = {row["Id"]: row for row in org[0].rows("Opportunity")}
    assert [row["Id"] for row in found["records"]] == sorted(rows)
    assert all(row["Amount"] == _number(rows[row["Id"]]["Amount"]) for row in found["records"])


def _number(text_: Any) -> float | None:
    return None if text_ is None else float(text_)


def test_it_reads_what_was_deleted_through_query_all(org: tuple[Org, HandClock], client: Salesforce) -> None:
    with org[0].transaction() as deed:
        kept, gone = account(deed, "Kept"), account(deed, "Gone")
    with org[0].transaction() as deed:
        deed.delete("Account", gone)

    soql = "SELECT Id, IsDeleted FROM Account ORDER BY Id"

    assert [row["Id"] for row in client.query_all(soql)["records"]] == [kept]
    assert [row["IsDeleted"] for row in client.query_all(soql, include_deleted=True)["records"]] == [False, True]


def test_it_understands_describe(client: Salesforce) -> None:
    described = client.Opportunity.describe()
    fields = {field["name"]: field for field in described["fields"]}

    assert fields["Amount"]["precision"] == 18
    assert fields["Amount"]["scale"] == 2
    assert fields["ExpectedRevenue"]["calculatedFormula"]
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert "Closed Won" in [value["value"] for value in fields["StageName"]["picklistValues"]]
    assert {"Account", "Deal_Desk__c"} <= {each["name"] for each in client.describe()["sobjects"]}


def test_it_asks_what_was_updated_and_deleted(org: tuple[Org, HandClock], client: Salesforce) -> None:
    with org[0].transaction() as deed:
        kept, gone = account(deed, "Kept"), account(deed, "Gone")
    with org[0].transaction() as deed:
        deed.delete("Account", gone)
    org[1].sleep(600)
    start, end = datetime(2026, 11, 20, 11, tzinfo=UTC), org[1].now()

    updated, deleted = client.Account.updated(start, end), client.Account.deleted(start, end)

    assert updated["ids"] == [kept]
    assert [each["id"] for each in deleted["deletedRecords"]] == [gone]
    assert updated["latestDateCovered"] == deleted["latestDateCovered"] == "2026-11-20T12:10:00.000+0000"


def test_it_creates_updates_and_deletes_a_row(org: tuple[Org, HandClock], client: Salesforce) -> None:
    made = client.Account.create({"Name": "Born", "Phone": "1"})
    record = made["id"]

    assert made["success"]
    assert client.Account.update(record, {"Name": "Grown", "Phone": None}) == 204
    assert (client.Account.get(record)["Name"], client.Account.get(record)["Phone"]) == ("Grown", None)
    assert client.Account.delete(record) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Account.get(record)


def test_it_upserts_by_an_external_id(org: tuple[Org, HandClock], client: Salesforce) -> None:
    org[0].admin.add_field("Account", text("Erp__c", 20, external_id=True))

    assert client.Account.upsert("Erp__c/A-1", {"Name": "One"}) == 201
    assert client.Account.upsert("Erp__c/A-1", {"Name": "Two"}) == 200
    assert [row["Name"] for row in org[0].rows("Account")] == ["Two"]
    with org[0].transaction() as deed:
        account(deed, "Twin", Erp__c="a-1")
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Account.upsert("Erp__c/A-1", {"Name": "Three"})


def test_it_knows_the_errors(server: OrgServer, client: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Nope FROM Account")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"

    server.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")


def test_it_reads_what_the_limits_are(server: OrgServer, client: Salesforce) -> None:
    server.org.use_api(41)

    client.query("SELECT Id FROM Account")

    assert client.api_usage["api-usage"].used == 42
    assert client.limits()["DailyApiRequests"]["Max"] == server.org.api.most


def test_its_dates_and_picklists_survive_the_way(org: tuple[Org, HandClock], client: Salesforce) -> None:
    with org[0].transaction() as deed:
        made = deal(deed, Amount="12345678901.25")
    org[1].sleep(1)

    row = client.query(f"SELECT FIELDS(ALL) FROM Opportunity WHERE Id = '{made}' LIMIT 1")["records"][0]

    assert row["CreatedDate"] == "2026-11-20T12:00:00.000+0000"
    assert row["CloseDate"] == "2026-12-31"
    assert row["Amount"] == 12345678901.25
    assert row["IsWon"] is False
    assert timedelta(0) == datetime.fromisoformat(row["SystemModstamp"]) - datetime.fromisoformat(row["CreatedDate"])
