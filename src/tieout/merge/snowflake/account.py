"""Where a Snowflake account is and as whom we come: an address as a project writes it, and the session it leads to.

    snowflake://USER@ORGANIZATION-ACCOUNT/DATABASE?warehouse=...&role=...&private_key=${file:...}

Nothing in it is decoded. A private key is a secret: it is kept out of repr and out of every message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...base.codec import canonical_json

SCHEME = "snowflake://"
EXAMPLE = "snowflake://USER@ORGANIZATION-ACCOUNT/DATABASE?warehouse=WAREHOUSE&role=ROLE&private_key=${file:PATH}"

_LOGIN_SECONDS = 20
"""A host that does not answer is given up after so long; whoever needs it tries again, or stops if it is asked to."""
_NETWORK_SECONDS = 900
"""How long the driver keeps trying one request by itself, in all."""
_STATEMENT_SECONDS = 3_600
_LOCK_SECONDS = 20
"""Of our own sessions, whatever the set-up gave their user. Snowflake's own default is twelve hours, for which a dead
session's lock would hold up its successor. A merge holds its lane's lock for as long as it takes, and only who has
taken the lane over waits for it."""
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_USER = re.compile(r"[^/@:?#\s]{1,255}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
"""An identifier that need not be quoted: whoever set the account up by `tieout snowflake setup` has no others."""
_KEY = re.compile(
    r"\s*-----BEGIN (ENCRYPTED |RSA )?PRIVATE KEY-----.*-----END (ENCRYPTED |RSA )?PRIVATE KEY-----\s*", re.DOTALL
)
_OPTIONS = {
    "warehouse": (_NAME, "the name of a warehouse"),
    "role": (_NAME, "the name of a role"),
    "private_key": (_KEY, "a private key in PEM, as ${file:PATH} or ${aws:SECRET}"),
    "passphrase": (re.compile(r".+"), "what the private key is encrypted with"),
    "host": (re.compile(r"[A-Za-z0-9.-]{1,255}"), "a host, such as that of a private link"),
    "port": (re.compile(r"[1-9][0-9]{0,4}"), "a port"),
    "protocol": (re.compile(r"https?"), "https"),
}
_NEEDED = ("warehouse", "private_key")


@dataclass(frozen=True, slots=True)
class Account:
    """`account` is Snowflake's identifier of it (`organization-name`); `private_key` the user's, in PEM, `passphrase`
    what that is encrypted with, "" where it is not. `host`, `port` and `protocol` are given where the account is not
    reached under its own name."""

    account: str
    user: str
    database: str
    warehouse: str
    private_key: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    role: str = ""
    host: str = ""
    port: int = 443
    protocol: str = "https"

    @classmethod
    def parse(cls, text: str) -> Account:
        """Raises ValueError, with what is wrong and what is right. It shows nothing of what may be a secret."""
        place, _, query = text.removeprefix(SCHEME).partition("?")
        user, has_user, rest = place.partition("@")
        account, _, database = rest.partition("/")
        if not text.startswith(SCHEME) or not has_user:
            raise ValueError(f"is no address of Snowflake; write one such as {EXAMPLE}.")
        if not _USER.fullmatch(user):
            raise ValueError("names no user that can be before the '@'; a password has no place there.")
        if not _ACCOUNT.fullmatch(account):
            raise ValueError("names no account behind the '@'; write its identifier, such as myorg-production.")
        if not _NAME.fullmatch(database):
            raise ValueError(
                "names no database behind the account; write /DATABASE: a letter, then letters, digits, '_'."
            )
        options = _options(query)
        for needed in _NEEDED:
            if needed not in options:
                raise ValueError(f"lacks {needed}; write {EXAMPLE}.")
        port = int(options.pop("port", "443"))
        return cls(account=account, user=user, database=database, port=port, **options)

    def __str__(self) -> str:
        return f"{SCHEME}{self.user}@{self.account}/{self.database}"


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for told in query.split("&") if query else ():
        name, _, value = told.partition("=")
        if name not in _OPTIONS:
            # It is not shown: a secret that holds an '&' would stand there.
            raise ValueError(f"has an option that is none; allowed: {', '.join(_OPTIONS)}. No value may hold an '&'.")
        if name in options:
            raise ValueError(f"says {name} twice.")
        allowed, words = _OPTIONS[name]
        if not allowed.fullmatch(value):
            raise ValueError(f"has a {name} that cannot be; write {words}.")
        options[name] = value
    return options


def query_tag(tag: Mapping[str, str]) -> str:
    """What a statement is for, in JSON, as the account's bill and its history show it."""
    return canonical_json({"tool": "tieout", **tag})


def session_parameters(tag: Mapping[str, str]) -> dict[str, Any]:
    """What every session of ours is set to. `tag` is what a statement is for, as the account's bill shall show it."""
    return {
        "TIMEZONE": "UTC",
        "QUERY_TAG": query_tag(tag),
        "STATEMENT_TIMEOUT_IN_SECONDS": _STATEMENT_SECONDS,
        "LOCK_TIMEOUT": _LOCK_SECONDS,
        "ERROR_ON_NONDETERMINISTIC_MERGE": True,
        "ERROR_ON_NONDETERMINISTIC_UPDATE": True,
        "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
        "MULTI_STATEMENT_COUNT": 1,  # what somebody wrote to be read shall not bring another statement with it
        "ABORT_DETACHED_QUERY": True,
        "USE_CACHED_RESULT": False,
    }


def connect_arguments(account: Account, private_key: bytes, tag: Mapping[str, str]) -> dict[str, Any]:
    """For the driver's `connect`; `private_key` is PKCS#8 in DER."""
    arguments: dict[str, Any] = {
        "account": account.account,
        "user": account.user,
        "database": account.database,
        "warehouse": account.warehouse,
        "authenticator": "SNOWFLAKE_JWT",
        "private_key": private_key,
        "application": "tieout",
        "autocommit": False,
        "paramstyle": "qmark",
        "login_timeout": _LOGIN_SECONDS,
        "network_timeout": _NETWORK_SECONDS,
        "client_session_keep_alive": True,
        "validate_default_parameters": True,
        "session_parameters": session_parameters(tag),
    }
    if account.role:
        arguments["role"] = account.role
    if account.host:
        arguments |= {"host": account.host, "port": account.port, "protocol": account.protocol}
    return arguments
