"""The Pub/Sub API of the org on a port of this machine: gRPC without TLS, every call with the metadata of a session.

The tricks that may be played on its clients are methods: they are called from outside, at a moment of the caller's
choice, and strike the streams that are open then, or the calls that come next.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread
from typing import Any

import grpc

from ..misbehaviour import Do, ExpireSession, Script, Slow
from ..org import Org
from . import refusals
from .allowance import Allowance
from .credit import Credit
from .messages import (
    CUSTOM,
    EARLIEST,
    SERVICE,
    FetchRequest,
    FetchResponse,
    ManagedFetchRequest,
    ManagedFetchResponse,
    PublishRequest,
    PublishResponse,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)
from .reading import Reading
from .refusals import Refusal
from .replay import ReplayIds
from .schemas import EventSchemas
from .stream import Rhythm, Stream
from .topics import entities_of

RETENTION_HOURS = 72
"""How long a replay id leads back, at most; events may live a little longer."""

_HOUR_MS = 3_600_000
_SPARE_THREADS = 8
_STOP_SECONDS_MAX = 5.0
_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class PubSubServer:
    """`channels`: the entities of each custom channel, by names such as `Sales__chn`. `delivered_max`: events within 24
    hours, None for no bound; `streams_max`: open at once. `script` says what goes wrong, by the kinds subscribe, fetch
    (a request within a stream), get_schema and get_topic: with `Do`, whatever this server can be told."""

    def __init__(
        self,
        org: Org,
        script: Script | None = None,
        *,
        channels: Mapping[str, Collection[str]] | None = None,
        rhythm: Rhythm | None = None,
        delivered_max: int | None = None,
        streams_max: int = 16,
        seed: int = 0,
    ) -> None:
        self.script = script or Script()
        self._org = org
        self._log = org.events
        self._channels = channels or {}
        self._rhythm = rhythm or Rhythm()
        self.allowance = Allowance(delivered_max, org.clock)
        self._streams_max = streams_max
        self._seed = seed
        self._generation = 0
        self._ids = ReplayIds(seed, 0)
        self._event_schemas = EventSchemas(org.org_id, org.schemas)
        self._chance = random.Random(f"rpc {seed}")
        self._lock = Lock()
        self._open: list[Stream] = []
        self._refusals: list[Refusal] = []
        self._repeats = 0
        self._server: grpc.Server | None = None
        self.port = 0

    @property
    def target(self) -> str:
        return f"localhost:{self.port}"

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._open)

    def start(self) -> PubSubServer:
        """On the port that it had before, if it was stopped; else on a free one."""
        self._workers = ThreadPoolExecutor(self._streams_max + _SPARE_THREADS, thread_name_prefix="pubsub")
        self._server = grpc.server(self._workers, options=_OPTIONS)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        self.port = self._server.add_insecure_port(f"localhost:{self.port}")
        self._server.start()
        return self

    def stop(self) -> None:
        """At once: open streams break, as when a machine of the service goes."""
        server, self._server = self._server, None
        if server is not None:
            server.stop(None).wait(_STOP_SECONDS_MAX)
            self._workers.shutdown(wait=False)

    def __enter__(self) -> PubSubServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fall_silent(self) -> None:
        """No open stream says anything more, and none ends."""
        self._to_all(Stream.fall_silent)

    def cut(self, refusal: Refusal | None = None) -> None:
        """Every open stream ends with an error: UNAVAILABLE, if no other is given."""
        self._to_all(lambda stream: stream.cut(refusal or refusals.unavailable()))

    def reset(self) -> None:
        """Every open stream is reset (RST_STREAM), without status or trailers from us."""
        self._to_all(Stream.reset)

    def refuse_next(self, calls: int = 1, refusal: Refusal | None = None) -> None:
        """So many calls to come are refused at their beginning: UNAVAILABLE, if no other is given."""
        with self._lock:
            self._refusals += [refusal or refusals.unavailable()] * calls

    def repeat_next(self, events: int) -> None:
        """The next subscription that resumes is told so many events again that stand before its place."""
        self._repeats = events

    def migrate(self) -> None:
        """The org has moved: no replay id given out so far is valid any more, and streams end."""
        self._generation += 1
        self._ids = ReplayIds(self._seed, self._generation)
        self.cut()

    def _to_all(self, trick: Callable[[Stream], None]) -> None:
        with self._log.arrived:
            for stream in list(self._open):
                trick(stream)
            self._log.arrived.notify_all()

    def _handlers(self) -> dict[str, Any]:
        unary, two_way = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler

        def served(make: Any, answer: Any, request: Any, response: Any) -> Any:
            return make(
                answer,
                request_deserializer=request.FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )

        return {
            "Subscribe": served(two_way, self._subscribe, FetchRequest, FetchResponse),
            "GetSchema": served(unary, self._unary("get_schema", self._get_schema), SchemaRequest, SchemaInfo),
            "GetTopic": served(unary, self._unary("get_topic", self._get_topic), TopicRequest, TopicInfo),
            "Publish": served(unary, self._unary("publish", _unserved("Publish")), PublishRequest, PublishResponse),
            "PublishStream": served(two_way, self._unserved_stream, PublishRequest, PublishResponse),
            "ManagedSubscribe": served(two_way, self._unserved_stream, ManagedFetchRequest, ManagedFetchResponse),
        }

    def _unary(self, kind: str, answer: Callable[[Any, str], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
        def called(request: Any, context: grpc.ServicerContext) -> Any:
            rpc_id = self._rpc_id()
            try:
                self._misbehave(kind, request)
                self._admitted(context)
                return answer(request, rpc_id)
            except Refusal as refusal:
                _abort(context, refusal, rpc_id)

        return called

    def _get_schema(self, request: Any, rpc_id: str) -> Any:
        schema = self._event_schemas.by_id(request.schema_id)
        return SchemaInfo(schema_json=schema.json, schema_id=schema.id, rpc_id=rpc_id)

    def _get_topic(self, request: Any, rpc_id: str) -> Any:
        entities = self._entities(request.topic_name)
        schema_id = self._event_schemas.current(*entities).id if entities and len(entities) == 1 else ""
        return TopicInfo(
            topic_name=request.topic_name, tenant_guid=f"core/tieout/{self._org.org_id}", can_publish=False,
            can_subscribe=True, schema_id=schema_id, rpc_id=rpc_id,
        )  # fmt: skip

    def _unserved_stream(self, _: Any, context: grpc.ServicerContext) -> Any:
        _abort(context, refusals.unimplemented("This method"), self._rpc_id())

    def _subscribe(self, requests: Any, context: grpc.ServicerContext) -> Any:
        rpc_id = self._rpc_id()
        stream: Stream | None = None
        try:
            first = next(requests, None)
            if first is None:
                return
            self._misbehave("subscribe", first)
            token = self._admitted(context)
            stream = self._stream(first, token, context, rpc_id)
            Thread(target=_hear, args=(stream, requests), name="pubsub requests", daemon=True).start()
            yield from stream.responses()
        except Refusal as refusal:
            _abort(context, refusal, rpc_id)
        finally:
            if stream in self._open:
                self._open.remove(stream)

    def _stream(self, first: Any, token: str, context: grpc.ServicerContext, rpc_id: str) -> Stream:
        if len(self._open) >= self._streams_max:
            raise refusals.streams_exceeded()
        entities = self._entities(first.topic_name)
        reading = Reading(
            self._log, self._event_schemas, self._ids, entities=entities, position=self._beginning(first, entities)
        )
        stream = Stream(
            self._log.arrived,
            self._rhythm,
            reading=reading,
            credit=Credit(first.topic_name),
            rpc_id=rpc_id,
            admit=self._admission(token),
            allowance=self.allowance,
            now_ms=self._now_ms,
            cancel=context.cancel,
        )
        self._open.append(stream)
        if not context.add_callback(stream.end):
            stream.end()
        stream.requested(first)
        return stream

    def _beginning(self, request: Any, entities: frozenset[str] | None) -> int:
        if request.replay_preset == EARLIEST:
            return self._log.earliest
        if request.replay_preset != CUSTOM:
            return self._log.latest
        if not request.replay_id:
            raise refusals.replay_id_missing()
        place = self._ids.decode(request.replay_id)
        kept_from = self._now_ms() - RETENTION_HOURS * _HOUR_MS
        if place is None or not self._log.earliest <= place.position <= self._log.latest or place.given_ms < kept_from:
            raise refusals.replay_id_corrupted()
        repeats, self._repeats = self._repeats, 0
        return self._earlier(place.position, repeats, entities) if repeats else place.position

    def _earlier(self, position: int, events: int, entities: frozenset[str] | None) -> int:
        """The place from which so many events are told again, as far as they are kept."""
        kept = self._log.read(self._log.earliest, len(self._log), entities=entities)
        before = [event.position for event in kept if event.position <= position]
        return before[-events - 1] if events < len(before) else self._log.earliest

    def _entities(self, topic: str) -> frozenset[str] | None:
        captured = [sobject.name for sobject in self._org.schemas if sobject.tracked]
        return entities_of(topic, captured, self._channels)

    def _admitted(self, context: grpc.ServicerContext) -> str:
        """The session's token."""
        with self._lock:
            if self._refusals:
                raise self._refusals.pop(0)
        metadata = dict(context.invocation_metadata())
        for key in ("accesstoken", "instanceurl", "tenantid"):
            if not metadata.get(key):
                raise refusals.headers_invalid(key)
        if metadata["tenantid"] != self._org.org_id:
            raise refusals.headers_invalid("tenantid")
        token = str(metadata["accesstoken"])
        self._check_session(token)
        return token

    def _admission(self, token: str) -> Callable[[Any], None]:
        """Whether a stream's caller may go on: by the token it began with, or the last one that it brought."""
        brought = token

        def admit(request: Any) -> None:
            nonlocal brought
            if request is not None:
                self._misbehave("fetch", request)
                brought = request.auth_refresh or brought
            self._check_session(brought)

        return admit

    def _check_session(self, token: str) -> None:
        if self._org.sessions.user_of(token) is None:
            raise refusals.session_over()

    def _misbehave(self, kind: str, request: Any) -> None:
        for deed in self.script.called(kind, request):
            match deed:
                case Do(done):
                    done()
                case Slow(seconds):
                    self._org.clock.sleep(seconds)
                case ExpireSession():
                    self._org.sessions.expire()

    def _rpc_id(self) -> str:
        with self._lock:
            digits = f"{self._chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _now_ms(self) -> int:
        return int(self._org.now().timestamp() * 1000)


def _hear(stream: Stream, requests: Any) -> None:
    """Hand the client's requests in, until it has no more or the call is over."""
    try:
        for request in requests:
            stream.requested(request)
        stream.half_close()
    except grpc.RpcError:
        stream.end()


def _unserved(method: str) -> Callable[[Any, str], Any]:
    def answer(_: Any, __: str) -> Any:
        raise refusals.unimplemented(method)

    return answer


def _abort(context: grpc.ServicerContext, refusal: Refusal, rpc_id: str) -> None:
    context.set_trailing_metadata((("error-code", refusal.error_code), ("rpc-id", rpc_id)))
    context.abort(refusal.status, f"{refusal.message} rpcId: {rpc_id}")
