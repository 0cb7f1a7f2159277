"""The token endpoint: signed assertions and client credentials."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

import jwt

from ..org import Org
from ..sessions import App
from .http import Request, Response, Route, answer

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES: Final = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
_AHEAD_SECONDS: Final = 300
"""How far ahead `exp` may lie; in a valid assertion it is at most three minutes, and clocks differ."""


class _Refused(Exception):
    """`error` and `error_description` of the answer."""


def token(org: Org, request: Request) -> Response:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        return _granted(org, request, form)
    except _Refused as refused:
        error, description = refused.args
        return answer({"error": error, "error_description": description}, 400)


def _granted(org: Org, request: Request, form: dict[str, str]) -> Response:
    grant = form.get("grant_type", "")
    if grant == JWT_BEARER:
        return _session(org, request, _asserted(org, request, form.get("assertion", "")))
    if grant == "client_credentials":
        return _session(org, request, _run_as(org, form))
    raise _Refused("unsupported_grant_type", "grant type not supported")


def _asserted(org: Org, request: Request, assertion: str) -> str:
    """The id of the user for whom an app's assertion asks."""
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise _Refused("invalid_grant", "invalid assertion") from None
    app = org.sessions.apps.get(str(claims.get("iss")))
    if app is None:
        raise _Refused("invalid_client_id", "client identifier invalid")
    _check_signature(app, assertion)
    if claims.get("aud") not in (*AUDIENCES, request.parts["instance"]):
        raise _Refused("invalid_grant", "audience is invalid")
    now, end = org.now().timestamp(), claims.get("exp")
    if not isinstance(end, int | float) or end <= now:
        raise _Refused("invalid_grant", "assertion expired")
    if end > now + _AHEAD_SECONDS:
        raise _Refused("invalid_grant", "invalid assertion: exp is too far in the future")
    return _approved(org, app, str(claims.get("sub")))


def _check_signature(app: App, assertion: str) -> None:
    unchecked = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    try:
        jwt.decode(assertion, app.public_key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
    except (jwt.InvalidTokenError, ValueError):
        raise _Refused("invalid_grant", "invalid assertion") from None


def _approved(org: Org, app: App, username: str) -> str:
    if username not in app.approved:
        raise _Refused("invalid_grant", "user hasn't approved this consumer")
    return _active(org, username)


def _run_as(org: Org, form: dict[str, str]) -> str:
    app = org.sessions.apps.get(form.get("client_id", ""))
    if app is None:
        raise _Refused("invalid_client_id", "client identifier invalid")
    if not app.secret or form.get("client_secret") != app.secret:
        raise _Refused("invalid_client", "invalid client credentials")
    if app.run_as is None:
        raise _Refused("invalid_grant", "no client credentials user enabled")
    return _active(org, app.run_as)


def _active(org: Org, username: str) -> str:
    holders = org.store.holders("User", "Username", username)
    row = org.get("User", holders[0]) if holders else None
    if row is None:
        raise _Refused("invalid_grant", "user hasn't approved this consumer")
    if not row["IsActive"]:
        raise _Refused("inactive_user", "user is inactive")
    return str(row["Id"])


def _session(org: Org, request: Request, user: str) -> Response:
    """No `expires_in`: a session lives as long as it is used."""
    instance = request.parts["instance"]
    return answer({
        "access_token": org.sessions.begin(user), "instance_url": instance, "token_type": "Bearer",
        "id": f"{instance}/id/{org.org_id}/{user}", "scope": "api",
        "issued_at": str(int(org.now().timestamp() * 1000)), "signature": "0" * 43 + "=",
    })  # fmt: skip


TOKENS: Final = (Route("token", "POST", "/services/oauth2/token", token, is_open=True),)
