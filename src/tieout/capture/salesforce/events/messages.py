"""The published messages of `eventbus.v1`, as descriptors built here: the protocol is small, and settled.

They stand in a pool of their own, so that whoever else in the process knows them does not meet ours.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "eventbus.v1"
_SERVICE = f"/{_PACKAGE}.PubSub"
SUBSCRIBE = f"{_SERVICE}/Subscribe"
GET_SCHEMA = f"{_SERVICE}/GetSchema"
GET_TOPIC = f"{_SERVICE}/GetTopic"
PUBLISH = f"{_SERVICE}/Publish"

_ENUMS: dict[str, tuple[str, ...]] = {
    "ErrorCode": ("UNKNOWN", "PUBLISH", "COMMIT"),
    "ReplayPreset": ("LATEST", "EARLIEST", "CUSTOM"),
}
"""The names of each, numbered from 0."""

_MESSAGES: dict[str, tuple[str, ...]] = {
    "TopicInfo": (
        "topic_name string", "tenant_guid string", "can_publish bool", "can_subscribe bool", "schema_id string",
        "rpc_id string",
    ),
    "TopicRequest": ("topic_name string",),
    "EventHeader": ("key string", "value bytes"),
    "ProducerEvent": ("id string", "schema_id string", "payload bytes", "headers EventHeader*"),
    "ConsumerEvent": ("event ProducerEvent", "replay_id bytes"),
    "PublishResult": ("replay_id bytes", "error Error", "correlation_key string"),
    "Error": ("code ErrorCode", "msg string"),
    "FetchRequest": (
        "topic_name string", "replay_preset ReplayPreset", "replay_id bytes", "num_requested int32",
        "auth_refresh string",
    ),
    "FetchResponse": (
        "events ConsumerEvent*", "latest_replay_id bytes", "rpc_id string", "pending_num_requested int32",
    ),
    "SchemaRequest": ("schema_id string",),
    "SchemaInfo": ("schema_json string", "schema_id string", "rpc_id string"),
    "PublishRequest": ("topic_name string", "events ProducerEvent*", "auth_refresh string"),
    "PublishResponse": ("results PublishResult*", "schema_id string", "rpc_id string"),
    "ManagedFetchRequest": (
        "subscription_id string", "developer_name string", "num_requested int32", "auth_refresh string",
        "commit_replay_id_request CommitReplayRequest",
    ),
    "ManagedFetchResponse": (
        "events ConsumerEvent*", "latest_replay_id bytes", "rpc_id string", "pending_num_requested int32",
        "commit_response CommitReplayResponse",
    ),
    "CommitReplayRequest": ("commit_request_id string", "replay_id bytes"),
    "CommitReplayResponse": ("commit_request_id string", "replay_id bytes", "error Error", "process_time int64"),
}  # fmt: skip
"""The fields of each, numbered from 1: name and type, a star behind one that repeats."""

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
}


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="eventbus/v1/pubsub.proto", package=_PACKAGE, syntax="proto3")
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields, start=1):
            message.field.append(_field(number, *field.split()))
    return file


def _field(number: int, name: str, type_: str) -> FieldDescriptorProto:
    label = FieldDescriptorProto.LABEL_REPEATED if type_.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    field = FieldDescriptorProto(name=name, number=number, label=label)
    bare = type_.removesuffix("*")
    if bare in _SCALARS:
        field.type = _SCALARS[bare]
    else:
        field.type = FieldDescriptorProto.TYPE_ENUM if bare in _ENUMS else FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{bare}"
    return field


_POOL = DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


FetchRequest, FetchResponse = _message("FetchRequest"), _message("FetchResponse")
SchemaRequest, SchemaInfo = _message("SchemaRequest"), _message("SchemaInfo")
TopicRequest, TopicInfo = _message("TopicRequest"), _message("TopicInfo")
ProducerEvent, ConsumerEvent = _message("ProducerEvent"), _message("ConsumerEvent")
PublishRequest, PublishResponse = _message("PublishRequest"), _message("PublishResponse")
ManagedFetchRequest, ManagedFetchResponse = _message("ManagedFetchRequest"), _message("ManagedFetchResponse")

LATEST, EARLIEST, CUSTOM = range(3)
"""Of ReplayPreset."""
