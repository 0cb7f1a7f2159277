"""What goes over the wire to an org, and what comes of its answers; the org is a function here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.salesforce import NOON, Clock
from tieout.base.errors import Broken, Misconfigured
from tieout.capture.salesforce.budget import Budget, Work
from tieout.capture.salesforce.refusal import (
    ConcurrentLimit,
    DailyLimit,
    FieldGone,
    JobLost,
    LocatorExpired,
    NotReady,
    OverBudget,
    Unavailable,
)
from tieout.capture.salesforce.wire.bulk import BulkJobs, BulkPage, JobState
from tieout.capture.salesforce.wire.client import Client, Covered, Deleted
from tieout.capture.salesforce.wire.oauth import ClientCredentials, Credentials, JwtBearer, Token

LOGIN, INSTANCE = "https://acme.my.salesforce.com", "https://acme--eu5.my.salesforce.com"
ORG, USER = "00D000000000001EAA", "005000000000001AAA"
ROOT = "/services/data/v62.0"
DATE = "Sat, 02 May 2026 12:00:00 GMT"

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception


class Org:
    """Answers in the order of `replies`; to questions for a token by itself."""

    def __init__(self, *replies: Reply, used: int = 18) -> None:
        self.replies = list(replies)
        self.asked: list[httpx.Request] = []
        self.tokens = 0
        self.usage = f"api-usage={used}/1000"
        self.grant: Callable[[], dict[str, Any]] = lambda: {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/services/oauth2/token":
            self.tokens += 1
            answer = {"access_token": f"00D!{self.tokens}", "instance_url": INSTANCE, "token_type": "Bearer"}
            identity = {"id": f"https://login.salesforce.com/id/{ORG}/{USER}"}
            return httpx.Response(200, json={**answer, **identity, **self.grant()}, headers={"Date": DATE})
        self.asked.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        status, body, headers = (*reply, {})[:3]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(
            status, content=content, headers={"Sforce-Limit-Info": self.usage, "Date": DATE, **headers}
        )

    @property
    def paths(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.asked]


def client(org: Org, *, credentials: Credentials | None = None, clock: Clock | None = None) -> Client:
    return Client(
        LOGIN,
        credentials or ClientCredentials("key", "hunter2"),
        "62.0",
        clock=clock or Clock(),
        budget=Budget(),
        transport=httpx.MockTransport(org),
    )


def page(*ids: str, total: int = 0, following: str | None = None) -> dict[str, Any]:
    told = {"totalSize": total or len(ids), "done": following is None, "records": [{"Id": id_} for id_ in ids]}
    return told if following is None else {**told, "nextRecordsUrl": following}


def error(code: str, message: str = "It is so") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


EXPIRED: Reply = (401, error("INVALID_SESSION_ID"))
AWAY: Reply = (503, b"<html>down</html>")
NEXT = f"{ROOT}/query/01gD0000002HU6KIAW-2000"


def ids_of(asking: Client) -> list[str]:
    return [record["Id"] for each in asking.query_pages("SELECT Id FROM A", work=Work.LIVE) for record in each.records]


def test_data_are_asked_for_where_the_token_says_and_in_our_name() -> None:
    org = Org((200, page("a")))
    asking = client(org)

    assert ids_of(asking) == ["a"]
    (request,) = org.asked
    assert (request.url.host, org.paths) == (
        "acme--eu5.my.salesforce.com",
        [f"{ROOT}/queryAll?q=SELECT%20Id%20FROM%20A"],
    )
    assert request.headers["Authorization"] == "Bearer 00D!1"
    assert request.headers["Sforce-Call-Options"] == "client=tieout"
    assert (asking.identity().org_id, asking.identity().user_id) == (ORG, USER)


def test_a_token_that_expires_between_two_pages_is_replaced_and_the_same_page_asked_for() -> None:
    org = Org((200, page("a", total=2, following=NEXT)), EXPIRED, (200, page("b", total=2)))

    assert ids_of(client(org)) == ["a", "b"]
    assert org.paths[1:] == [NEXT, NEXT]
    assert [request.headers["Authorization"] for request in org.asked[1:]] == ["Bearer 00D!1", "Bearer 00D!2"]


def test_a_new_token_that_is_refused_as_well_is_for_the_administrator() -> None:
    org = Org(EXPIRED, EXPIRED)

    with pytest.raises(Misconfigured) as refused:
        ids_of(client(org))

    assert (len(org.asked), org.tokens) == (2, 2)
    assert "Login History" in refused.value.hint


def test_only_done_ends_a_reading() -> None:
    org = Org(
        (200, page(total=2, following=NEXT)), (200, page("a", total=2, following=NEXT[:-4] + "4000")), (200, page("b"))
    )

    assert ids_of(client(org)) == ["a", "b"]


@pytest.mark.parametrize(
    "following", ["", NEXT, "https://evil.example/services/data/v62.0/sobjects", "/secur/logout.jsp"]
)
def test_a_next_page_is_on_the_way_or_nowhere(following: str) -> None:
    org = Org((200, page("a", following=NEXT)), (200, page("b", following=following)))

    with pytest.raises(Broken):
        ids_of(client(org))


def test_another_host_in_the_way_to_the_next_page_is_not_asked() -> None:
    org = Org((200, page("a", following=f"https://evil.example{NEXT}")), (200, page("b")))

    assert ids_of(client(org)) == ["a", "b"]
    assert {request.url.host for request in org.asked} == {"acme--eu5.my.salesforce.com"}


def test_a_forgotten_place_is_told_as_such() -> None:
    org = Org((200, page("a", following=NEXT)), (400, error("INVALID_QUERY_LOCATOR")))

    with pytest.raises(LocatorExpired):
        ids_of(client(org))


@pytest.mark.parametrize(
    "trouble",
    [
        AWAY,
        (500, error("UNKNOWN_EXCEPTION")),
        (502, b""),
        (200, b"<html>busy</html>"),
        (403, error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silent"),
    ],
    ids=str,
)
def test_what_passes_by_itself_is_tried_again_with_longer_pauses(trouble: Reply) -> None:
    clock = Clock()
    org = Org(trouble, trouble, (200, page("a")))

    assert ids_of(client(org, clock=clock)) == ["a"]
    assert clock.slept == [1.0, 2.0]


def test_trouble_that_lasts_is_told_after_a_few_tries() -> None:
    clock = Clock()
    org = Org(*[AWAY] * 9)

    with pytest.raises(Unavailable):
        ids_of(client(org, clock=clock))

    assert (len(org.asked), sum(clock.slept)) == (4, 7.0)


def test_a_day_that_is_used_up_is_not_asked_again() -> None:
    clock = Clock()
    used_up = (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    org = Org(used_up, (200, page("a")), used_up, (200, page("b")))
    asking = client(org, clock=clock)

    with pytest.raises(DailyLimit):
        ids_of(asking)
    with pytest.raises(OverBudget):
        ids_of(asking)

    assert len(org.asked) == 1
    clock.at += timedelta(minutes=15)
    assert ids_of(asking) == ["a"]

    with pytest.raises(DailyLimit):
        ids_of(asking)
    clock.at += timedelta(minutes=15)
    assert ids_of(asking) == ["b"]


def test_a_call_that_the_budget_does_not_allow_is_not_made() -> None:
    org = Org((200, page("a")), (200, page("b")), used=750)
    asking = client(org)

    assert ids_of(asking) == ["a"]
    with pytest.raises(OverBudget) as waits:
        asking.count("SELECT COUNT() FROM A", work=Work.BACKFILL)

    assert len(org.asked) == 1
    assert waits.value.message == (
        "counting waits: the org has made 750 of its 1,000 calls of the day, and backfill work stops at 70%."
    )
    assert ids_of(asking) == ["b"]


def test_a_refused_question_is_not_asked_again() -> None:
    org = Org((400, error("INVALID_FIELD", "No such column 'Deal_Score__c'")))

    with pytest.raises(FieldGone):
        ids_of(client(org))


def test_no_redirect_takes_the_token_elsewhere() -> None:
    org = Org(*[(302, b"", {"Location": "https://evil.example/"})] * 2)

    with pytest.raises(Misconfigured) as refused:
        ids_of(client(org))

    assert {request.url.host for request in org.asked} == {"acme--eu5.my.salesforce.com"}
    assert "login_url" in refused.value.hint


def test_an_org_that_has_moved_is_asked_where_a_new_token_leads() -> None:
    org = Org((404, b"<html>gone</html>"), (200, page("a")))
    hosts = iter([INSTANCE, "https://acme--na7.my.salesforce.com"])
    org.grant = lambda: {"instance_url": next(hosts)}

    assert ids_of(client(org)) == ["a"]
    assert [request.url.host for request in org.asked] == ["acme--eu5.my.salesforce.com", "acme--na7.my.salesforce.com"]


def test_a_number_keeps_all_its_digits() -> None:
    body = b'{"totalSize":1,"done":true,"records":[{"Id":"a","Amount":12345678901234567.10}]}'

    (told,) = client(Org((200, body))).query_pages("SELECT Amount FROM A", work=Work.LIVE)

    assert told.records[0]["Amount"] == "12345678901234567.10"


def test_an_object_that_did_not_change_is_not_told_again() -> None:
    org = Org((200, {"name": "Account"}, {"Last-Modified": DATE}), (304, b""), (200, {"name": "Account"}))
    asking = client(org)

    assert asking.describe("Account") == {"name": "Account"}
    assert asking.describe("Account") is None
    assert asking.describe("Account", anew=True) == {"name": "Account"}
    assert [request.headers.get("If-Modified-Since") for request in org.asked] == [None, DATE, None]


def test_a_field_that_is_gone_has_its_object_described_anew() -> None:
    org = Org((200, {"name": "Account"}), (400, error("INVALID_FIELD")), (200, {"name": "Account"}))
    asking = client(org)
    asking.describe("Account")

    with pytest.raises(FieldGone):
        ids_of(asking)

    assert asking.describe("Account") == {"name": "Account"}


def test_the_time_is_the_orgs_and_asked_for_when_it_is_old() -> None:
    clock = Clock(NOON + timedelta(hours=3))
    org = Org((200, {}), (200, {}))
    asking = client(org, clock=clock)

    asking.token()
    assert asking.now() == int(NOON.timestamp())
    clock.at += timedelta(seconds=59)
    assert asking.now() == int(NOON.timestamp()) + 59
    assert len(org.asked) == 1
    clock.at += timedelta(seconds=2)
    assert asking.now() == int(NOON.timestamp())
    clock.at -= timedelta(hours=1)
    org.replies.append((200, {}))
    asking.now()
    assert len(org.asked) == 3


def test_the_log_of_changes_is_asked_for_more_than_a_minute_from_a_full_minute_on() -> None:
    noon = int(NOON.timestamp())
    told = {"ids": ["001A0000006Vm9r"], "latestDateCovered": "2026-05-02T11:59:00.000+0000"}
    org = Org((200, told), (200, told))
    asking = client(org)

    covered = asking.updated("Account", noon - 3_599, noon, work=Work.LIVE)
    asking.updated("Account", noon - 5, noon, work=Work.LIVE)

    assert covered == Covered(("001A0000006Vm9rIAC",), noon - 60)
    starts = [parse_qs(request.url.query.decode())["start"] for request in org.asked]
    assert starts == [["2026-05-02T11:00:00+00:00"], ["2026-05-02T11:58:00+00:00"]]


def test_the_log_of_deletions_says_how_far_it_reaches() -> None:
    noon = int(NOON.timestamp())
    entry = {"id": "001A0000006Vm9rIAC", "deletedDate": "2026-05-02T11:30:07.000+0000"}
    told = {
        "deletedRecords": [entry],
        "earliestDateAvailable": "2026-05-01T12:00:00.000+0000",
        "latestDateCovered": "2026-05-02T12:00:00.000+0000",
    }

    deleted = client(Org((200, told))).deleted("Account", noon - 3_600, noon, work=Work.LIVE)

    assert deleted == Deleted((("001A0000006Vm9rIAC", noon - 1_793),), noon - 86_400, noon)


def test_rows_that_are_not_there_are_left_out() -> None:
    org = Org((200, [{"Id": "a"}, None]))

    assert client(org).retrieve("Account", ["a", "b"], ["Id"], work=Work.REPAIR) == [{"Id": "a"}]
    assert json.loads(org.asked[0].content) == {"ids": ["a", "b"], "fields": ["Id"]}


def test_a_job_is_made_looked_at_and_read_to_its_last_page() -> None:
    org = Org(
        (200, {"id": "750A", "state": "UploadComplete"}),
        (200, {"id": "750A", "state": "JobComplete", "numberRecordsProcessed": 3}),
        (200, b'"Id"\n"a"\n"b"\n', {"Sforce-NumberOfRecords": "2", "Sforce-Locator": "MTAw"}),
        (200, b'"Id"\n"c"\n', {"Sforce-NumberOfRecords": "1", "Sforce-Locator": "null"}),
        (204, b""),
    )
    jobs = BulkJobs(client(org))

    job = jobs.create("SELECT Id FROM A", with_deleted=True, work=Work.BACKFILL)
    assert jobs.state(job) == JobState("JobComplete", 3)
    assert jobs.page(job, None, 2) == BulkPage(b'"Id"\n"a"\n"b"\n', "MTAw", 2)
    assert jobs.page(job, "MTAw", 2) == BulkPage(b'"Id"\n"c"\n', None, 1)
    jobs.delete(job)

    assert json.loads(org.asked[0].content)["operation"] == "queryAll"
    assert org.paths[3] == f"{ROOT}/jobs/query/750A/results?maxRecords=2&locator=MTAw"


@pytest.mark.parametrize(
    "reply",
    [
        (204, b""),
        (200, b""),
        (200, b'"Id"\n', {"Sforce-NumberOfRecords": "0"}),
        (400, error("INVALIDJOBSTATE")),
    ],
    ids=["empty", "no headers", "no locator", "refused"],
)
def test_no_result_yet_is_not_a_result_of_no_rows(reply: Reply) -> None:
    with pytest.raises(NotReady):
        BulkJobs(client(Org(reply))).page("750A", None, 10)


def test_a_job_that_the_org_forgot_is_lost() -> None:
    with pytest.raises(JobLost):
        BulkJobs(client(Org((404, error("NOT_FOUND"))))).state("750A")


def test_a_job_of_another_version_is_ours_to_mend() -> None:
    with pytest.raises(Broken) as refused:
        BulkJobs(client(Org((409, b"")))).page("750A", None, 10)

    assert "version" in refused.value.hint


@pytest.mark.parametrize("trouble", [AWAY, httpx.ReadTimeout("silent")], ids=str)
def test_a_job_of_which_nobody_knows_whether_it_was_made_is_not_made_again(trouble: Reply) -> None:
    org = Org(trouble)

    with pytest.raises(Unavailable):
        BulkJobs(client(org)).create("SELECT Id FROM A", with_deleted=True, work=Work.LIVE)

    assert len(org.asked) == 1


def test_a_job_that_cannot_have_been_made_is_made_again() -> None:
    org = Org(httpx.ConnectError("refused"), (200, {"id": "750A"}))

    assert BulkJobs(client(org)).create("SELECT Id FROM A", with_deleted=True, work=Work.LIVE) == "750A"


def test_jobs_wait_for_their_own_limit() -> None:
    org = Org((200, {"DailyBulkV2QueryJobs": {"Max": 10, "Remaining": 2}}))
    asking = client(org)
    asking.limits()

    with pytest.raises(OverBudget):
        BulkJobs(asking).create("SELECT Id FROM A", with_deleted=True, work=Work.LIVE)

    assert len(org.asked) == 1


def test_an_app_signs_for_a_minute_or_two_by_the_orgs_clock() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    signer = JwtBearer("consumer", "sync@acme.test", pem)

    form = signer.grant(NOON)
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_aud": False}
    )

    noon = int(NOON.timestamp())
    assert claims == {
        "iss": "consumer",
        "sub": "sync@acme.test",
        "aud": "https://login.salesforce.com",
        "exp": noon + 120,
    }
    assert pem not in repr(signer)


def test_a_key_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(Misconfigured) as refused:
        client(Org(), credentials=JwtBearer("consumer", "sync@acme.test", "c2VjcmV0")).token()

    assert "c2VjcmV0" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_two_who_meet_one_expired_token_ask_for_one_new() -> None:
    org = Org()
    asking = client(org)
    expired = asking.token()

    assert asking.renew(expired) == asking.renew(expired) == asking.token()
    assert org.tokens == 2


def test_credentials_that_lead_to_another_org_are_refused() -> None:
    org = Org()
    asking = client(org)
    expired = asking.token()
    org.grant = lambda: {"id": f"https://login.salesforce.com/id/00D000000000002EAA/{USER}"}

    with pytest.raises(Misconfigured):
        asking.renew(expired)


@pytest.mark.parametrize(
    "url", ["http://login.salesforce.com", "ftp://localhost", "login.salesforce.com", "", "https://", "https://[x"]
)
def test_a_secret_is_sent_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(Misconfigured):
        Client(url, ClientCredentials("key", "hunter2"), "62.0", clock=Clock(), budget=Budget())


def test_an_instance_in_the_clear_gets_no_token() -> None:
    org = Org()
    org.grant = lambda: {"instance_url": "http://acme.my.salesforce.com"}

    with pytest.raises(Misconfigured):
        ids_of(client(org))

    assert not org.asked


def test_nothing_that_is_shown_holds_a_secret() -> None:
    org = Org(httpx.ConnectError("refused"), *[httpx.ReadError("")] * 3)
    asking = client(org)

    with pytest.raises(Unavailable) as refused:
        ids_of(asking)

    shown = f"{refused.value} {asking.token()} {ClientCredentials('key', 'hunter2')}"
    assert "00D!" not in shown
    assert "hunter2" not in shown
    assert isinstance(asking.token(), Token)


def test_a_limit_of_the_moment_that_lasts_is_told_as_such() -> None:
    org = Org(*[(403, error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."))] * 4)

    with pytest.raises(ConcurrentLimit):
        ids_of(client(org))
