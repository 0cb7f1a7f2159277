"""Tokens: who we are to the org, and what it gives for that. What is secret stands in no text of ours.

A token says nothing of how long it counts; a call is refused when it does no longer. None outlives this process: there
is no flow here with a refresh token, which counts once and would have to be kept where every worker finds the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt

from ....base.errors import Misconfigured
from ..ids import is_id, to18

_ASSERTION_SECONDS = 120
"""The org takes none that lasts longer than three minutes; by its own clock."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Credentials(Protocol):
    def grant(self, at: datetime) -> Mapping[str, str]:
        """What is sent for a token, by the org's time. Raises Misconfigured."""
        ...


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """An app that signs for itself. `private_key`: in PEM; `audience`: which of the login hosts it speaks to."""

    consumer_key: str
    username: str
    private_key: str = field(repr=False)
    audience: str = "https://login.salesforce.com"

    def grant(self, at: datetime) -> Mapping[str, str]:
        claims = {
            "iss": self.consumer_key,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(at.timestamp()) + _ASSERTION_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            # Not `from`: what the key is wrong in may be a piece of it.
            raise Misconfigured(
                "the private key of the Salesforce app cannot be read.",
                hint="Give the PEM of its RSA key, with its first and last lines, and without a passphrase.",
            ) from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An app that acts as its own user. Only the org's My Domain takes these."""

    client_id: str
    client_secret: str = field(repr=False)

    def grant(self, at: datetime) -> Mapping[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


@dataclass(frozen=True, slots=True)
class Token:
    """`access` is the secret; `instance_url`: where the org's data are asked for; the ids are of 18 characters."""

    access: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Token:
        """From the answer of the token endpoint. Raises Misconfigured for one that is none."""
        access, instance, identity = (str(answer.get(name) or "") for name in ("access_token", "instance_url", "id"))
        org, _, user = urlsplit(identity).path.removeprefix("/id/").partition("/")
        if not access or not instance or not is_id(org) or not is_id(user):
            raise Misconfigured(
                "what answered for a token is no token endpoint of Salesforce.",
                hint="Set `login_url` to https://login.salesforce.com, or to the org's My Domain.",
            )
        return cls(access, pinned(instance), to18(org), to18(user))


class Session:
    """The token that counts now. `ask` fetches one; two who meet the same expired token fetch one new between them."""

    def __init__(self, ask: Callable[[], Token]) -> None:
        self._ask = ask
        self._token: Token | None = None
        self._org: str | None = None
        self._asking = Lock()

    def token(self) -> Token:
        with self._asking:
            return self._token if self._token is not None else self._renewed()

    def renew(self, expired: Token) -> Token:
        """Instead of one that counts no longer."""
        with self._asking:
            if self._token is not None and self._token != expired:
                return self._token
            self._token = None
            return self._renewed()

    def _renewed(self) -> Token:
        token = self._ask()
        if self._org not in (None, token.org_id):
            raise Misconfigured(
                f"the credentials now lead to the org {token.org_id}, and led to {self._org} before.",
                hint="Name a source of its own for another org.",
            )
        self._token, self._org = token, token.org_id
        return token


def pinned(url: str) -> str:
    """Scheme and host of an address that secrets may be sent to. Raises Misconfigured for one that is not safe."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)):
        named = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{named}{'' if port is None else f':{port}'}"
    raise Misconfigured(
        f"{parts.scheme}://{host} is no address to send a secret to.",
        hint="Write `login_url` as https://login.salesforce.com, or https://YOUR-DOMAIN.my.salesforce.com.",
    )
