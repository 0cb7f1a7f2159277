"""The door to the Pub/Sub API: one channel, and what each call over it says of who we are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any, Protocol

import grpc

from ....base.errors import Rejected, Transient
from .messages import (
    GET_SCHEMA,
    GET_TOPIC,
    SUBSCRIBE,
    FetchRequest,
    FetchResponse,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)
from .verdict import Deed, TopicUnknown, Verdict, verdict

_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_RECEIVE_BYTES_MAX = 16 * 1024 * 1024
"""A hundred events at most, of up to a megabyte each; nearly all are small."""
_CALL_SECONDS_MAX = 30.0
_OPTIONS = (
    ("grpc.max_receive_message_length", _RECEIVE_BYTES_MAX),
    # Else a new channel would find the dead connection of the old one.
    ("grpc.use_local_subchannel_pool", 1),
)


class Token(Protocol):
    @property
    def access(self) -> str:
        """The secret."""
        ...

    @property
    def instance_url(self) -> str: ...

    @property
    def org_id(self) -> str:
        """In 18 characters."""
        ...


class Door:
    """`token` is asked before each call; `renew` for another one, when that one was refused."""

    def __init__(self, endpoint: str, token: Callable[[], Token], renew: Callable[[Any], Token]) -> None:
        self._endpoint = endpoint
        self._token = token
        self._renew = renew
        self._used: Token | None = None
        self._channel: grpc.Channel | None = None
        self._opening = Lock()

    def subscribe(self, topic: str, requests: Iterator[Any]) -> Any:
        """The stream of answers, over a new channel on which the org has answered. Raises Transient, Misconfigured."""
        self.close()
        self._ask(GET_TOPIC, TopicRequest(topic_name=topic), TopicInfo, topic)
        call = self._open().stream_stream(
            SUBSCRIBE, request_serializer=FetchRequest.SerializeToString, response_deserializer=FetchResponse.FromString
        )
        return self._called(partial(call, requests, metadata=self._metadata()))

    def topic_info(self, topic: str) -> bool:
        """Whether there is such a topic, and we may hear it."""
        try:
            return bool(self._ask(GET_TOPIC, TopicRequest(topic_name=topic), TopicInfo, topic).can_subscribe)
        except TopicUnknown:
            return False

    def schema(self, schema_id: str) -> str:
        """The text of the schema. Raises Rejected where the org knows none, and Transient, Misconfigured."""
        try:
            return str(self._ask(GET_SCHEMA, SchemaRequest(schema_id=schema_id), SchemaInfo, schema_id).schema_json)
        except TopicUnknown:
            raise Rejected(f"bad_schema: the org knows no schema {schema_id[:80]}") from None

    def renew(self) -> None:
        """Another token instead of the one that was used last."""
        if self._used is not None:
            self._renew(self._used)

    def close(self) -> None:
        with self._opening:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def judged(self, error: grpc.RpcError, *, doing: str) -> Verdict:
        """What an error of a call means. Whatever the org says, the token is not in it."""
        metadata: Any = error.trailing_metadata()
        trailers: dict[str, str | bytes] = dict(metadata or ())
        code, rpc_id = (_text(trailers.get(name, "")) for name in ("error-code", "rpc-id"))
        details = error.details() or ""
        if rpc_id and rpc_id not in details:
            details = f"{details} rpcId: {rpc_id}"
        if self._used is not None and self._used.access:
            details = details.replace(self._used.access, "...")
        return verdict(error.code(), code, details, doing=doing)

    def _ask(self, method: str, request: Any, answer: Any, of: str) -> Any:
        for attempt in range(2):
            call = self._open().unary_unary(
                method, request_serializer=type(request).SerializeToString, response_deserializer=answer.FromString
            )
            try:
                return self._called(partial(call, request, metadata=self._metadata(), timeout=_CALL_SECONDS_MAX))
            except grpc.RpcError as error:
                found = self.judged(error, doing=f"{method.rpartition('/')[2]} {of}")
                # A call in flight ends with the channel, when a stream opens another.
                if attempt or found.deed not in (Deed.RENEW, Deed.AGAIN):
                    raise found.error from None
                if found.deed is Deed.RENEW:
                    self.renew()
        raise AssertionError("the second attempt returns or raises")

    @staticmethod
    def _called(call: Callable[[], Any]) -> Any:
        """Whoever else opens the door anew closes this channel, between our finding it and using it."""
        try:
            return call()
        except ValueError:
            raise Transient("the channel to the Pub/Sub API was closed.", hint="It is opened again.") from None

    def _open(self) -> grpc.Channel:
        with self._opening:
            if self._channel is None:
                is_local = self._endpoint.rpartition(":")[0] in _LOCAL
                self._channel = (
                    grpc.insecure_channel(self._endpoint, _OPTIONS)
                    if is_local
                    else grpc.secure_channel(self._endpoint, grpc.ssl_channel_credentials(), _OPTIONS)
                )
            return self._channel

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        self._used = token = self._token()
        return (("accesstoken", token.access), ("instanceurl", token.instance_url), ("tenantid", token.org_id))


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
