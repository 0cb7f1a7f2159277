"""Who must move next when an org refuses."""

from __future__ import annotations

import json

import pytest

from tieout.base.errors import Broken, Misconfigured, TieoutError, Transient
from tieout.capture.salesforce import refusal as told
from tieout.capture.salesforce.refusal import grant_refusal, job_refusal, refusal

HTML = b"<html><body><h1>We are down for maintenance</h1></body></html>"
CONCURRENT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
TOKEN = "00D5f000000aBcDEAU!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL_QJWwYMfAbUeeG7c1EQMkVIuJr"


def body(code: str, message: str = "It is so") -> bytes:
    return json.dumps([{"message": message, "errorCode": code}]).encode()


@pytest.mark.parametrize(
    ("status", "answer", "family"),
    [
        (401, body("INVALID_SESSION_ID"), told.SessionExpired),
        (401, HTML, told.SessionExpired),
        (403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), told.DailyLimit),
        (403, body("REQUEST_LIMIT_EXCEEDED", CONCURRENT), told.ConcurrentLimit),
        (403, body("API_DISABLED_FOR_ORG"), told.NotAllowed),
        (403, body("INSUFFICIENT_ACCESS"), told.NotAllowed),
        (400, body("INVALID_QUERY_LOCATOR"), told.LocatorExpired),
        (400, body("INVALID_LOCATOR"), told.JobLost),
        (400, body("QUERY_TIMEOUT"), told.QueryTimeout),
        (400, body("INVALID_FIELD"), told.FieldGone),
        (400, body("INVALID_TYPE"), told.ObjectHidden),
        (404, body("NOT_FOUND"), told.ObjectHidden),
        (400, body("INVALID_REPLICATION_DATE"), told.WindowRefused),
        (400, body("EXCEEDED_ID_LIMIT"), told.TooManyIds),
        (400, body("API_ERROR", "No such column 'X__c' on entity 'Account'."), told.FieldGone),
        (400, body("LIMIT_EXCEEDED"), told.JobsLimit),
        (400, body("INVALIDJOBSTATE"), told.NotReady),
        (500, body("UNKNOWN_EXCEPTION"), told.Unavailable),
        (503, HTML, told.Unavailable),
        (502, b"", told.Unavailable),
        (503, b"\xff\xfe", told.Unavailable),
        (302, b"", told.Elsewhere),
        (404, HTML, told.Elsewhere),
        (410, body("UNSUPPORTED_API_VERSION"), Misconfigured),
        (409, b"", Broken),
        (414, HTML, Broken),
        (400, body("MALFORMED_QUERY"), Broken),
        (418, b'{"error":"teapot"}', Broken),
    ],
)
def test_a_refusal_tells_who_must_move(status: int, answer: bytes, family: type[TieoutError]) -> None:
    refused = refusal(status, answer, doing="querying")

    assert type(refused) is family
    assert "querying" in refused.message
    assert refused.hint or family is Broken


@pytest.mark.parametrize(
    ("status", "error", "words", "family", "hint"),
    [
        (400, "invalid_grant", "user hasn't approved this consumer", told.NotAllowed, "pre-authorized"),
        (400, "invalid_grant", "audience is invalid", Misconfigured, "audience"),
        (400, "invalid_client_id", "client identifier invalid", Misconfigured, "consumer key"),
        (400, "inactive_user", "user is inactive", told.NotAllowed, "Activate"),
        (400, "invalid_grant", "no client credentials user enabled", Misconfigured, "run-as user"),
        (400, "invalid_grant", "expired access/refresh token", Misconfigured, "Authorise"),
        (400, "invalid_grant", "something new", Misconfigured, "Login History"),
        (503, "", "", Transient, "tried again"),
    ],
)
def test_a_refused_token_tells_what_mends_it(
    status: int, error: str, words: str, family: type[TieoutError], hint: str
) -> None:
    refused = grant_refusal(status, json.dumps({"error": error, "error_description": words}).encode())

    assert isinstance(refused, family)
    assert hint in refused.hint


def test_a_clock_that_goes_wrong_is_named_first() -> None:
    expired = json.dumps({"error": "invalid_grant", "error_description": "assertion expired"}).encode()

    assert grant_refusal(400, expired, skew_seconds=-400).hint.startswith("This machine's clock is 400 s behind")
    assert grant_refusal(400, expired, skew_seconds=400).hint.startswith("This machine's clock is 400 s ahead of")
    assert "is 2 s" not in grant_refusal(400, expired, skew_seconds=2).hint


@pytest.mark.parametrize("secret", [TOKEN, "client_secret=hunter2", "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln"])
def test_no_text_repeats_a_secret(secret: str) -> None:
    answer = body("INVALID_FIELD", f"what is {secret} here")
    refused = [refusal(400, answer, doing="querying"), grant_refusal(400, answer), job_refusal(secret, doing="reading")]

    assert not [one for one in refused if secret in str(one)]


def test_a_failed_job_is_asked_for_again_in_smaller_parts_unless_it_asked_wrongly() -> None:
    assert isinstance(job_refusal("Retried more than fifteen times", doing="reading"), told.JobLost)
    assert isinstance(job_refusal("INVALID_FIELD: No such column", doing="reading"), told.FieldGone)


def test_a_long_refusal_is_cut() -> None:
    assert len(str(refusal(400, body("INVALID_FIELD", "x" * 10_000), doing="querying"))) < 700
