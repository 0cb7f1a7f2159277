"""An S3 on this machine: moto's, behind a door that misbehaves when a test asks it to.

The door is where the network is: it can refuse a request, lose an answer that was on its way, cut, flip or hold back
its bytes, and leave objects out of a list. Puts go through it one at a time, as moto looks for an object and writes it
in two steps, where S3 does so in one.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

from botocore.retries.standard import ExponentialBackoff
from moto.core.model_instances import reset_model_data
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tieout.base.s3 import Bucket, Patience, client_of
from tieout.base.s3_address import S3Address

REGION = "us-east-1"
ACCOUNT = "123456789012"
IMPATIENT = Patience(attempts_max=3, connect_seconds=2.0, read_seconds=5.0)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came through the door."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def is_list(self) -> bool:
        return "list-type=2" in self.query


@dataclass(slots=True)
class Answer:
    """What goes back through the door. `cut`: after so many bytes of the body the line breaks; None: never."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    cut: int | None = None


Fault = Callable[[Asked, Callable[[], Answer]], Answer]
"""Makes an answer of a request; whether the store hears of it is the fault's own choice."""


def refused(status: str, code: str) -> Fault:
    """The store does nothing, and says why."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code} was told</Message></Error>".encode()
    return lambda asked, ask: Answer(status, [("Content-Type", "application/xml")], body)


def lost(asked: Asked, ask: Callable[[], Answer]) -> Answer:
    """The store does what it was asked, and nobody hears of it."""
    ask()
    raise ConnectionError


def cut(asked: Asked, ask: Callable[[], Answer]) -> Answer:
    """Half of the bytes come, then the line breaks."""
    answer = ask()
    answer.cut = len(answer.body) // 2
    return answer


def flipped(asked: Asked, ask: Callable[[], Answer]) -> Answer:
    answer = ask()
    middle = len(answer.body) // 2
    answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]
    return answer


def without(text: str) -> Fault:
    """A list that has not heard of objects with this in their keys yet."""

    def stale(asked: Asked, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        for one in re.findall(rb"<Contents>.*?</Contents>", answer.body, re.DOTALL):
            answer.body = answer.body.replace(one, b"") if text.encode() in one else answer.body
        return answer

    return stale


def unpaused(monkeypatch: Any) -> None:
    """Credentials that nobody asks for, and a library that asks again without a pause."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    pauses = dict.fromkeys(ExponentialBackoff._DEFAULT_BACKOFF_CONFIG, 0)
    monkeypatch.setattr(ExponentialBackoff, "_DEFAULT_BACKOFF_CONFIG", pauses)


@dataclass(slots=True)
class Door:
    """A WSGI application in front of the store's. `faults`: a request meets the first that its test chose for it."""

    store: Any
    faults: list[tuple[Callable[[Asked], bool], Fault]] = field(default_factory=list)
    asked: list[tuple[Asked, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    _one_put: Any = field(default_factory=threading.Lock)
    _state: Any = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        asked = Asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), headers)
        fault = self._fault_for(asked)
        if fault is None:
            answer = self._ask(environ)
        else:
            # A body that is not read would break the line by itself.
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            try:
                answer = fault(asked, lambda: self._ask({**environ, "wsgi.input": _Input(body)}))
            except ConnectionError:
                # The server alone would leave the line open, and who asked would wait for its time limit.
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                raise
        self.asked.append((asked, answer.status))
        start_response(answer.status, _with_length(answer))
        return _broken_off(answer) if answer.cut is not None else [answer.body]

    def held(self, asked: Asked, ask: Callable[[], Answer]) -> Answer:
        """A fault: no byte comes until the test is over."""
        self.released.wait(30)
        raise ConnectionError

    def _fault_for(self, asked: Asked) -> Fault | None:
        with self._state:
            for index, (chosen, fault) in enumerate(self.faults):
                if chosen(asked):
                    del self.faults[index]
                    return fault
        return None

    def _ask(self, environ: dict[str, Any]) -> Answer:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], failed: Any = None) -> None:
            told[:] = [status, headers]

        if environ["REQUEST_METHOD"] == "PUT":
            with self._one_put:
                body = b"".join(self.store(environ, start))
        else:
            body = b"".join(self.store(environ, start))
        return Answer(told[0], told[1], body)


class _Input:
    """The bytes of a request, read before."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        taken = self._data if size < 0 else self._data[:size]
        self._data = self._data[len(taken) :]
        return taken


def _with_length(answer: Answer) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return [*kept, ("Content-Length", str(len(answer.body)))]


def _broken_off(answer: Answer) -> Iterator[bytes]:
    yield answer.body[: answer.cut]
    raise ConnectionError


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    def log(self, type: str, message: str, *args: Any) -> None: ...


class Store:
    """A running store. Each bucket that it makes is a test's own."""

    def __init__(self) -> None:
        self.door = Door(DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, self.door, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def address(self, prefix: str = "books/landing", **options: str) -> S3Address:
        """Of a new bucket."""
        bucket = f"bucket-{next(_numbers)}"
        self.backend.create_bucket(bucket, REGION)
        return S3Address(bucket, prefix, region=REGION, endpoint_url=self.url, **options)

    def keep_versions(self, address: S3Address) -> None:
        self.backend.put_bucket_versioning(address.bucket, "Enabled")

    def versions(self, address: S3Address) -> dict[str, int]:
        """How often each key was written, in a bucket that keeps versions."""
        keys = self.backend.get_bucket(address.bucket).keys
        return {key: len(keys.getlist(key)) for key in keys}

    @property
    def backend(self) -> Any:
        """The store behind the door."""
        return s3_backends[ACCOUNT]["aws"]

    def fail(
        self, fault: Fault, *, method: str = "", times: int = 1, having: str = "", asking: str = "", lists: bool = False
    ) -> None:
        """The next so many requests of this method, with this in their path and query, meet the fault."""

        def chosen(asked: Asked) -> bool:
            return (
                method in ("", asked.method)
                and having in asked.path
                and asking in asked.query
                and asked.is_list == lists
            )

        self.door.faults += [(chosen, fault)] * times

    def answered(self, method: str, *, having: str = "") -> list[str]:
        """The statuses of such requests, since they were last forgotten."""
        return [status[:3] for asked, status in self.door.asked if asked.method == method and having in asked.path]

    def forget(self) -> None:
        """Everything that was asked, and every fault that was not met."""
        self.door.faults.clear()
        self.door.asked.clear()


@contextmanager
def running() -> Iterator[Store]:
    store = Store()
    store._thread.start()
    try:
        yield store
    finally:
        store.door.released.set()
        store._server.shutdown()
        store._thread.join()
        store._server.server_close()
        reset_model_data()


def bucket(address: S3Address, patience: Patience = IMPATIENT) -> Bucket:
    client, is_renewed = known_client(address, patience)
    return Bucket(address, client, is_renewed=is_renewed)


def known_client(address: S3Address, patience: Patience) -> tuple[Any, bool]:
    """In the place of `client_of`: one for all tests, as it takes longer to make than to use."""
    return _client(address.endpoint_url, patience), False


@cache
def _client(url: str | None, patience: Patience) -> Any:
    client, _ = client_of(S3Address("any", region=REGION, endpoint_url=url), patience)
    return client
