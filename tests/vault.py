"""AWS Secrets Manager on this machine: moto's, behind a door that refuses when a test asks it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.retries.standard import ExponentialBackoff
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass
class Keeper:
    """The service behind a door: `refusals` are given before it is asked again, a status and a code each."""

    store: Any
    refusals: list[tuple[int, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ["HTTP_X_AMZ_TARGET"].partition(".")[2])
        if not self.refusals:
            answered: Iterable[bytes] = self.store(environ, start_response)
            return answered
        status, code = self.refusals.pop(0)
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        body = json.dumps({"__type": code, "message": "Who asks is not authorized: x-amz-security-token:hunter2"})
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response(f"{status} Refused", headers)
        return [body.encode()]

    def keep(self, name: str, text: str | None, *, region: str = REGION, data: str | None = None) -> str:
        """Its ARN."""
        backend = secretsmanager_backends[ACCOUNT][region]
        told = backend.create_secret(name, text, data, None, [], None, None, None, False)
        return str(json.loads(told)["ARN"])

    def forget(self) -> None:
        """Everything that it keeps and was asked."""
        self.refusals.clear()
        self.asked.clear()
        for backend in secretsmanager_backends[ACCOUNT].values():
            backend.reset()


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    def log(self, type: str, message: str, *args: Any) -> None: ...


def reached(monkeypatch: Any, keeper: Keeper) -> None:
    """It is what the libraries of AWS find, and these ask again without a pause."""
    pauses = dict.fromkeys(ExponentialBackoff._DEFAULT_BACKOFF_CONFIG, 0)
    monkeypatch.setattr(ExponentialBackoff, "_DEFAULT_BACKOFF_CONFIG", pauses)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", keeper.url)


@contextmanager
def running() -> Iterator[Keeper]:
    keeper = Keeper(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, keeper, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    keeper.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield keeper
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        keeper.forget()
