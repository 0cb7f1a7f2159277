"""A small Pub/Sub server in this process, which does as a test tells it, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import grpc

from tieout.capture.salesforce.events.messages import (
    FetchRequest,
    FetchResponse,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)

PREFIX = "sfdc.platform.eventbus.grpc."


@dataclass(frozen=True)
class Token:
    access: str
    instance_url: str = "https://org.my.salesforce.com"
    org_id: str = "00D000000000062EAA"


@dataclass
class Asked:
    """One stream, as its server sees it.

    first    the first request          tokens  which came with the call
    credit   events that may still be sent; `credit_max`: the most there ever was
    """

    first: Any
    metadata: dict[str, str]
    context: grpc.ServicerContext
    credit: int = 0
    credit_max: int = 0
    lock: Lock = field(default_factory=Lock)
    changed: SimpleQueue[bool] = field(default_factory=SimpleQueue)

    def grant(self, count: int) -> None:
        with self.lock:
            self.credit += count
            self.credit_max = max(self.credit_max, self.credit)
        self.changed.put(True)

    def answer(self, *events: bytes, latest: bytes = b"") -> Any:
        """With an event for each replay id."""
        with self.lock:
            self.credit -= len(events)
            assert self.credit >= 0
            answer = FetchResponse(latest_replay_id=latest or events[-1], pending_num_requested=self.credit, rpc_id="x")
        for replay_id in events:
            event = answer.events.add(replay_id=replay_id)
            event.event.schema_id, event.event.payload = "s", b"payload " + replay_id
        return answer

    def refuse(
        self, code: str, status: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT, *, details: str = ""
    ) -> None:
        self.context.set_trailing_metadata((("error-code", PREFIX + code), ("rpc-id", "rpc-7")))
        self.context.abort(status, f"{code} rpcId: rpc-7")

    def hang(self) -> None:
        """Say nothing until the other side is gone."""
        gone: SimpleQueue[bool] = SimpleQueue()
        if self.context.add_callback(lambda: gone.put(True)):
            gone.get(timeout=20)

    def until_credit(self, count: int) -> None:
        while self.credit < count and self.context.is_active():
            self.changed.get(timeout=20)


Deed = Callable[[Asked], Iterable[Any]]


class Org:
    """`deeds`: what it does at the first stream, at the second, and so on; the last one for all that follow."""

    def __init__(self, *deeds: Deed, schemas: dict[str, str] | None = None) -> None:
        self.streams: list[Asked] = []
        self.unary: list[dict[str, str]] = []
        self.expired: set[str] = set()
        self._deeds = deeds
        self._schemas = schemas or {}
        self.endpoint = ""

    def subscribe(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        asked = Asked(next(requests), _metadata(context), context)
        asked.grant(asked.first.num_requested)
        self.streams.append(asked)
        Thread(target=_listen, args=(asked, requests), daemon=True).start()
        yield from self._deeds[min(len(self.streams), len(self._deeds)) - 1](asked)

    def schema(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._check(context)
        if request.schema_id not in self._schemas:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such schema")
        return SchemaInfo(schema_id=request.schema_id, schema_json=self._schemas[request.schema_id])

    def topic(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._check(context)
        if request.topic_name != "/data/ChangeEvents":
            context.set_trailing_metadata((("error-code", f"{PREFIX}topic.not.found"),))
            context.abort(grpc.StatusCode.NOT_FOUND, "no such topic")
        return TopicInfo(topic_name=request.topic_name, can_subscribe=True)

    def _check(self, context: grpc.ServicerContext) -> None:
        self.unary.append(_metadata(context))
        if self.unary[-1]["accesstoken"] in self.expired:
            context.set_trailing_metadata((("error-code", f"{PREFIX}service.auth.error"),))
            context.abort(grpc.StatusCode.UNAUTHENTICATED, f"expired: {self.unary[-1]['accesstoken']}")


@contextmanager
def serving(org: Org) -> Iterator[Org]:
    server = grpc.server(ThreadPoolExecutor(8))
    unary = grpc.unary_unary_rpc_method_handler
    handlers = {
        "Subscribe": grpc.stream_stream_rpc_method_handler(
            org.subscribe, FetchRequest.FromString, FetchResponse.SerializeToString
        ),
        "GetSchema": unary(org.schema, SchemaRequest.FromString, SchemaInfo.SerializeToString),
        "GetTopic": unary(org.topic, TopicRequest.FromString, TopicInfo.SerializeToString),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("eventbus.v1.PubSub", handlers),))
    org.endpoint = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    try:
        yield org
    finally:
        server.stop(None).wait(5)


def _metadata(context: grpc.ServicerContext) -> dict[str, str]:
    return {str(key): str(value) for key, value in context.invocation_metadata()}


def _listen(asked: Asked, requests: Iterator[Any]) -> None:
    try:
        for request in requests:
            asked.grant(request.num_requested)
    except grpc.RpcError:
        pass
    asked.changed.put(False)
