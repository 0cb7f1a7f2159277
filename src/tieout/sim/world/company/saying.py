"""What a simulated source says, row by row, and the captured table that it makes: values as PostgreSQL's text form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa

from ....base.change import CAPTURED, Kind
from ....base.codec import canonical_json
from ....base.errors import Transient
from ....base.order import Class
from ....base.types import Column, ColumnType, Described
from .company import KEY, Field, Row
from .values import Value

ENCODING = "text"

Answer = TypeVar("Answer")
Reach = Callable[[str], None]
"""Told the name of an exchange before and after it; what it raises cuts the exchange off there."""


@dataclass(slots=True)
class Throttle:
    """Of a server: so many of the next requests are refused."""

    requests: int = 0

    def refuse(self, requests: int) -> None:
        self.requests = requests

    def meet(self) -> None:
        if self.requests > 0:
            self.requests -= 1
            raise Transient("the simulated server answers 429: too many requests.")


@dataclass(frozen=True, slots=True)
class Wire:
    """Every exchange with a server. One that is cut off behind it was done, and nobody knows."""

    name: str
    reach: Reach
    throttle: Throttle

    def ask(self, operation: str, deed: Callable[[], Answer]) -> Answer:
        self.reach(f"{self.name}.{operation}")
        self.throttle.meet()
        answer = deed()
        self.reach(f"{self.name}.{operation}")
        return answer


@dataclass(frozen=True, slots=True)
class Says:
    """One row of a captured table. `fields` without the key; `at` its second, by the source."""

    kind: Kind
    key: str | None
    position: int
    class_: Class
    at: int
    fields: Mapping[str, Value] | None = None
    minor: int = 0


def described(object_: str, fields: Sequence[Field]) -> Described:
    key = Column(KEY, ColumnType.parse("text"), required=True, physical="text")
    rest = [Column(one.name, ColumnType.parse(one.physical), one.required, one.physical) for one in fields]
    return Described(object_, (key, *rest), (KEY,))


def without_key(row: Row, leaving_out: Collection[str] = ()) -> Row:
    return {name: value for name, value in row.items() if name != KEY and name not in leaving_out}


def table_of(said: Sequence[Says], *, origin: str) -> pa.Table:
    """The captured table of these rows, in their order."""
    names = list(dict.fromkeys(name for one in said for name in one.fields or ()))
    rows = [_row(one, at, origin) for at, one in enumerate(said, start=1)]
    schema = pa.schema([*CAPTURED, *(pa.field(name, pa.string()) for name in (KEY, *names))])
    return pa.Table.from_pylist(rows, schema=schema)


def _row(says: Says, ordinal: int, origin: str) -> dict[str, Any]:
    fields = says.fields or {}
    return {name: _text(value) for name, value in fields.items()} | {
        KEY: says.key,
        "_kind": says.kind.value,
        "_position": says.position,
        "_class": int(says.class_),
        "_minor": says.minor,
        "_rank": 0,
        "_cover": canonical_json(sorted(fields)),
        "_keyed": None if says.key is None else canonical_json([KEY]),
        "_observed_at": datetime.fromtimestamp(says.at, UTC),
        "_origin": origin,
        "_ordinal": ordinal,
        "_fault": None,
        "_raw": None,
    }


def _text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "t" if value else "f"
    return None if value is None else str(value)
