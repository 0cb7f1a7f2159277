"""Where a Snowflake account is and as whom we come: what a project's address says, and the session that follows of it.

A private key is a secret: it is kept out of repr and out of every message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...base.codec import canonical_json

_LOGIN_SECONDS = 60
_NETWORK_SECONDS = 900
"""How long the driver keeps trying one request by itself, in all."""
_STATEMENT_SECONDS = 3_600
_LOCK_SECONDS = 300
"""Snowflake's own default is twelve hours, for which a dead session's lock would hold up its successor."""


@dataclass(frozen=True, slots=True)
class Account:
    """`account` is Snowflake's identifier of it (`organization-name`); `private_key` PKCS#8 in DER. `host`, `port` and
    `protocol` are given where it is not reached under its own name. `password`: where there is no key."""

    account: str
    user: str
    database: str
    warehouse: str = ""
    role: str = ""
    private_key: bytes | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    host: str = ""
    port: int = 443
    protocol: str = "https"

    def __str__(self) -> str:
        return f"snowflake://{self.user}@{self.account}/{self.database}"


def session_parameters(tag: Mapping[str, str]) -> dict[str, Any]:
    """What every session of ours is set to. `tag` is what a statement is for, as the account's bill shall show it."""
    return {
        "TIMEZONE": "UTC",
        "QUERY_TAG": canonical_json({"tool": "tieout", **tag}),
        "STATEMENT_TIMEOUT_IN_SECONDS": _STATEMENT_SECONDS,
        "LOCK_TIMEOUT": _LOCK_SECONDS,
        "ERROR_ON_NONDETERMINISTIC_MERGE": True,
        "ERROR_ON_NONDETERMINISTIC_UPDATE": True,
        "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
        "ABORT_DETACHED_QUERY": True,
        "USE_CACHED_RESULT": False,
    }


def connect_arguments(account: Account, tag: Mapping[str, str]) -> dict[str, Any]:
    """For the driver's `connect`."""
    arguments: dict[str, Any] = {
        "account": account.account,
        "user": account.user,
        "database": account.database,
        "application": "tieout",
        "autocommit": True,
        "paramstyle": "qmark",
        "login_timeout": _LOGIN_SECONDS,
        "network_timeout": _NETWORK_SECONDS,
        "client_session_keep_alive": True,
        "session_parameters": session_parameters(tag),
    }
    if account.private_key is not None:
        arguments["private_key"] = account.private_key
        arguments["authenticator"] = "SNOWFLAKE_JWT"
    else:
        arguments["password"] = account.password
    optional = {"warehouse": account.warehouse, "role": account.role, "host": account.host}
    arguments |= {name: value for name, value in optional.items() if value}
    if account.host:
        arguments |= {"port": account.port, "protocol": account.protocol}
    return arguments
