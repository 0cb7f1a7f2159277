"""What the bytes of the log say: a decoder of PostgreSQL's pgoutput protocol, version 1, for all but rows.

A pure function from the bytes of one message to one value. Of these messages there are few; inserts, updates and
deletes are read many at a time (`said.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct, error

from ....base.errors import Broken

_KEY_FLAG = 1


@dataclass(frozen=True, slots=True)
class Begin:
    """`final_lsn` is where the transaction's commit record stands; `commit_time` counts microseconds from 2000."""

    final_lsn: int
    commit_time: int
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    commit_lsn: int
    end_lsn: int
    commit_time: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a relation. `key`: it belongs to the replica identity (with identity FULL, every column does)."""

    name: str
    key: bool
    type: int
    typmod: int


@dataclass(frozen=True, slots=True)
class Relation:
    """What the tuples that follow mean. `identity` is d(efault), n(othing), f(ull) or i(ndex)."""

    relation: int
    schema: str
    name: str
    identity: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Type:
    type: int
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    lsn: int
    name: str


@dataclass(frozen=True, slots=True)
class Truncate:
    relations: tuple[int, ...]
    cascade: bool
    restart_identity: bool


@dataclass(frozen=True, slots=True)
class Message:
    """Written with pg_logical_emit_message."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


Decoded = Begin | Commit | Relation | Type | Origin | Truncate | Message

_BEGIN = Struct(">xqqI")
_COMMIT = Struct(">xbqqq")
_ATTRIBUTE = Struct(">ii")
_TRUNCATE = Struct(">xib")
_MESSAGE = Struct(">xbq")
BEGIN_SIZE, COMMIT_SIZE = _BEGIN.size, _COMMIT.size
_INT16 = Struct(">h").unpack_from
_INT32 = Struct(">i").unpack_from
_INT64 = Struct(">q").unpack_from
_UINT32 = Struct(">I").unpack_from


def decode(data: bytes) -> Decoded:
    """The message that these bytes are. Raises Broken, with the offset, on bytes that are no whole message we know."""
    read = _READERS.get(data[:1])
    if read is None:
        raise Broken(f"pgoutput message at offset 0: type {data[:1]!r} is not of protocol version 1.")
    try:
        message, at = read(data)
    except (error, IndexError) as short:
        raise torn(data) from short
    if at != len(data):
        raise torn(data, at)
    return message


def torn(data: bytes, end: int | None = None) -> Broken:
    """The error of a message that should end elsewhere: at `end`, when that can be said."""
    if end is None or end > len(data):
        return Broken(f"pgoutput message {data[:1]!r} is torn: it ends at offset {len(data)}.")
    return Broken(f"pgoutput message {data[:1]!r} should end at offset {end}, and ends at offset {len(data)}.")


def begun_lsn(data: bytes) -> int:
    """Where the transaction that this message begins has its commit record; -1 when it is torn."""
    return int(_BEGIN.unpack_from(data)[0]) if len(data) == _BEGIN.size else -1


def _begin(data: bytes) -> tuple[Decoded, int]:
    return Begin(*_BEGIN.unpack_from(data)), _BEGIN.size


def _commit(data: bytes) -> tuple[Decoded, int]:
    _, commit_lsn, end_lsn, commit_time = _COMMIT.unpack_from(data)
    return Commit(commit_lsn, end_lsn, commit_time), _COMMIT.size


def _relation(data: bytes) -> tuple[Decoded, int]:
    schema, at = _string(data, 5)
    name, at = _string(data, at)
    identity, count = chr(data[at]), _INT16(data, at + 1)[0]
    at += 3
    attributes = []
    for _ in range(count):
        flags = data[at]
        column, at = _string(data, at + 1)
        attributes.append(Attribute(column, bool(flags & _KEY_FLAG), *_ATTRIBUTE.unpack_from(data, at)))
        at += _ATTRIBUTE.size
    # The server writes pg_catalog as the empty string.
    return Relation(_UINT32(data, 1)[0], schema or "pg_catalog", name, identity, tuple(attributes)), at


def _type(data: bytes) -> tuple[Decoded, int]:
    schema, at = _string(data, 5)
    name, at = _string(data, at)
    return Type(_UINT32(data, 1)[0], schema or "pg_catalog", name), at


def _origin(data: bytes) -> tuple[Decoded, int]:
    name, at = _string(data, 9)
    return Origin(_INT64(data, 1)[0], name), at


def _truncate(data: bytes) -> tuple[Decoded, int]:
    count, flags = _TRUNCATE.unpack_from(data)
    at = _TRUNCATE.size
    relations = tuple(_UINT32(data, at + 4 * index)[0] for index in range(count))
    return Truncate(relations, bool(flags & 1), bool(flags & 2)), at + 4 * count


def _message(data: bytes) -> tuple[Decoded, int]:
    flags, lsn = _MESSAGE.unpack_from(data)
    prefix, at = _string(data, _MESSAGE.size)
    end = at + 4 + _INT32(data, at)[0]
    return Message(bool(flags & 1), lsn, prefix, data[at + 4 : end]), end


def _string(data: bytes, at: int) -> tuple[str, int]:
    """A name. Without an encoding of the database it may be no UTF-8: such bytes are written as \\xNN."""
    end = data.find(b"\x00", at)
    if end < 0:
        raise Broken(f"pgoutput message {data[:1]!r}: the name at offset {at} does not end.")
    return data[at:end].decode("utf-8", "backslashreplace"), end + 1


_READERS: dict[bytes, Callable[[bytes], tuple[Decoded, int]]] = {
    b"B": _begin,
    b"C": _commit,
    b"R": _relation,
    b"Y": _type,
    b"O": _origin,
    b"T": _truncate,
    b"M": _message,
}
