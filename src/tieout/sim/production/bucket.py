"""An S3 on this machine: moto's, reached over HTTP. What it holds is in this process's memory, and goes with it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from ...base.s3_address import S3Address

HOST = "127.0.0.1"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "stand-in", "AWS_SECRET_ACCESS_KEY": "stand-in"}
"""Anything will do: nobody looks at them."""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None: ...


class _OnePutAtATime:
    """moto looks for an object and writes it in two steps, where S3 puts on a condition in one."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "PUT":
            answer: Iterable[bytes] = self._store(environ, start_response)
            return answer
        with self._lock:
            return [b"".join(self._store(environ, start_response))]


class BucketServer:
    """`with BucketServer() as server:` answers from a thread until the context ends."""

    def __init__(self) -> None:
        store = _OnePutAtATime(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(HOST, 0, store, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> BucketServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def create(self, bucket: str, prefix: str) -> S3Address:
        """A new bucket, and a place in it."""
        client = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket=bucket)
        return S3Address(bucket, prefix, region=REGION, endpoint_url=self.url)
