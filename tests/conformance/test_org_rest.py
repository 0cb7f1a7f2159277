"""The HTTP side of the simulated org: tokens, pages, windows, limits, and what the script makes go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.org import BASE, NOON, Caller, HandClock, account, deal, org_at_noon
from tieout.sim.org import misbehaviour as mis
from tieout.sim.org.fields import text
from tieout.sim.org.org import Org
from tieout.sim.org.rest.oauth import JWT_BEARER
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

KEY, USERNAME = "3MVG9.consumer", "integration@tieout.example"
DAY = timedelta(days=1)


@pytest.fixture
def org() -> Org:
    return org_at_noon()[0]


@pytest.fixture
def clock(org: Org) -> HandClock:
    assert isinstance(org.clock, HandClock)
    return org.clock


@pytest.fixture
def server(org: Org) -> Iterator[OrgServer]:
    with OrgServer(org) as running:
        yield running


@pytest.fixture
def caller(server: OrgServer) -> Iterator[Caller]:
    calling = Caller(server)
    yield calling
    calling.http.close()


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# Tokens.


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem() -> str:
    public = private_key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def ask(server: OrgServer, **form: str) -> httpx.Response:
    return httpx.post(f"{server.login_url}/services/oauth2/token", data=form, trust_env=False)


def assertion(**claims: Any) -> str:
    whole = {"iss": KEY, "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": int(NOON.timestamp()) + 180}
    return jwt.encode({**whole, **claims}, private_key(), algorithm="RS256")


@pytest.fixture
def app(org: Org) -> App:
    app = App(KEY, secret="s3cret", public_key=public_pem(), approved=frozenset({USERNAME}), run_as=USERNAME)
    org.sessions.register(app)
    return app


def test_a_signed_assertion_gets_a_session(server: OrgServer, app: App, caller: Caller) -> None:
    granted = ask(server, grant_type=JWT_BEARER, assertion=assertion()).json()

    assert granted["instance_url"] == server.instance_url
    assert "expires_in" not in granted
    assert "refresh_token" not in granted
    caller.http.headers["Authorization"] = f"Bearer {granted['access_token']}"
    assert caller.get("limits").status_code == 200


@pytest.mark.parametrize(
    ("claims", "refusal", "saying"),
    [
        ({"iss": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": int(NOON.timestamp()) - 1}, "invalid_grant", "assertion expired"),
        ({"exp": int(NOON.timestamp() * 1000)}, "invalid_grant", "too far in the future"),
        ({"sub": "stranger@tieout.example"}, "invalid_grant", "user hasn't approved this consumer"),
    ],
)
def test_a_wrong_assertion_is_told_why(
    server: OrgServer, app: App, claims: dict[str, Any], refusal: str, saying: str
) -> None:
    answer = ask(server, grant_type=JWT_BEARER, assertion=assertion(**claims))

    assert answer.status_code == 400
    assert answer.json()["error"] == refusal
    assert saying in answer.json()["error_description"]


def test_an_assertion_of_another_key_is_refused(server: OrgServer, app: App) -> None:
    signed, other = assertion().rsplit(".", 1), assertion(sub="x").rsplit(".", 1)

    answer = ask(server, grant_type=JWT_BEARER, assertion=f"{signed[0]}.{other[1]}")

    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_an_inactive_user_gets_none(org: Org, server: OrgServer, app: App) -> None:
    with org.transaction() as deed:
        deed.update("User", org.user, {"IsActive": False})

    answer = ask(server, grant_type="client_credentials", client_id=KEY, client_secret="s3cret")

    assert answer.json()["error"] == "inactive_user"


def test_a_session_lives_as_long_as_it_is_used(clock: HandClock, caller: Caller) -> None:
    for _ in range(3):
        clock.sleep(7_000)
        assert caller.get("limits").status_code == 200
    clock.sleep(7_201)

    assert error(caller.get("limits")) == (401, "INVALID_SESSION_ID")
    assert error(caller.get("limits")) == (401, "INVALID_SESSION_ID")


def test_an_org_that_moved_is_not_where_it_was(server: OrgServer, app: App, caller: Caller) -> None:
    before = server.instance_url
    after = server.move()
    granted = ask(server, grant_type=JWT_BEARER, assertion=assertion()).json()

    bearing = {"Authorization": f"Bearer {granted['access_token']}"}
    assert granted["instance_url"] == after != before
    assert caller.http.get(f"{before}{BASE}/limits", headers=bearing).status_code == 404
    assert caller.http.get(f"{after}{BASE}/limits", headers=bearing).status_code == 200


# Queries.


@pytest.fixture
def deals(org: Org) -> list[str]:
    with org.transaction() as deed:
        return [deal(deed, Name=f"D{at}") for at in range(450)]


def test_pages_say_query_and_go_on_with_deleted_rows(org: Org, deals: list[str], caller: Caller) -> None:
    with org.transaction() as deed:
        deed.delete("Opportunity", deals[300])
    small = {"Sforce-Query-Options": "batchSize=1"}

    first = caller.get("queryAll", small, q="SELECT Id FROM Opportunity ORDER BY Id").json()
    second = caller.get(first["nextRecordsUrl"]).json()

    assert (first["totalSize"], len(first["records"]), first["done"]) == (450, 200, False)
    assert first["nextRecordsUrl"].startswith(f"{BASE}/query/01g")
    assert deals[300] in [row["Id"] for row in second["records"]]
    assert caller.get(first["nextRecordsUrl"]).json() == second


def test_a_cursor_is_no_snapshot_and_a_short_page_no_end(
    org: Org, server: OrgServer, deals: list[str], caller: Caller
) -> None:
    server.script.at("query", 1, mis.ShortPage(3))
    first = caller.query("SELECT Id, NextStep FROM Opportunity ORDER BY Id")
    with org.transaction() as deed:
        deed.update("Opportunity", deals[3], {"NextStep": "new"})
        deed.delete("Opportunity", deals[4])

    rest = caller.get(first["nextRecordsUrl"]).json()

    assert (len(first["records"]), first["done"], rest["done"]) == (3, False, True)
    assert rest["records"][0]["NextStep"] == "new"
    assert len(rest["records"]) == 446


def test_a_locator_outlives_the_session_and_not_two_days(
    server: OrgServer, clock: HandClock, deals: list[str], caller: Caller
) -> None:
    server.script.at("query", 1, mis.ShortPage(10), times=2)
    there = caller.query("SELECT Id FROM Opportunity")["nextRecordsUrl"]
    other = caller.query("SELECT Id FROM Opportunity")["nextRecordsUrl"]

    clock.sleep(DAY.total_seconds())
    assert error(caller.get(there)) == (401, "INVALID_SESSION_ID")
    caller.log_in()
    assert caller.get(there).json()["done"]
    clock.sleep(DAY.total_seconds() + 1)
    caller.log_in()
    assert error(caller.get(other)) == (400, "INVALID_QUERY_LOCATOR")


def test_rows_are_fetched_by_their_ids_in_that_order(org: Org, deals: list[str], caller: Caller) -> None:
    with org.transaction() as deed:
        deed.delete("Opportunity", deals[1])
    wanted = [deals[2], deals[1], "0065f0zzzzzzzzz", deals[0][:15]]

    by_body = caller.send("POST", "composite/sobjects/Opportunity", {"ids": wanted, "fields": ["Name"]}).json()
    by_url = caller.get("composite/sobjects/Opportunity", ids=",".join(wanted), fields="Id,Name").json()

    assert [row and row["Name"] for row in by_body] == ["D2", None, None, "D0"]
    assert by_url == by_body
    refused = caller.send("POST", "composite/sobjects/Opportunity", {"ids": wanted, "fields": ["Nope"]})
    assert error(refused) == (400, "INVALID_FIELD")


def test_a_row_that_sharing_hides_looks_deleted(org: Org, deals: list[str], caller: Caller) -> None:
    org.silent.hide_rows("Opportunity", deals[:10])

    assert caller.query("SELECT COUNT() FROM Opportunity")["totalSize"] == 440
    assert error(caller.get(f"sobjects/Opportunity/{deals[0]}")) == (404, "NOT_FOUND")


def test_a_description_is_sent_again_only_when_it_changed(org: Org, clock: HandClock, caller: Caller) -> None:
    def described(since: str | None) -> httpx.Response:
        return caller.get("sobjects/Account/describe", {"If-Modified-Since": since} if since else None)

    first = described(None)
    assert (described(first.headers["Last-Modified"]).status_code, first.json()["name"]) == (304, "Account")
    org.admin.add_field("Account", text("New__c", 10))
    second = described(first.headers["Last-Modified"])
    assert "New__c" in [field["name"] for field in second.json()["fields"]]
    org.admin.hide_field("Account", "New__c")
    assert described(second.headers["Last-Modified"]).status_code == 200
    assert error(caller.get("query", q="SELECT New__c FROM Account")) == (400, "INVALID_FIELD")


def test_an_address_is_told_as_one(org: Org, caller: Caller) -> None:
    with org.transaction() as deed:
        account(deed, "A", BillingCity="Berlin", BillingPostalCode="10115")
        account(deed, "B")

    rows = caller.query("SELECT BillingAddress, Owner.Name FROM Account ORDER BY Name")["records"]

    assert [row["BillingAddress"] and row["BillingAddress"]["postalCode"] for row in rows] == ["10115", None]
    assert rows[0]["BillingAddress"]["latitude"] is None


# getUpdated and getDeleted.


def window(caller: Caller, what: str, start: str, end: str) -> httpx.Response:
    return caller.get(f"sobjects/Account/{what}", start=start, end=end)


def test_a_window_covers_no_more_than_the_oldest_open_transaction(org: Org, clock: HandClock, caller: Caller) -> None:
    late = org.begin()
    hidden = account(late)
    clock.sleep(300)
    with org.transaction() as deed:
        seen = account(deed)
    clock.sleep(300)

    answer = window(caller, "updated", "2026-11-20T11:00:30Z", "2026-11-20T12:10:59Z").json()
    late.commit()
    after = window(caller, "updated", "2026-11-20T11:00:30Z", "2026-11-20T12:10:59Z").json()

    assert answer == {"ids": [seen], "latestDateCovered": "2026-11-20T12:00:00.000+0000"}
    assert set(after["ids"]) == {seen, hidden}
    assert after["latestDateCovered"] == "2026-11-20T12:10:00.000+0000"


@pytest.mark.parametrize(
    ("what", "start", "end"),
    [
        ("updated", "2026-11-20T11:59:59Z", "2026-11-20T12:00:30Z"),
        ("updated", "2026-10-20T12:00:00Z", "2026-11-20T12:00:00Z"),
        ("deleted", "2026-11-04T12:00:00Z", "2026-11-20T12:00:00Z"),
        ("deleted", "yesterday", "2026-11-20T12:00:00Z"),
    ],
)
def test_a_window_that_is_too_short_or_reaches_too_far_is_refused(
    caller: Caller, what: str, start: str, end: str
) -> None:
    assert error(window(caller, what, start, end)) == (400, "INVALID_REPLICATION_DATE")


def test_what_the_delete_log_forgot_shows_in_its_earliest_date(
    org: Org, server: OrgServer, clock: HandClock, caller: Caller
) -> None:
    with org.transaction() as deed:
        ids = [account(deed, f"A{at}") for at in range(3)]
    for record in ids:
        with org.transaction() as deed:
            deed.delete("Account", record)
        clock.sleep(3_600)
    org.silent.purge_delete_log("Account", before=NOON + timedelta(minutes=30))
    caller.log_in()

    told = window(caller, "deleted", "2026-11-20T11:00:00Z", "2026-11-20T15:00:00Z").json()

    assert [each["id"] for each in told["deletedRecords"]] == ids[1:]
    assert told["earliestDateAvailable"] == "2026-11-20T12:30:00.000+0000"
    server.replication.ids_most = 1
    refused = window(caller, "deleted", "2026-11-20T11:00:00Z", "2026-11-20T15:00:00Z")
    assert error(refused) == (400, "EXCEEDED_ID_LIMIT")


# Limits and misbehaviour.


def test_the_day_is_over_when_all_calls_are_used_by_whomever(org: Org, clock: HandClock, caller: Caller) -> None:
    org.api.most = 100
    assert caller.get("limits").headers["Sforce-Limit-Info"] == "api-usage=1/100"
    org.use_api(99)

    refused = caller.get("limits")

    assert error(refused) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert refused.json()[0]["message"] == "TotalRequests Limit exceeded."
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=100/100"
    clock.sleep(DAY.total_seconds() + 60)
    caller.log_in()
    assert caller.get("limits").status_code == 200


def test_too_many_long_calls_at_once_are_told_apart(org: Org, caller: Caller) -> None:
    org.api.long_running = org.api.concurrent_most

    assert caller.get("limits").json()[0]["message"].startswith("ConcurrentRequests (Concurrent API Requests)")


def test_the_script_says_at_which_call_what_goes_wrong(server: OrgServer, clock: HandClock, caller: Caller) -> None:
    script = server.script
    script.at("limits", 1, mis.unavailable())
    script.at("limits", 2, mis.Drop())
    script.at("limits", 3, mis.Drop(after=5))
    script.at("limits", 4, mis.Slow(30))
    script.at("limits", 5, mis.daily_limit())
    script.at("limits", lambda request: "late" in request.query, mis.ExpireSession())

    first = caller.get("limits")
    assert (first.status_code, first.text[:6]) == (503, "<html>")
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            caller.get("limits")
    assert caller.get("limits").status_code == 200
    assert clock.now() == NOON + timedelta(seconds=30)
    assert error(caller.get("limits")) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert caller.get("limits").status_code == 200
    assert error(caller.get("limits", late="1")) == (401, "INVALID_SESSION_ID")
    assert script.calls["limits"] == 7


def test_answers_bear_the_time_of_the_org(clock: HandClock, caller: Caller) -> None:
    clock.sleep(90)

    assert caller.get("limits").headers["Date"] == "Fri, 20 Nov 2026 12:01:30 GMT"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/services/data/v62.0/nowhere", (404, "NOT_FOUND")),
        ("GET", "/services/data/v99.0/limits", (404, "NOT_FOUND")),
        ("GET", "/services/data/v20.0/limits", (410, "UNSUPPORTED_API_VERSION")),
        ("PUT", "/services/data/v62.0/limits", (405, "METHOD_NOT_ALLOWED")),
        ("GET", f"/services/data/v62.0/query?q={'x' * 17_000}", (414, "URI_TOO_LONG")),
    ],
)
def test_a_path_that_is_not_there_is_told_how(
    server: OrgServer, caller: Caller, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert error(caller.http.request(method, server.instance_url + path)) == expected


# Writing.


def upserted(caller: Caller, rows: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    records = [{"attributes": {"type": "Account"}, **row} for row in rows]
    answer = caller.send("PATCH", "composite/sobjects/Account/Erp__c", {"records": records, **more})
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def codes(results: list[dict[str, Any]]) -> list[str]:
    return ["created" if each["success"] and each["created"] else "updated" if each["success"]
            else each["errors"][0]["statusCode"] for each in results]  # fmt: skip


def test_the_rows_of_a_collection_fail_one_by_one(org: Org, server: OrgServer, caller: Caller) -> None:
    org.admin.add_field("Account", text("Erp__c", 20, external_id=True))
    server.script.at("row", 4, mis.Fail(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"))
    upserted(caller, [{"Erp__c": "1", "Name": "One"}])

    rows = [{"Erp__c": "1", "Phone": "5"}, {"Erp__c": "2", "Name": "Two"}, {"Erp__c": "3", "Name": "x"},
            {"Name": "None"}, {"Erp__c": "4"}, {"Erp__c": "5", "Name": "a"}, {"Erp__c": "5", "Name": "b"},
            {"Erp__c": "6", "Name": "c", "Health_Score__c": 1}]  # fmt: skip
    results = upserted(caller, rows)

    assert codes(results) == ["updated", "created", "UNABLE_TO_LOCK_ROW", "MISSING_ARGUMENT", "REQUIRED_FIELD_MISSING",
                              "DUPLICATE_VALUE", "DUPLICATE_VALUE", "INVALID_FIELD_FOR_INSERT_UPDATE"]  # fmt: skip
    assert [(row["Erp__c"], row["Name"], row["Phone"]) for row in org.rows("Account")] == [
        ("1", "One", "5"), ("2", "Two", None)]  # fmt: skip


def test_all_or_none_of_a_collection(org: Org, caller: Caller) -> None:
    org.admin.add_field("Account", text("Erp__c", 20, external_id=True))

    results = upserted(caller, [{"Erp__c": "1", "Name": "One"}, {"Erp__c": "2"}], allOrNone=True)

    assert codes(results) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert org.rows("Account") == []


def test_a_collection_that_is_malformed_fails_as_a_whole(org: Org, caller: Caller) -> None:
    org.admin.add_field("Account", text("Erp__c", 20, external_id=True))
    row = {"attributes": {"type": "Account"}, "Erp__c": "1", "Name": "One"}

    def sent(body: Any) -> tuple[int, str]:
        return error(caller.send("PATCH", "composite/sobjects/Account/Erp__c", body))

    assert sent({"records": [row] * 201}) == (400, "EXCEEDED_ID_LIMIT")
    assert sent([]) == (400, "JSON_PARSER_ERROR")
    assert sent({"records": [{**row, "attributes": {"type": "Lead"}}]}) == (400, "INVALID_INPUT")
    assert error(caller.send("PATCH", "composite/sobjects/Account/Name", {"records": [row]})) == (404, "NOT_FOUND")


def test_events_tell_the_name_of_the_client_that_wrote(org: Org, server: OrgServer, caller: Caller) -> None:
    caller.http.headers["Sforce-Call-Options"] = "client=tieout"

    caller.send("POST", "sobjects/Account", {"Name": "Ours"})

    (event,) = org.events.read(0, 10)
    assert event.change_origin == "com/salesforce/api/rest/62.0;client=tieout"
    assert event.commit_user == org.user
