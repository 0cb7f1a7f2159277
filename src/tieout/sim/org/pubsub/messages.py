"""The messages of `eventbus.v1` as the service has published them: names, numbers and types, in one table.

They live in a descriptor pool of their own and know nothing of any client's, so a client and this server in one process
agree by the bytes on the wire alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE = "eventbus.v1"
SERVICE = f"{PACKAGE}.PubSub"

LATEST, EARLIEST, CUSTOM = range(3)
"""`ReplayPreset`: where a subscription begins. What a client leaves out is 0, LATEST."""

_ENUMS: Mapping[str, tuple[str, ...]] = {
    "ErrorCode": ("UNKNOWN", "PUBLISH", "COMMIT"),
    "ReplayPreset": ("LATEST", "EARLIEST", "CUSTOM"),
}

_MESSAGES: Mapping[str, str] = {
    "TopicInfo": "1 topic_name string, 2 tenant_guid string, 3 can_publish bool, 4 can_subscribe bool, "
    "5 schema_id string, 6 rpc_id string",
    "TopicRequest": "1 topic_name string",
    "EventHeader": "1 key string, 2 value bytes",
    "ProducerEvent": "1 id string, 2 schema_id string, 3 payload bytes, 4 headers EventHeader*",
    "ConsumerEvent": "1 event ProducerEvent, 2 replay_id bytes",
    "PublishResult": "1 replay_id bytes, 2 error Error, 3 correlation_key string",
    "Error": "1 code ErrorCode, 2 msg string",
    "FetchRequest": "1 topic_name string, 2 replay_preset ReplayPreset, 3 replay_id bytes, 4 num_requested int32, "
    "5 auth_refresh string",
    "FetchResponse": "1 events ConsumerEvent*, 2 latest_replay_id bytes, 3 rpc_id string, "
    "4 pending_num_requested int32",
    "SchemaRequest": "1 schema_id string",
    "SchemaInfo": "1 schema_json string, 2 schema_id string, 3 rpc_id string",
    "PublishRequest": "1 topic_name string, 2 events ProducerEvent*, 3 auth_refresh string",
    "PublishResponse": "1 results PublishResult*, 2 schema_id string, 3 rpc_id string",
    "ManagedFetchRequest": "1 subscription_id string, 2 developer_name string, 3 num_requested int32, "
    "4 auth_refresh string, 5 commit_replay_id_request CommitReplayRequest",
    "ManagedFetchResponse": "1 events ConsumerEvent*, 2 latest_replay_id bytes, 3 rpc_id string, "
    "4 pending_num_requested int32, 5 commit_response CommitReplayResponse",
    "CommitReplayRequest": "1 commit_request_id string, 2 replay_id bytes",
    "CommitReplayResponse": "1 commit_request_id string, 2 replay_id bytes, 3 error Error, 4 process_time int64",
}
"""Name -> its fields as `number name type`; `*` marks what repeats."""

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
}


def _described() -> FileDescriptorProto:
    file = FileDescriptorProto(name="org/pubsub_api.proto", package=PACKAGE, syntax="proto3")
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split(", "):
            _describe_field(message, *field.split(" "))
    return file


def _describe_field(message: DescriptorProto, number: str, name: str, kind: str) -> None:
    bare = kind.removesuffix("*")
    field = message.field.add(name=name, number=int(number))
    field.label = FieldDescriptorProto.LABEL_REPEATED if kind != bare else FieldDescriptorProto.LABEL_OPTIONAL
    if bare in _SCALARS:
        field.type = _SCALARS[bare]
        return
    field.type = FieldDescriptorProto.TYPE_ENUM if bare in _ENUMS else FieldDescriptorProto.TYPE_MESSAGE
    field.type_name = f".{PACKAGE}.{bare}"


_pool = DescriptorPool()
_pool.Add(_described())


def _message(name: str) -> Any:
    return GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicInfo = _message("TopicInfo")
TopicRequest = _message("TopicRequest")
ProducerEvent = _message("ProducerEvent")
ConsumerEvent = _message("ConsumerEvent")
FetchRequest = _message("FetchRequest")
FetchResponse = _message("FetchResponse")
SchemaRequest = _message("SchemaRequest")
SchemaInfo = _message("SchemaInfo")
PublishRequest = _message("PublishRequest")
PublishResponse = _message("PublishResponse")
ManagedFetchRequest = _message("ManagedFetchRequest")
ManagedFetchResponse = _message("ManagedFetchResponse")
