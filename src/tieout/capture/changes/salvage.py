"""What can still be told of a line that goes to quarantine: whose it is, and where it stands.

A row that is set aside still keeps its key alive in a sweep and its obligation open, so its key and order matter. Only
what is beyond doubt is told: valid JSON, a name that stands once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...base.codec import canonical_json
from ...base.errors import Rejected
from ...base.order import INT64_MAX, INT64_MIN, Class
from .strict import Members, Number, parse, storable


@dataclass(frozen=True, slots=True)
class Salvage:
    """None: it cannot be told. `key` is JSON text by name."""

    stream: str | None = None
    kind: str | None = None
    key: dict[str, bytes] | None = None
    position: int | None = None
    read: int | None = None
    minor: int | None = None


NOTHING = Salvage()


def salvage(line: bytes) -> Salvage:
    try:
        value = parse(line)
    except Rejected:
        return NOTHING
    if not isinstance(value, Members):
        return NOTHING
    stream, kind = _once(value, "stream"), _once(value, "kind")
    position, read, minor = _order(value)
    return Salvage(
        stream=stream if _is_text(stream) else None,
        kind=kind if _is_text(kind) else None,
        key=_key(_once(value, "key")),
        position=position,
        read=read,
        minor=minor,
    )


def _once(members: Members, name: str) -> Any:
    return None if name in members.twice else members.get(name)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Number) and storable(value)


def _key(value: Any) -> dict[str, bytes] | None:
    if not isinstance(value, Members) or not value or value.twice:
        return None
    texts = {name: _scalar(member) for name, member in value.items() if storable(name)}
    if len(texts) != len(value) or None in texts.values():
        return None
    return {name: text for name, text in texts.items() if text is not None}


def _scalar(value: Any) -> bytes | None:
    if isinstance(value, Number):
        return value.encode() if _is_integer(value) else None
    if value is None or isinstance(value, bool) or _is_text(value):
        return canonical_json(value).encode("utf-8")
    return None


def _order(value: Members) -> tuple[int | None, int | None, int | None]:
    """Position, class and minor, all or none."""
    order = _once(value, "order")
    if not isinstance(order, Members) or order.twice:
        return None, None, None
    position, watermark = _int64(order.get("position")), _int64(_once(value, "watermark"))
    minor = _int64(order.get("minor")) or 0
    class_ = order.get("class")
    if class_ == "read" and watermark is not None:
        return (watermark if position is None else max(position, watermark)), int(Class.READ), minor
    if class_ in (None, "event") and position is not None:
        return position, int(Class.EVENT), minor
    return None, None, None


def _int64(value: Any) -> int | None:
    if not isinstance(value, Number) or not _is_integer(value) or len(value) > 20:
        return None
    number = int(value)
    return number if INT64_MIN <= number <= INT64_MAX else None


def _is_integer(number: Number) -> bool:
    return number.removeprefix("-").isdecimal()
