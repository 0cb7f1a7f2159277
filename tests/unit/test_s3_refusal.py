"""Where there is no answer of S3, or nobody to ask with, it is said who must move next."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as aws

from tieout.base.errors import Misconfigured, TieoutError, Transient
from tieout.base.s3 import reached
from tieout.base.s3_address import S3Address
from tieout.base.s3_refusal import absence, refusal


@pytest.mark.parametrize(
    ("error", "family", "mend"),
    [
        (aws.EndpointConnectionError(endpoint_url="https://s3"), Transient, "network"),
        (aws.ConnectTimeoutError(endpoint_url="https://s3"), Transient, "network"),
        (aws.ReadTimeoutError(endpoint_url="https://s3"), Transient, "network"),
        (aws.ConnectionClosedError(endpoint_url="https://s3"), Transient, "network"),
        (aws.IncompleteReadError(actual_bytes=1, expected_bytes=2), Transient, "network"),
        (aws.ProxyConnectionError(proxy_url="http://proxy"), Transient, "network"),
        (aws.CredentialRetrievalError(provider="role", error_msg="away"), Transient, "network"),
        (aws.SSLError(endpoint_url="https://s3", error="EOF occurred"), Transient, "network"),
        (aws.SSLError(endpoint_url="https://s3", error="CERTIFICATE_VERIFY_FAILED"), Misconfigured, "CA_BUNDLE"),
        (aws.NoCredentialsError(), Misconfigured, "credentials"),
        (aws.ProfileNotFound(profile="books"), Misconfigured, "credentials"),
        (aws.SSOTokenLoadError(error_msg="expired"), Misconfigured, "credentials"),
        (aws.InvalidConfigError(error_msg="no"), Misconfigured, "settings"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)  # fmt: skip
def test_an_absence_says_who_must_move_next(error: Any, family: type[TieoutError], mend: str) -> None:
    told = absence("s3://books/a", error)

    assert type(told) is family
    assert told.message.startswith("s3://books/a cannot be reached: ")
    assert told.message.endswith(".")
    assert mend in told.hint


@pytest.mark.parametrize(
    ("status", "family"),
    [(503, Transient), (429, Transient), (408, Transient), (403, Misconfigured), (301, Misconfigured)],
)
def test_a_refusal_without_a_code_goes_by_its_status(status: int, family: type[TieoutError]) -> None:
    error = aws.ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")

    told = refusal("s3://books/a", error, is_renewed=False)

    assert type(told) is family
    assert str(status) in told.message
    assert told.hint


def test_what_a_refusal_carries_besides_its_sentence_is_not_told() -> None:
    error = aws.ClientError(
        {
            "Error": {"Code": "ExpiredToken", "Message": "The token has expired", "Token-0": "verysecret"},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {"x-token": "verysecret"}},
        },
        "GetObject",
    )

    assert "secret" not in f"{refusal('s3://books/a', error, is_renewed=False)!r}"


def test_a_profile_that_is_not_there_is_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    with pytest.raises(Misconfigured, match="no-such-profile"):
        reached(S3Address("books"))
