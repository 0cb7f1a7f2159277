"""The org's HTTP server on this machine: keep-alive, a thread a connection, every answer under shared rules.

In this order: the script's deeds, the instance that is called, the session (401), the limits (403), the handler.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ....base.errors import Broken
from ..errors import OrgError, not_found
from ..misbehaviour import (
    CONCURRENT,
    TOTAL,
    Deed,
    Do,
    Drop,
    ExpireLocator,
    ExpireSession,
    Fail,
    Respond,
    Script,
    Slow,
)  # fmt: skip
from ..org import Org
from .describing import DESCRIBING
from .http import Request, Response, Route, refusal
from .oauth import TOKENS
from .querying import Cursors
from .replication import Replication
from .retrieving import RETRIEVING
from .writing import writing

HEADERS_MOST: Final = 16_384
"""Bytes of URI and headers together."""
_NEWEST, _OLDEST = 68, 31
_BODILESS: Final = (204, 304)
_HOSTS: Final = ("localhost", "127.0.0.1")
_GONE: Final = b"<html><body><h1>This instance is not here any more</h1></body></html>"
_QUIET_SECONDS: Final = 300.0
"""How long a connection may say nothing."""


class OrgServer:
    """Runs from `start` to `stop`; also a context. `cursors` are the query locators, `replication` the rules of
    getUpdated and getDeleted. `script` says what goes wrong."""

    def __init__(self, org: Org, script: Script | None = None) -> None:
        self.org = org
        self.script = script or Script()
        self.cursors = Cursors()
        self.replication = Replication()
        self.is_stopped = False
        self.failures: list[BaseException] = []
        self._host = 0
        self._routes: list[Route] = [*TOKENS, *DESCRIBING, *self.cursors.routes, *self.replication.routes]
        self._routes += RETRIEVING
        self._routes += writing(self.script)
        self._server = _Listening(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="org", daemon=True)

    def add(self, *routes: Route) -> None:
        """More routes, asked behind those that are there."""
        self._routes += routes

    def start(self) -> OrgServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.is_stopped = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self.failures:
            raise Broken(f"the simulated org failed: {self.failures[0]!r}") from self.failures[0]

    def __enter__(self) -> OrgServer:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def login_url(self) -> str:
        """Where tokens are given out; stays where it is."""
        return f"http://localhost:{self.port}"

    @property
    def instance_url(self) -> str:
        """Where data is. A token's answer names it."""
        return f"http://{_HOSTS[self._host]}:{self.port}"

    def move(self) -> str:
        """The org moves to another instance: sessions end, and calls of the old `instance_url` find nothing."""
        self._host = 1 - self._host
        self.expire_sessions()
        return self.instance_url

    def expire_sessions(self) -> None:
        self.org.sessions.expire()

    def token(self) -> str:
        """A session of the connector's user, as if by a login."""
        return self.org.sessions.begin(self.org.user)

    def handle(self, request: Request) -> tuple[Response, Sequence[Deed]]:
        """The answer, and the deeds that are done to the connection."""
        found = next(
            ((route, parts) for route in self._routes if (parts := route.parts(request.path)) is not None
             and route.method == request.method), None)  # fmt: skip
        deeds = self.script.called(found[0].kind, request) if found else []
        for deed in deeds:
            self._do(deed)
        instead = next((deed for deed in deeds if isinstance(deed, Respond | Fail)), None)
        try:
            response = self._instead(instead) if instead else self._answered(found, replace(request, deeds=deeds))
        except OrgError as error:
            response = refusal(error)
        usage = {"Sforce-Limit-Info": f"api-usage={self.org.api.used}/{self.org.api.most}"}
        return replace(response, headers={**usage, **response.headers}), deeds

    def _do(self, deed: Deed) -> None:
        match deed:
            case ExpireSession():
                self.expire_sessions()
            case ExpireLocator():
                self.cursors.expire()
            case Slow(seconds):
                self.org.clock.sleep(seconds)
            case Do(done):
                done()

    def _instead(self, deed: Respond | Fail) -> Response:
        if isinstance(deed, Respond):
            return Response(deed.status, deed.headers, deed.body)
        raise OrgError(deed.code, deed.message, status=deed.status)

    def _answered(self, found: tuple[Route, Any] | None, request: Request) -> Response:
        if len(request.path) + sum(len(name) + len(value) for name, value in request.query.items()) > HEADERS_MOST:
            raise OrgError("URI_TOO_LONG", "URI too long", status=414)
        if found is None:
            self._check_instance(request)
            self._user(request)
            raise self._no_route(request)
        route, parts = found
        if "version" in parts:
            self._check_version(parts["version"])
        request = replace(request, parts={name: unquote(part) for name, part in parts.items()})
        if route.is_open:
            return route.handler(self.org, replace(request, parts={**request.parts, "instance": self.instance_url}))
        if not self._is_here(request):
            return Response(404, {"Content-Type": "text/html"}, _GONE)
        request = replace(request, user=self._user(request))
        self._check_limits()
        return route.handler(self.org, request)

    def _is_here(self, request: Request) -> bool:
        return request.headers.get("host", "").split(":")[0] == _HOSTS[self._host]

    def _check_instance(self, request: Request) -> None:
        if not self._is_here(request):
            raise not_found()

    def _check_version(self, version: str) -> None:
        number = int(version.split(".")[0]) if version.replace(".", "", 1).isdigit() else _NEWEST + 1
        if number < _OLDEST:
            raise OrgError("UNSUPPORTED_API_VERSION", "The requested API version is retired", status=410)
        if number > _NEWEST:
            raise not_found()

    def _user(self, request: Request) -> str:
        word, _, token = request.headers.get("authorization", "").partition(" ")
        user = self.org.sessions.user_of(token.strip()) if word in ("Bearer", "OAuth") else None
        if user is None:
            raise OrgError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        return user

    def _check_limits(self) -> None:
        if self.org.api.is_used_up:
            raise OrgError("REQUEST_LIMIT_EXCEEDED", TOTAL, status=403)
        self.org.api.use()
        if self.org.api.is_crowded:
            raise OrgError("REQUEST_LIMIT_EXCEEDED", CONCURRENT, status=403)

    def _no_route(self, request: Request) -> OrgError:
        if any(route.parts(request.path) is not None for route in self._routes):
            message = f"HTTP Method '{request.method}' not allowed."
            return OrgError("METHOD_NOT_ALLOWED", message, status=405)
        return not_found()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: OrgServer) -> None:
        self.org_server = server
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is no news; anything else is a bug of ours, for `stop` to tell."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.org_server.failures.append(error)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _QUIET_SECONDS
    # An answer leaves in one piece: header and body apart would wait for one another.
    wbufsize = 65_536
    disable_nagle_algorithm = True
    server: _Listening

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        return

    def version_string(self) -> str:
        return "sfdcedge"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """By the org's own clock."""
        now = self.server.org_server.org.now().astimezone(UTC)
        return format_datetime(now.replace(microsecond=0), usegmt=True)

    def _serve(self) -> None:
        split = urlsplit(self.path)
        # A plus stands for itself in the times that getUpdated takes, and clients differ in whether they escape it.
        query = dict(parse_qsl(split.query.replace("+", "%2B") if "start=" in split.query else split.query))
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, split.path, query, headers, self.rfile.read(length))
        if self.server.org_server.is_stopped:
            self.close_connection = True
            return
        response, deeds = self.server.org_server.handle(request)
        drop = next((deed for deed in deeds if isinstance(deed, Drop)), None)
        if drop is not None and not drop.after:
            self.close_connection = True
            return
        self._send(response, drop)

    def _send(self, response: Response, drop: Drop | None) -> None:
        body = b"".join(response.body) if drop is not None and not isinstance(response.body, bytes) else response.body
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if not isinstance(body, bytes):
            self.send_header("Transfer-Encoding", "chunked")
        elif response.status not in _BODILESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if isinstance(body, bytes):
            self.wfile.write(body if drop is None else body[: drop.after])
            self.close_connection = self.close_connection or drop is not None
            return
        for chunk in filter(None, body):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")
