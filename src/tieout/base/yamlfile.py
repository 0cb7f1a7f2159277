"""A YAML file and its lines: what it says, and where, so that a wrong setting is answered with the right one.

It reads a small and strict YAML. Only true, false, null and plain numbers are not text: `no`, `on`, `12:30` and
`2026-11-20` stay what they look like. A key that stands twice, an alias, a tag or a second document is refused.
What the settings mean it does not know; `form.py` says what is allowed.
"""

from __future__ import annotations

import difflib
import json
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .errors import Misconfigured

FILE_BYTES_MAX = 8 * 1024 * 1024
"""A contract of 1,600 columns, as many as PostgreSQL allows, has a tenth of this."""
DEPTH_MAX = 40
"""The standard's contracts reach a depth of about ten."""

_SHOWN_MAX = 100

Place = tuple[str | int, ...]
"""Keys and list positions from the top of a document down to a value."""

_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# All that these take, a YAML 1.1 reader takes too: what our writer leaves unquoted, we read back as text.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. `content` may have been filled in since; `written` is what stands in the file."""

    path: Path
    content: Any
    written: Any
    lines: Mapping[Place, int]

    def wrong(self, place: Place, problem: str, *, hint: str = "") -> Misconfigured:
        """The error for the setting at `place`; `problem` goes on after its name: 'is 5; write text.'"""
        subject = f"{_dotted(place)} " if place else ""
        return Misconfigured(f"{self.path}:{self.line(place)}: {subject}{problem}", hint=hint)

    def filled(self, fill: Callable[[Place, str], str]) -> Document:
        """The same document, every text in it (not the keys) passed through `fill`."""

        def walk(value: Any, place: Place) -> Any:
            if isinstance(value, str):
                return fill(place, value)
            if isinstance(value, dict):
                return {key: walk(item, (*place, key)) for key, item in value.items()}
            if isinstance(value, list):
                return [walk(item, (*place, index)) for index, item in enumerate(value)]
            return value

        return replace(self, content=walk(self.content, ()))

    def without(self, keys: Collection[str]) -> Document:
        """The same document, as if these keys of its top did not stand in it."""
        return replace(self, content={key: value for key, value in self.content.items() if key not in keys})

    def found(self, place: Place) -> str:
        """The value as written, for people; of a list or a mapping only that it is one."""
        value = descend(self.written, place)
        if value is None:
            return "empty"
        if isinstance(value, dict | list):
            return "a mapping" if isinstance(value, dict) else "a list"
        return textwrap.shorten(json.dumps(value, ensure_ascii=False), _SHOWN_MAX, placeholder="...")

    def line(self, place: Place) -> int:
        """Counted from 1; of a place that is not in the file, its nearest surroundings' line."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)


def load(path: Path) -> Document:
    """Reads the file. Raises Misconfigured when it is missing, too large, or not the YAML we read."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > FILE_BYTES_MAX:
        raise Misconfigured(f"{path} has more than {FILE_BYTES_MAX} bytes.", hint="Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{path}:{line}: this is not UTF-8.", hint="Save the file as UTF-8.") from error
    builder = _Builder(path, text)
    content = builder.build()
    return Document(path=path, content=content, written=content, lines=builder.lines)


def descend(value: Any, place: Place) -> Any:
    """What stands at `place` in `value`."""
    for step in place:
        value = value[step]
    return value


def nearest(word: object, allowed: Iterable[str]) -> str:
    """The hint 'Did you mean x?', or "" when nothing is near."""
    by_lower = {option.lower(): option for option in allowed}
    close = difflib.get_close_matches(str(word).lower(), list(by_lower), n=1, cutoff=0.6)
    return f"Did you mean {by_lower[close[0]]}?" if close else ""


class _Builder:
    """Builds the content from the parser's events, since only they tell of aliases, tags and keys that stand twice."""

    def __init__(self, path: Path, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._path = path
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def build(self) -> Any:
        try:
            next(self._events)  # the stream's start
            if isinstance(next(self._events), yaml.StreamEndEvent):
                return None
            content = self._value(next(self._events), ())
            next(self._events)  # the document's end
            after = next(self._events)
        except yaml.YAMLError as error:
            raise self._syntax(error) from error
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refusal(after, "a second document begins; keep one in a file")
        return content

    def _value(self, event: Any, place: Place) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._refusal(event, f"the alias *{event.anchor} is not followed; write the value itself")
        if event.tag is not None:
            raise self._refusal(event, f"the tag {event.tag} is not read; write a plain value")
        if len(place) > DEPTH_MAX:
            raise self._refusal(event, f"this lies more than {DEPTH_MAX} levels deep")
        self.lines.setdefault(place, _line(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(place)
        return _scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refusal(event, "a key is one word or text, not a list, a mapping or an alias")
            key = (*place, event.value)
            if event.value in mapping:
                first = self.lines[key]
                raise self._refusal(event, f"{_dotted(key)} stands twice, first in line {first}; keep one")
            self.lines[key] = _line(event)
            mapping[event.value] = self._value(next(self._events), key)
        return mapping

    def _list(self, place: Place) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*place, len(items))))
        return items

    def _refusal(self, event: Any, problem: str) -> Misconfigured:
        return Misconfigured(f"{self._path}:{_line(event)}: {problem}.")

    def _syntax(self, error: yaml.YAMLError) -> Misconfigured:
        mark: Any = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        return Misconfigured(
            f"{self._path}{where}: this is not YAML: {problem}.",
            hint="Look at the indentation, quotes and colons of this line and the one above.",
        )


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(text: str) -> str | bool | int | float | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _dotted(place: Place) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")
