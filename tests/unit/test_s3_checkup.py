"""What the doctor says of a bucket: each finding is brought about, and gone when it was mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests import s3
from tieout.base.finding import Finding, Shell
from tieout.base.s3_address import S3Address
from tieout.land.s3_checkup import S3Checkup


@pytest.fixture(scope="module")
def running() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture
def address(running: s3.Store, monkeypatch: pytest.MonkeyPatch) -> S3Address:
    running.forget()
    s3.unpaused(monkeypatch)
    monkeypatch.setattr("tieout.land.s3_checkup.client_of", s3.known_client)
    return running.address()


def admin(address: S3Address) -> Any:
    return s3.known_client(address, s3.IMPATIENT)[0]


def found(address: S3Address) -> dict[str, Finding]:
    return {finding.code: finding for finding in S3Checkup(address, patience=s3.IMPATIENT).check()}


def lifecycle(address: S3Address, **rule: Any) -> None:
    rules = [{"ID": "old", "Status": "Enabled", **rule}]
    admin(address).put_bucket_lifecycle_configuration(
        Bucket=address.bucket, LifecycleConfiguration={"Rules": rules}
    )  # fmt: skip


def test_a_bucket_as_it_comes_can_be_used_and_is_warned_of(address: S3Address) -> None:
    findings = found(address)

    assert set(findings) == {"s3.bucket.ok", "s3.endpoint.plain", "s3.versioning.off", "s3.public.open"}
    assert all(findings[code].typed is Shell.SHELL for code in ("s3.versioning.off", "s3.public.open"))
    assert f"--bucket {address.bucket}" in findings["s3.versioning.off"].mend
    assert f"--endpoint-url {address.endpoint_url}" in findings["s3.public.open"].mend


def test_a_bucket_that_was_mended_is_well(address: S3Address) -> None:
    mends = found(address)
    client = admin(address)
    _, status = mends["s3.versioning.off"].mend.split("--versioning-configuration ")[1].split()[0].split("=")
    client.put_bucket_versioning(Bucket=address.bucket, VersioningConfiguration={"Status": status})
    written = mends["s3.public.open"].mend.split("--public-access-block-configuration ")[1].split()[0]
    blocks = {part.split("=")[0]: part.endswith("=true") for part in written.split(",")}
    client.put_public_access_block(Bucket=address.bucket, PublicAccessBlockConfiguration=blocks)

    assert set(found(address)) == {"s3.bucket.ok", "s3.endpoint.plain", "s3.versioning.ok", "s3.public.ok"}


def test_versions_that_are_kept_no_longer_are_as_good_as_none(address: S3Address) -> None:
    for status in ("Enabled", "Suspended"):
        admin(address).put_bucket_versioning(Bucket=address.bucket, VersioningConfiguration={"Status": status})

    assert "s3.versioning.off" in found(address)


def test_a_bucket_that_is_not_there_is_made_by_the_mend(address: S3Address) -> None:
    missing = replace(address, bucket="no-such-bucket")

    (plain, finding) = found(missing).values()

    assert (plain.code, finding.code) == ("s3.endpoint.plain", "s3.bucket.missing")
    assert finding.mend.startswith("aws s3 mb s3://no-such-bucket --region us-east-1")


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "SlowDown"])
def test_a_bucket_that_refuses_is_told_with_its_mend(running: s3.Store, address: S3Address, code: str) -> None:
    running.fail(s3.refused("403 Forbidden", code), lists=True, times=5)

    finding = found(address)["s3.bucket.unusable"]

    assert code in finding.found
    assert finding.hint


def test_a_store_that_is_away_is_told(address: S3Address) -> None:
    assert "reached" in found(replace(address, endpoint_url="http://127.0.0.1:1"))["s3.bucket.unusable"].found


def test_a_question_that_is_refused_hides_no_other_finding(running: s3.Store, address: S3Address) -> None:
    running.fail(s3.refused("403 Forbidden", "AccessDenied"), asking="versioning")

    findings = found(address)

    assert findings["s3.question.refused"].found == "GetBucketVersioning: AccessDenied"
    assert "s3.public.open" in findings


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        ({"Prefix": "", "Expiration": {"Days": 30}}, {"s3.lifecycle.expires"}),
        ({"Filter": {"Prefix": "books/"}, "Expiration": {"Days": 30}}, {"s3.lifecycle.expires"}),
        ({"Filter": {"Prefix": "books/landing/erp/"}, "Expiration": {"Days": 30}}, {"s3.lifecycle.expires"}),
        ({"Filter": {"Prefix": "other/"}, "Expiration": {"Days": 30}}, set()),
        ({"Filter": {"Prefix": "books/landing2/"}, "Expiration": {"Days": 30}}, set()),
        ({"Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 30}}, set()),
        ({"Filter": {"Prefix": ""}, "Status": "Disabled", "Expiration": {"Days": 30}}, set()),
        ({"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}}, set()),
        ({"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}, set()),
        ({"Prefix": "", "Transitions": [{"Days": 9, "StorageClass": "GLACIER"}]}, {"s3.lifecycle.archives"}),
        ({"Filter": {"Prefix": ""}, "Transitions": [{"Days": 9, "StorageClass": "GLACIER_IR"}]}, set()),
    ],
)  # fmt: skip
def test_a_rule_that_takes_batches_away_is_an_error(address: S3Address, rule: dict[str, Any], codes: set[str]) -> None:
    lifecycle(address, **rule)

    assert {code for code in found(address) if code.startswith("s3.lifecycle")} == codes
