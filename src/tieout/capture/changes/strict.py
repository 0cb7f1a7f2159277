"""JSON with nothing forgiven: what RFC 8259 allows, no member named twice, nothing nested too deep, all of it UTF-8.

The fast decoder (`line.py`) asks here only about lines that look odd, and about lines that it refused: why, and what
can still be told of them.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ...base.errors import Rejected

depth_max = 200
"""Deeper nesting is no data that anybody meant, and stack is finite."""

# A string that never ends is taken to the end of the line, else each quote in it would start the search again.
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


class Number(str):
    """A JSON number as its exact text."""

    __slots__ = ()


class Members(dict[str, Any]):
    """A JSON object. `twice` holds the names that it bears more than once."""

    twice: frozenset[str] = frozenset()


def parse(line: bytes) -> Any:
    """The value of a line, objects as `Members`, numbers as `Number`. Raises Rejected, saying what is wrong with it."""
    if opens_many(line) and _depth(line) > depth_max:
        raise Rejected(f"undecodable: nested deeper than {depth_max}")
    try:
        return _decoder.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Rejected(f"undecodable: byte {error.start + 1} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Rejected(f"undecodable: {error.msg} at character {error.pos + 1}") from error


def doubled(value: Any) -> str | None:
    """A name that some object within the value bears twice."""
    waiting = [value]
    while waiting:  # bounded: a parsed value is a finite tree
        found = waiting.pop()
        if isinstance(found, Members):
            if found.twice:
                return min(found.twice)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return None


def opens_many(line: bytes) -> bool:
    """Whether the line has brackets enough to be nested too deep. Cheap, for every line."""
    return len(line) > 2 * depth_max and line.count(b"[") + line.count(b"{") > depth_max


def storable(text: str) -> bool:
    """Whether the text has a form in UTF-8. A lone surrogate, which JSON can escape, has none."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _depth(line: bytes) -> int:
    deepest = depth = 0
    for match in _STRING_OR_BRACKET.finditer(line):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"]", b"}"):
            depth -= 1
    return deepest


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        members.twice = frozenset(name for name in members if names.count(name) > 1)
    return members


def _no_constant(name: str) -> NoReturn:
    raise Rejected(f"undecodable: {name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=Number, parse_float=Number, parse_constant=_no_constant, strict=True
)
