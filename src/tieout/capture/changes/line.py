"""The line rule: one line of a changes file, understood or faulty. Pure; never raises, whatever the bytes.

A compiled decoder reads the members and leaves each value as its exact text, so that 45000.00 stays 45000.00. What it
cannot vouch for cheaply (UTF-8, a name borne twice) is asked of `strict.py`, for the lines that look odd.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from ...base.change import Kind
from ...base.errors import Misconfigured, Rejected
from ...base.order import INT64_MAX, INT64_MIN, Class
from ...base.stream import Stream
from . import salvage, strict
from .said import BARE, Said, Shape, SweepLine, fault_text

_Int64 = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
_Count = Annotated[int, Meta(ge=0, le=INT64_MAX)]

_streams_max = 10_000
_names_max = 200_000
"""What is remembered, of streams and of the names in shapes. Beyond it we forget all and start again, so that odd files
cost time, not memory."""

_KINDS = {str(kind) for kind in (Kind.IMAGE, Kind.PATCH, Kind.DELETE, Kind.UNDELETE, Kind.TRUNCATE, Kind.GAP)}
KEYED = _KINDS - {str(Kind.TRUNCATE)}
_KEYLESS = {str(Kind.TRUNCATE), str(Kind.GAP)}
_RARE_SPACES = (b"\t", b"\r", b"\n")
_QUOTE = ord('"')
_KEY_SCALAR = re.compile(rb"-?[0-9]+|true|false|null")
_STREAM_IN_BYTES = re.compile(rb'"stream"\s*+:\s*+("(?:[^"\\]|\\.){1,400}")')


class _Order(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    position: _Int64 | None = None
    kind: str | None = msgspec.field(default=None, name="class")
    minor: _Int64 | None = None


class _Sweep(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str | int
    part: str
    watermark: _Int64
    rows: _Count | None = None


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    stream: str
    kind: str | None = None
    key: dict[str, Raw] | None = None
    fields: dict[str, Raw] | None = None
    order: _Order | None = None
    watermark: _Int64 | None = None
    observed_at: str | None = None
    sweep: _Sweep | None = None


_read = msgspec.json.Decoder(Line).decode


def plain(line: bytes) -> Line | None:
    """What the members of a line say, as far as its decoder alone can tell; None where it cannot."""
    try:
        return _read(line)
    except (ValueError, RecursionError):
        return None


class LineDecoder:
    """Reads the lines of one source. Remembers stream names and shapes, which repeat from line to line."""

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._objects: dict[str, str] = {}
        self._shapes: dict[tuple[str | None, ...], Shape] = {}
        self._names_held = 0

    def decode(self, line: bytes, *, odd: bool) -> Said:
        """`odd`: what `looks_odd` says of the line, or of the block it came from."""
        try:
            read = _read(line)
            if odd or line.count(b'":') != members_seen(read) or strict.opens_many(line):
                _check_strictly(line)
            return self._said(read)
        except Rejected as error:
            return self.faulty(line, error.message)
        except (ValueError, RecursionError) as error:  # msgspec's and UnicodeDecodeError are ValueErrors
            return self.faulty(line, _refusal(line, error))

    def faulty(self, line: bytes, fault: str) -> Said:
        """The line as a row for quarantine: with its stream, key and order as far as they can be read."""
        told = salvage.salvage(line)
        object_ = self._object_or_none(told.stream) if told.stream is not None else None
        if object_ is None and told.stream is None and (match := _STREAM_IN_BYTES.search(line)):
            object_ = self._object_or_none(_unquoted(match[1]))
        shape = BARE
        if told.key is not None:
            try:
                shape = self._shape(tuple(told.key), ())
            except Rejected:
                told = replace(told, key=None)
        return Said(
            object=object_,
            kind=told.kind if told.kind in _KINDS else str(Kind.IMAGE if told.key else Kind.MARK),
            position=told.position,
            read=told.read,
            minor=told.minor,
            shape=shape,
            values=told.key or {},
            fault=fault_text(fault),
            mentions=bool(told.key) and b"null" not in (told.key or {}).values(),
        )

    def object_of(self, stream: str) -> str | None:
        """The object of a stream of this source; None when it is none."""
        return self._objects.get(stream) or self._object_or_none(stream)

    def shape_of(self, key: tuple[str, ...], fields: tuple[str, ...]) -> Shape | None:
        """The shape of a line with these names; None when a column cannot bear one of them."""
        try:
            return self._shape(key, fields)
        except Rejected:
            return None

    def _said(self, read: Line) -> Said:
        object_ = self._objects.get(read.stream) or self._object(read.stream)
        if read.sweep is not None:
            return _sweep_said(object_, read)
        position, class_ = placed(read)
        kind, key, fields = read.kind, read.key or {}, read.fields or {}
        if not key or kind not in KEYED:
            _check_kind(read)
        shape = self._shape(tuple(key), tuple(fields))
        values = {name: bytes(value) for name, value in key.items()}
        mentions = _check_key(values)
        if shape.shared:
            fields = _unshared(shape.shared, values, fields)
        for name, value in fields.items():
            values[name] = bytes(value)
        return Said(
            object_, kind or "", position, class_, minor(read), 0, shape, values, read.observed_at, None, mentions
        )

    def _object(self, stream: str) -> str:
        try:
            parsed = Stream.parse(stream)
        except (Misconfigured, UnicodeEncodeError) as error:
            raise Rejected(f"bad_stream: {stream[:80]!a} is not SOURCE.OBJECT") from error
        if parsed.source != self._lane:
            raise Rejected(f"wrong_stream: {stream} is not a stream of source {self._lane}")
        if len(self._objects) >= _streams_max:
            self._objects.clear()
        return self._objects.setdefault(stream, parsed.object)

    def _object_or_none(self, stream: str) -> str | None:
        try:
            return self._object(stream)
        except Rejected:
            return None

    def _shape(self, key: tuple[str, ...], fields: tuple[str, ...]) -> Shape:
        names = (*key, None, *fields)
        shape = self._shapes.get(names)
        if shape is None:
            shape = Shape.of(key, fields)
            self._names_held += len(names)
            if self._names_held > _names_max:
                self._shapes.clear()
                self._names_held = len(names)
            self._shapes[names] = shape
        return shape


def looks_odd(data: bytes) -> bool:
    """Whether a line, or a block of lines, needs the strict reading: not UTF-8, or white space before a colon.

    The latter because `members_seen` is compared with the count of `":`, which white space would hide.
    """
    if b" :" in data or any(space in data and space + b":" in data for space in _RARE_SPACES):
        return True
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def members_seen(read: Line) -> int:
    """How many members the decoder took notice of. A line with more `":` than that has a name twice, or a nested
    object, or a string with a colon in it, or a null: only then is it worth a closer look."""
    count = 2
    if read.key is not None:
        count += 1 + len(read.key)
    if read.fields is not None:
        count += 1 + len(read.fields)
    order = read.order
    if order is not None:
        count += 1 + (order.position is not None) + (order.kind is not None) + (order.minor is not None)
    return count + (read.watermark is not None) + (read.observed_at is not None)


def _check_strictly(line: bytes) -> None:
    name = strict.doubled(strict.parse(line))
    if name is not None:
        raise Rejected(f"undecodable: the name {name} stands twice in one object")


def _refusal(line: bytes, error: ValueError | RecursionError) -> str:
    """Why the decoder refused a line: it is no strict JSON, or it is and says what we do not know."""
    try:
        _check_strictly(line)
    except Rejected as rejected:
        return rejected.message
    if isinstance(error, msgspec.ValidationError):
        return f"bad_line: {error}"
    if b"\\ud" in line.lower():
        return "undecodable: a lone surrogate, which UTF-8 cannot hold"
    return f"undecodable: {error}"


def _sweep_said(object_: str, read: Line) -> Said:
    sweep = read.sweep
    assert sweep is not None
    if any(member is not None for member in (read.kind, read.key, read.fields, read.order, read.watermark)):
        raise Rejected("bad_line: a sweep line has stream, sweep and observed_at, and nothing else")
    if sweep.part not in ("begin", "end"):
        raise Rejected(f"bad_line: sweep.part is {sweep.part[:40]!a}; write begin or end")
    id_ = sweep.id if isinstance(sweep.id, str) else f"#{sweep.id}"
    line = SweepLine(id_, sweep.part == "begin", sweep.watermark, sweep.rows)
    return Said(object_, str(Kind.MARK), sweep.watermark, int(Class.READ), 0, observed_at=read.observed_at, sweep=line)


def minor(read: Line) -> int:
    """The order within one position."""
    return (read.order.minor or 0) if read.order is not None else 0


def placed(read: Line) -> tuple[int, int]:
    """Position and class. A read stands at the later of its own stamp and its watermark."""
    order = read.order
    class_ = order.kind if order is not None else None
    position = order.position if order is not None else None
    if class_ == "read":
        if read.watermark is None:
            raise Rejected("bad_order: a read needs a watermark: the position up to which it saw everything")
        return (read.watermark if position is None else max(position, read.watermark)), 0
    if class_ is not None and class_ != "event":
        raise Rejected(f"bad_order: order.class is {class_[:40]!a}; write event or read")
    if position is None:
        raise Rejected("bad_order: an event needs order.position")
    return position, 1


def _check_kind(read: Line) -> None:
    if read.kind not in _KINDS:
        raise Rejected(f"bad_kind: {str(read.kind)[:40]!a}; write one of {', '.join(sorted(_KINDS))}")
    if read.kind == Kind.TRUNCATE and (read.key or read.fields):
        raise Rejected("bad_line: a truncate speaks of the whole object and has neither key nor fields")
    if not read.key and (read.kind not in _KEYLESS or read.key is not None):
        raise Rejected(f"bad_key: a {read.kind} needs a key with at least one member")


def is_key_scalar(text: bytes) -> bool:
    """Whether a value that is no string may stand in a key."""
    return _KEY_SCALAR.fullmatch(text) is not None


def _check_key(values: dict[str, bytes]) -> bool:
    """Whether the key can be read. A null member is for the contract to refuse, and no key that a sweep could spare."""
    readable = bool(values)
    for name, text in values.items():
        if text[0] == _QUOTE:
            continue
        if not is_key_scalar(text):
            raise Rejected(f"bad_key: {name} is {_shown(text)}; a key is of strings, integers and booleans")
        if text == b"null":
            readable = False
    return readable


def _unshared(shared: tuple[str, ...], key: dict[str, bytes], fields: dict[str, Raw]) -> dict[str, Raw]:
    """The fields without those that only repeat the key."""
    for name in shared:
        told = bytes(fields[name])
        if told != key[name] and strict.parse(told) != strict.parse(key[name]):
            raise Rejected(f"key_conflict: {name} is {_shown(key[name])} in key and {_shown(told)} in fields")
    return {name: value for name, value in fields.items() if name not in shared}


def _shown(text: bytes) -> str:
    return text[:60].decode("utf-8", "replace")


def _unquoted(quoted: bytes) -> str:
    try:
        return msgspec.json.decode(quoted, type=str)
    except ValueError:
        return ""
