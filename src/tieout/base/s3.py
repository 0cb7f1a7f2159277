"""A bucket in S3, or in a store that speaks as S3: the few things that we ask of it.

Each object is put whole, in one request, under a condition and with its checksum; what S3 acknowledged is durable. The
library itself asks again when S3 is busy or away, a bounded number of times, with pauses that differ; what is left over
is Transient. Knows nothing of batches. Needs the extra `aws`.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from .errors import Broken, Misconfigured
from .s3_address import S3Address
from .s3_refusal import ABSENT, CONFLICT, NO_RANGE, NOT_HELD, absence, code_of, refusal

PUT_BYTES_MAX: Final = 5 << 30
"""What S3 takes in one request (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html)."""
_CONFLICTS_MAX = 4
"""How often a put is sent when another of the same key is on its way."""
_READS_MAX = 3
"""How often an object is asked for when its bytes stop coming; the library itself does not see that."""
_block_bytes = 1 << 20


@dataclass(frozen=True, slots=True)
class Patience:
    """How long S3 is waited for: tries of a request, and seconds until it is connected and until the next byte comes.

    As it is, what fails for good does so within some 100 s.
    """

    attempts_max: int = 4
    connect_seconds: float = 5.0
    read_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as a list tells it, its key without the address's prefix. `etag` is another when it is written anew."""

    key: str
    size: int
    etag: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Body:
    data: bytes
    etag: str


class Bucket:
    """The objects under an address, by their keys behind its prefix. May be used by several threads at once."""

    def __init__(self, address: S3Address, client: Any, *, is_renewed: bool) -> None:
        self.address = address
        self._client = client
        self._is_renewed = is_renewed
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._place = {"Bucket": address.bucket} | ({"ExpectedBucketOwner": address.owner} if address.owner else {})
        self._encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": address.kms_key, "BucketKeyEnabled": True}
            if address.kms_key
            else {}
        )

    def where(self, key: str) -> str:
        return f"s3://{self.address.bucket}/{self._prefix}{key}"

    def put_new(self, key: str, data: bytes) -> bool:
        """Whether there was no such object: now there is, with these bytes."""
        return self._put(key, data, IfNoneMatch="*")

    def put_over(self, key: str, data: bytes, etag: str) -> bool:
        """Whether the object was still the one of this etag: now it has these bytes."""
        return self._put(key, data, IfMatch=etag)

    def get(self, key: str) -> Body | None:
        """The whole object; None where there is none."""
        return self._read(key)

    def tail(self, key: str, count: int) -> bytes | None:
        """Its last bytes, so many or all there are; None where there is none."""
        body = self._read(key, Range=f"bytes=-{count}")
        return None if body is None else body.data

    def fetch(self, key: str, etag: str, into: BinaryIO) -> bool:
        """Writes the object of this etag to the file; False where it is gone or is another now."""
        with self._told(key):
            for left in reversed(range(_READS_MAX)):
                into.seek(0)
                into.truncate()
                answer = self._got(key, IfMatch=etag)
                if answer is None:
                    return False
                try:
                    for block in answer["Body"].iter_chunks(_block_bytes):
                        into.write(block)
                    return True
                except (HTTPClientError, IncompleteReadError):
                    if not left:
                        raise
        raise AssertionError("the last try returns or raises")

    def entries(self, folder: str = "") -> Iterator[Entry]:
        """What there is of which the key begins with this, in the order of the keys' bytes, page by page."""
        for page in self._pages(Prefix=self._prefix + folder):
            for one in page.get("Contents", ()):
                key = one["Key"].removeprefix(self._prefix)
                yield Entry(key, one["Size"], one["ETag"], one["LastModified"])

    def folders(self, folder: str = "") -> list[str]:
        """The names that stand between this and the next slash, in some key."""
        start = self._prefix + folder
        return [
            one["Prefix"].removeprefix(start).removesuffix("/")
            for page in self._pages(Prefix=start, Delimiter="/")
            for one in page.get("CommonPrefixes", ())
        ]

    def _put(self, key: str, data: bytes, **condition: str) -> bool:
        if len(data) > PUT_BYTES_MAX:
            raise Misconfigured(
                f"{self.where(key)} would have {len(data):,} bytes, and S3 takes {PUT_BYTES_MAX:,} in one piece.",
                hint="Keep the landing on a disk, or leave out of the source what is read in one piece of this size.",
            )
        checksum = b64encode(hashlib.sha256(data).digest()).decode()
        with self._told(key):
            for left in reversed(range(_CONFLICTS_MAX)):
                try:
                    answer = self._client.put_object(
                        **self._place, **self._encryption, **condition, Key=self._prefix + key, Body=data,
                        ChecksumAlgorithm="SHA256", ChecksumSHA256=checksum,
                    )  # fmt: skip
                except ClientError as error:
                    if code_of(error) in NOT_HELD | ABSENT:
                        return False
                    if code_of(error) != CONFLICT or not left:
                        raise
                else:
                    # A store that keeps no checksums tells none.
                    if answer.get("ChecksumSHA256", checksum) != checksum:
                        raise Broken(
                            f"{self.where(key)} has come to hold other bytes than were sent.",
                            hint="The store is faulty; do not rely on it.",
                        )
                    return True
        raise AssertionError("the last try returns or raises")

    def _read(self, key: str, **part: str) -> Body | None:
        with self._told(key):
            for left in reversed(range(_READS_MAX)):
                answer = self._got(key, **part)
                if answer is None:
                    return None
                try:
                    return Body(answer["Body"].read(), answer["ETag"])
                except (HTTPClientError, IncompleteReadError):
                    if not left:
                        raise
        raise AssertionError("the last try returns or raises")

    def _got(self, key: str, **part: str) -> Any:
        """The answer, its bytes not read yet; None where there is none, or none of this etag."""
        try:
            return self._client.get_object(**self._place, Key=self._prefix + key, **part)
        except ClientError as error:
            if code_of(error) in ABSENT | NOT_HELD:
                return None
            if code_of(error) == NO_RANGE:  # it has no byte at all
                return self._client.get_object(**self._place, Key=self._prefix + key)
            raise

    def _pages(self, **asked: str) -> Iterator[Any]:
        with self._told(""):
            # Bounded: a page goes on behind the one before it, and the library refuses a place that it has met.
            yield from self._client.get_paginator("list_objects_v2").paginate(**self._place, **asked)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """What the library raises is told as what it means."""
        try:
            yield
        except ClientError as error:
            raise refusal(self.where(key), error, is_renewed=self._is_renewed) from error
        except BotoCoreError as error:
            raise absence(self.where(key), error) from error


def reached(address: S3Address, *, patience: Patience = Patience()) -> Bucket:
    """The bucket of this address. Nothing is asked of it yet. Raises Misconfigured where AWS is set up wrong."""
    client, is_renewed = client_of(address, patience)
    return Bucket(address, client, is_renewed=is_renewed)


def client_of(address: S3Address, patience: Patience) -> tuple[Any, bool]:
    """A client of the library, and whether its credentials renew themselves."""
    config = Config(
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.read_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.attempts_max},
        signature_version="s3v4",
        # Other stores seldom have a host of its own for each bucket.
        s3={"addressing_style": "path" if address.endpoint_url else "auto"},
        tcp_keepalive=True,
        # What is put bears its SHA-256, and what is read is held against it: another sum would prove nothing more.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session()
        client = session.client("s3", region_name=address.region, endpoint_url=address.endpoint_url, config=config)
        return client, isinstance(session.get_credentials(), RefreshableCredentials)
    except BotoCoreError as error:
        raise absence(str(address), error) from error
