"""An address in S3 is read as it stands, or answered with what is right."""

from __future__ import annotations

import re

import pytest

from tieout.base.s3_address import S3Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket", S3Address("bucket")),
        ("s3://bucket/", S3Address("bucket")),
        ("s3://my.bucket-1/a/b c/ü%20/", S3Address("my.bucket-1", "a/b c/ü%20")),
        ("s3://bucket/a?region=eu-central-1", S3Address("bucket", "a", region="eu-central-1")),
        (
            "s3://bucket?endpoint_url=https://minio.example:9000&owner=123456789012",
            S3Address("bucket", endpoint_url="https://minio.example:9000", owner="123456789012"),
        ),
        (
            "s3://bucket/a?kms_key=arn:aws:kms:eu-central-1:123456789012:key/0a-1b&region=eu-central-1",
            S3Address("bucket", "a", "eu-central-1", None, "arn:aws:kms:eu-central-1:123456789012:key/0a-1b"),
        ),
    ],
)
def test_an_address_is_read(text: str, address: S3Address) -> None:
    assert S3Address.parse(text) == address
    assert str(address) == text.partition("?")[0].removesuffix("/")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("./landing", "s3://bucket/prefix"),
        ("s3://", "s3://bucket/prefix"),
        ("s3:///prefix", "s3://bucket/prefix"),
        ("s3://Bucket/a", "3 to 63"),
        ("s3://b/a", "3 to 63"),
        ("s3://key:secret@bucket/a", "3 to 63"),
        ("s3://bucket//a", "single slashes"),
        ("s3://bucket/a//", "single slashes"),
        ("s3://bucket/a/../b", "single slashes"),
        ("s3://bucket/a#b", "'#'"),
        ("s3://bucket/a\nb", "single slashes"),
        ("s3://bucket/" + "x" * 513, "single slashes"),
        ("s3://bucket/a?regoin=eu-central-1", "allowed: region, endpoint_url, kms_key, owner"),
        ("s3://bucket/a?region=", "eu-central-1"),
        ("s3://bucket/a?region=eu&region=us", "twice"),
        ("s3://bucket/a?owner=me", "twelve digits"),
        ("s3://bucket/a?endpoint_url=minio:9000", "https://minio.example:9000"),
        ("s3://bucket/a?endpoint_url=https://key:secret@minio", "https://minio.example:9000"),
        ("s3://bucket/a?endpoint_url=https://minio:port", "https://minio.example:9000"),
    ],
)
def test_what_is_no_address_is_answered_with_what_is_right(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as refused:
        S3Address.parse(text)

    assert "secret" not in str(refused.value)
