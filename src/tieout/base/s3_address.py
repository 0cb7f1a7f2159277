"""An address in S3, as a project writes it: `s3://BUCKET/PREFIX?region=eu-central-1`.

The prefix is taken as it stands; nothing in it is decoded. No secret has a place in it: credentials come from where the
libraries of AWS look for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX_BYTES_MAX = 512
"""A key has 1024 bytes at most, and the longest name of ours 400."""
_OPTIONS = {
    "region": (re.compile(r"[a-z0-9-]{1,40}"), "a region such as eu-central-1"),
    "endpoint_url": (re.compile(r"https?://.+"), "an address such as https://minio.example:9000"),
    "kms_key": (re.compile(r"[A-Za-z0-9:/_-]{1,2048}"), "the id, the alias or the ARN of a key"),
    "owner": (re.compile(r"[0-9]{12}"), "the twelve digits of an account"),
}


@dataclass(frozen=True, slots=True)
class S3Address:
    """A place in a bucket.

    prefix         what the keys of all objects there begin with, without slashes at its ends; "" for the whole bucket
    region         None: as the environment says
    endpoint_url   of a store that speaks as S3; None for AWS
    kms_key        with which new objects are encrypted; None: as the bucket says
    owner          the account that the bucket must belong to; None: whoever has it
    """

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint_url: str | None = None
    kms_key: str | None = None
    owner: str | None = None

    @classmethod
    def parse(cls, text: str) -> S3Address:
        """Raises ValueError, with what is wrong and what is right."""
        place, _, query = text.removeprefix(SCHEME).partition("?")
        bucket, _, prefix = place.partition("/")
        if not text.startswith(SCHEME) or not bucket:
            raise ValueError("is no address in S3; write one such as s3://bucket/prefix.")
        if not _BUCKET.fullmatch(bucket):
            # It is not shown: somebody may have put credentials before it.
            raise ValueError("names no bucket that can be; a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-'.")
        prefix = prefix.removesuffix("/")
        if prefix and not _is_plain(prefix):
            raise ValueError(f"has the prefix {prefix!r}; write names between single slashes, without '#'.")
        return cls(bucket, prefix, **_options(query))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}" if self.prefix else f"{SCHEME}{self.bucket}"


def _is_plain(prefix: str) -> bool:
    names = prefix.split("/")
    is_short = len(prefix.encode("utf-8", "replace")) <= _PREFIX_BYTES_MAX
    return is_short and prefix.isprintable() and "#" not in prefix and not {"", ".", ".."} & set(names)


def _options(query: str) -> dict[str, str]:
    told = parse_qsl(query, keep_blank_values=True)
    options = dict(told)
    if len(options) < len(told):
        raise ValueError("says one option twice.")
    for name, value in options.items():
        if name not in _OPTIONS:
            raise ValueError(f"has the option {name!r}; allowed: {', '.join(_OPTIONS)}.")
        allowed, words = _OPTIONS[name]
        if not allowed.fullmatch(value) or (name == "endpoint_url" and not _is_endpoint(value)):
            raise ValueError(f"has a {name} that cannot be; write {words}.")
    return options


def _is_endpoint(url: str) -> bool:
    """A host, and no password or question in it."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return False
    return bool(parts.hostname) and has_port and "@" not in parts.netloc and not parts.query and not parts.fragment
