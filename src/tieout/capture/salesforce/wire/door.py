"""The door to HTTP: a call goes out, an answer comes in, whole and bounded. It knows no meaning and no retry.

Nothing secret leaves it but to the host that it is for: no redirect is followed, and no error tells a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ....base.clock import Clock
from ..refusal import Unavailable

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 150.0
"""Of silence. A question may take the org 120."""
_CALL_SECONDS_MAX = 600.0
"""Of a whole call, which is as long as the org grants."""
_BODY_BYTES_MAX = 2**30
_LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=60.0)


class Unsent(Unavailable):
    """No connection was made, so nothing was asked."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of the org.

    path         with its question, from the host on: "/services/data/..."
    doing        for whoever reads of a refusal
    repeatable   whether it may be sent again when nobody knows if it arrived
    """

    method: str
    path: str
    doing: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class Door:
    def __init__(self, clock: Clock, *, transport: httpx.BaseTransport | None = None) -> None:
        self._clock = clock
        timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS)
        self._http = httpx.Client(transport=transport, timeout=timeout, limits=_LIMITS, follow_redirects=False)

    def send(self, host: str, call: Call, headers: Mapping[str, str]) -> Answer:
        """Raises Unavailable where no whole answer comes."""
        request = self._http.build_request(
            call.method, f"{host}{call.path}", headers={**call.headers, **headers}, json=call.json
        )
        return self._answer(request, call.doing)

    def post_form(self, url: str, form: Mapping[str, str], *, doing: str) -> Answer:
        return self._answer(self._http.build_request("POST", url, data=dict(form)), doing)

    def close(self) -> None:
        self._http.close()

    def _answer(self, request: httpx.Request, doing: str) -> Answer:
        try:
            response = self._http.send(request, stream=True)
            try:
                return Answer(response.status_code, response.headers, self._body(response, doing))
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unsent(_broken(doing, request, error), hint=_HINT) from error
        except httpx.HTTPError as error:
            raise Unavailable(_broken(doing, request, error), hint=_HINT) from error

    def _body(self, response: httpx.Response, doing: str) -> bytes:
        began, pieces, size = self._clock.now(), [], 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > _BODY_BYTES_MAX or (self._clock.now() - began).total_seconds() > _CALL_SECONDS_MAX:
                raise Unavailable(f"Salesforce, while {doing}, did not come to an end.", hint=_HINT)
        return b"".join(pieces)


_HINT = "It is tried again; look whether this machine reaches the org."


def _broken(doing: str, request: httpx.Request, error: httpx.HTTPError) -> str:
    words = " ".join(str(error).split())[:200]
    return f"Salesforce at {request.url.host}, while {doing}: {words or type(error).__name__}."
