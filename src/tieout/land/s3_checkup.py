"""Looks at the bucket of a landing: whether it can be used, and whether what is kept there is kept for ever.

It only asks. That it may also write shows when it does: a trial would be one object more.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..base.errors import TieoutError
from ..base.finding import Codes, Finding, Level
from ..base.s3 import Patience, client_of
from ..base.s3_address import S3Address
from ..base.s3_refusal import absence, code_of, refusal

_OK, _NOTE, _WARNING, _ERROR = Level

CODES = Codes(
    {
        "s3.bucket.ok": (_OK, "it can be listed"),
        "s3.bucket.missing": (_ERROR, "nothing can be kept there"),
        "s3.bucket.unusable": (_ERROR, "nothing can be kept there"),
        "s3.endpoint.plain": (_WARNING, "whoever is on the way can read and change what is sent"),
        "s3.question.refused": (_NOTE, "what it would tell stays unknown"),
        "s3.versioning.ok": (_OK, "what is deleted by mistake can be brought back"),
        "s3.versioning.off": (_WARNING, "whoever deletes or overwrites a batch does so for good"),
        "s3.public.ok": (_OK, "no policy can open it to everybody"),
        "s3.public.open": (_WARNING, "one policy or access list too many opens it to everybody"),
        "s3.lifecycle.expires": (_ERROR, "batches are kept for ever, and a rebuild needs all of them"),
        "s3.lifecycle.archives": (_WARNING, "a batch in an archive cannot be read, and a rebuild stops there"),
    }
)
_PATIENCE = Patience(attempts_max=2, connect_seconds=3.0, read_seconds=10.0)
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_NONE_SET = frozenset({"NoSuchPublicAccessBlockConfiguration", "NoSuchLifecycleConfiguration"})


class S3Checkup:
    """Implements `Checked`."""

    def __init__(self, address: S3Address, *, patience: Patience = _PATIENCE) -> None:
        self._address = address
        self._patience = patience
        self._place = {"Bucket": address.bucket} | ({"ExpectedBucketOwner": address.owner} if address.owner else {})

    def check(self) -> tuple[Finding, ...]:
        return tuple(self._findings())

    def _findings(self) -> Iterator[Finding]:
        where = str(self._address)
        if (self._address.endpoint_url or "").startswith("http://"):
            told = f"{self._address.endpoint_url} is spoken to without TLS"
            yield CODES("s3.endpoint.plain", told, about=where, hint="Write https:// into the address.")
        try:
            client, is_renewed = client_of(self._address, self._patience)
            client.list_objects_v2(**self._place, Prefix=self._address.prefix, MaxKeys=1)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                make = self._command("s3 mb", f"s3://{self._address.bucket}")
                yield CODES("s3.bucket.missing", f"there is no bucket {self._address.bucket}", about=where, shell=make)
            else:
                yield self._unusable(refusal(where, error, is_renewed=is_renewed))
        except BotoCoreError as error:
            yield self._unusable(absence(where, error))
        except TieoutError as error:
            yield self._unusable(error)
        else:
            yield CODES("s3.bucket.ok", f"landing in {where}", about=where)
            yield from self._settings(client)

    def _unusable(self, error: TieoutError) -> Finding:
        return CODES("s3.bucket.unusable", error.message, about=str(self._address), hint=error.hint)

    def _settings(self, client: Any) -> Iterator[Finding]:
        for question, judge in (
            (client.get_bucket_versioning, self._versioning),
            (client.get_public_access_block, self._public),
            (client.get_bucket_lifecycle_configuration, self._lifecycle),
        ):
            try:
                answer = question(**self._place)
            except ClientError as error:
                if code_of(error) not in _NONE_SET:
                    told = f"{error.operation_name}: {code_of(error)}"
                    yield CODES("s3.question.refused", told, about=str(self._address))
                    continue
                answer = {}
            except BotoCoreError as error:
                yield CODES("s3.question.refused", str(error), about=str(self._address))
                continue
            yield from judge(answer)

    def _versioning(self, answer: Mapping[str, Any]) -> Iterator[Finding]:
        if answer.get("Status") == "Enabled":
            yield CODES("s3.versioning.ok", "versions are kept")
            return
        on = self._command("s3api put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
        yield CODES("s3.versioning.off", "no versions are kept", about=str(self._address), shell=on)

    def _public(self, answer: Mapping[str, Any]) -> Iterator[Finding]:
        blocked = answer.get("PublicAccessBlockConfiguration", {})
        opened = [name for name in _BLOCKS if not blocked.get(name)]
        if not opened:
            yield CODES("s3.public.ok", "public access is blocked")
            return
        told = f"of the bucket itself, not all public access is blocked: {', '.join(opened)}"
        all_ = ",".join(f"{name}=true" for name in _BLOCKS)
        block = self._command("s3api put-public-access-block", "--public-access-block-configuration", all_)
        yield CODES("s3.public.open", told, about=str(self._address), shell=block)

    def _lifecycle(self, answer: Mapping[str, Any]) -> Iterator[Finding]:
        for rule in answer.get("Rules", ()):
            if not _concerns(rule, self._address.prefix):
                continue
            name = rule.get("ID", "without a name")
            if {"Days", "Date"} & rule.get("Expiration", {}).keys():
                hint = "Let it expire noncurrent versions only, or take the landing's prefix from it."
                yield CODES("s3.lifecycle.expires", f"the rule {name} deletes objects", about=name, hint=hint)
            archives = {one["StorageClass"] for one in rule.get("Transitions", ())} & _ARCHIVES
            if archives:
                told = f"the rule {name} moves objects to {', '.join(sorted(archives))}"
                hint = "GLACIER_IR and INTELLIGENT_TIERING stay readable at once."
                yield CODES("s3.lifecycle.archives", told, about=name, hint=hint)

    def _command(self, command: str, *arguments: str) -> str:
        """Of the AWS CLI, for this bucket."""
        address = self._address
        named = ["--bucket", address.bucket] if command.startswith("s3api") else []
        reached = ["--region", address.region] if address.region else []
        reached += ["--endpoint-url", address.endpoint_url] if address.endpoint_url else []
        return f"aws {command} {shlex.join([*named, *arguments, *reached])}"


def _concerns(rule: Mapping[str, Any], prefix: str) -> bool:
    """Whether a rule touches objects under the prefix. Those that go by tags do not: ours have none."""
    chosen = rule.get("Filter", {})
    both = chosen.get("And", {})
    if rule.get("Status") != "Enabled" or "Tag" in chosen or both.get("Tags"):
        return False
    start = rule.get("Prefix") or chosen.get("Prefix") or both.get("Prefix") or ""
    ours = f"{prefix}/" if prefix else ""
    return bool(ours.startswith(start) or start.startswith(ours))
