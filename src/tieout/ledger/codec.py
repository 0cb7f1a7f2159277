"""How a fact is written down: its JSON, and beside it the columns by which a book finds it again.

Every ledger writes facts alike, so that a book can be carried from one store to another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, get_args, get_type_hints

from ..base.batch import Tally
from ..base.cursor import Cursor
from ..base.errors import Broken
from .facts import (
    Acknowledged,
    Advanced,
    Alerted,
    Asked,
    Certified,
    Checked,
    Compared,
    Drifted,
    Fact,
    Freed,
    Landed,
    Looked,
    Merged,
    Modelled,
    Offered,
    Paused,
    Ran,
    Resumed,
    Spent,
    Stuck,
    Switched,
    Turned,
)
from .ledger import Holder

_KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Fact)}
_HINTS: Mapping[str, Mapping[str, type[Any]]] = {name: get_type_hints(kind) for name, kind in _KINDS.items()}
_READ: Mapping[Any, Callable[[Any], Any]] = {
    str: str,
    bool: bool,
    int: int,
    datetime: datetime.fromisoformat,
    datetime | None: lambda text: None if text is None else datetime.fromisoformat(text),
    tuple[str, ...]: tuple,
    Tally: Tally.from_json,
    Cursor: Cursor.from_json,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A fact as it stands in a book: `body` is all of it, the other columns are what a book is asked by."""

    kind: str
    lane: str | None
    track: str | None
    position: int | None
    stream: str | None
    batch: str | None
    body: str


def write(fact: Fact) -> Line:
    """The line of a fact. A Merged does not know its lane: the book takes that from the batch's Landed."""
    lane = track = stream = batch = None
    position = None
    match fact:
        case Landed():
            lane, track, stream, batch = fact.lane, fact.track, fact.stream, fact.batch
        case Advanced() | Acknowledged():
            lane, track, position = fact.lane, fact.cursor.track, fact.cursor.position
        case Merged():
            stream, batch = fact.stream, fact.batch
        case (
            Certified()
            | Checked()
            | Compared()
            | Looked()
            | Drifted()
            | Offered()
            | Paused()
            | Resumed()
            | Stuck()
            | Freed()
        ):
            stream = fact.stream
        case Ran() | Spent():
            lane = fact.lane
        case Asked() | Turned():
            lane, stream = fact.lane, fact.stream
        case Alerted() | Modelled() | Switched():
            pass
    return Line(type(fact).__name__, lane, track, position, stream, batch, _body(fact))


def read(kind: str, body: str) -> Fact:
    """The fact that was written. Raises Broken when the text is no fact of this kind."""
    try:
        value = json.loads(body)
        # What a fact says since a later version, the older ones did not: then its default holds.
        told = {name: _READ[type_](value[name]) for name, type_ in _HINTS[kind].items() if name in value}
        fact: Fact = _KINDS[kind](**told)
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(
            f"the ledger has a {kind} that cannot be read: {error!r}.",
            hint="Move the ledger away; `tieout run` rebuilds it from the landing.",
        ) from error
    return fact


def write_cursor(cursor: Cursor | None) -> str | None:
    """A cursor's text, for equality: equal cursors have equal texts, however their state was spelled."""
    return None if cursor is None else _text(cursor.to_json())


def write_holder(holder: Holder) -> str:
    return _text(asdict(holder))


def read_holder(text: str) -> Holder:
    return Holder(**json.loads(text))


def _body(fact: Fact) -> str:
    return _text({field.name: _plain(getattr(fact, field.name)) for field in fields(fact)})


def _plain(value: str | bool | int | datetime | tuple[str, ...] | Tally | Cursor | None) -> Any:
    match value:
        case Tally() | Cursor():
            return value.to_json()
        case datetime():
            return value.isoformat()
        case _:
            return value


def _text(value: Any) -> str:
    # Escapes keep what UTF-8 cannot hold: a reason may cite a file's name with stray bytes in it.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
