"""A contract's document amended as its owner would do it: columns added, types and `required` changed.

Text is put in at the places that the YAML parser names, so that all else stays, comments too. One rule: nobody has to
trust it. The amended text must load to exactly the old document with the change in it, or there is none.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ..base.types import Column
from .odcs import Writer, property_of

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: ?[A-Za-z0-9_()]+)*|\d+\.\d+\.\d+")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_WIDE = 2**30


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters from `start` to `end` are replaced by `text`."""

    start: int
    end: int
    text: str


def amended(text: str, content: Any, old: Sequence[Column], new: Sequence[Column]) -> tuple[str, Any] | None:
    """The document with the columns `new` in the place of `old`, whose beginning they follow, and what it must load to.

    `content` is what `text` loads to. None where the text is not of a shape that can be amended.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    wanted = copy.deepcopy(content)
    try:
        properties = _at(root, "schema", 0, "properties")
        entries = wanted["schema"][0]["properties"]
        edits = [*_version(root, wanted)]
        for at, (before, after) in enumerate(zip(old, new[: len(old)], strict=True)):
            if before != after:
                edits += _changed(properties.value[at], entries[at], before, after)
        gained = [property_of(column, ()) for column in new[len(old) :]]
        edits += [_added(text, properties, gained)] if gained else []
        entries += gained
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    return applied(text, edits), wanted


def applied(text: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def next_version(version: str) -> str:
    """The minor number raised; a version that is no three numbers stays."""
    match = _VERSION.fullmatch(version)
    return f"{match[1]}.{int(match[2]) + 1}.0" if match else version


def _version(root: Any, wanted: Any) -> list[Edit]:
    if not isinstance(wanted["version"], str):
        return []
    wanted["version"] = next_version(wanted["version"])
    return [_scalar(_at(root, "version"), wanted["version"])]


def _changed(node: Any, entry: dict[str, Any], before: Column, after: Column) -> list[Edit]:
    """A property's type in all the words that it is told in, and `required`."""
    edits = []
    told = property_of(after, ())
    if before.type != after.type:
        for word in ("physicalType", "logicalType"):
            if word in entry:
                entry[word] = told[word]
                edits.append(_scalar(_at(node, word), told[word]))
        for index, custom in enumerate(entry.get("customProperties", ())):
            if custom["property"] == "sourceType":
                custom["value"] = after.physical
                edits.append(_scalar(_at(node, "customProperties", index, "value"), after.physical))
    if before.required and not after.required:
        entry["required"] = False
        edits.append(_scalar(_at(node, "required"), False))
    return edits


def _added(text: str, properties: Any, entries: Sequence[dict[str, Any]]) -> Edit:
    """Behind the last property, in its style."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    if properties.flow_style:
        last = properties.value[-1].end_mark.index
        return Edit(last, last, "".join(f", {_flow(entry)}" for entry in entries))
    lines = [line for entry in entries for line in _lines(entry, properties.value[-1].flow_style)]
    indent = " " * properties.start_mark.column
    end, starts_line = _end(text, _last(properties.value[-1]))
    added = "".join(f"{indent}{line}{line_end}" for line in lines)
    return Edit(end, end, added if starts_line else line_end + added.removesuffix(line_end))


def _lines(entry: dict[str, Any], flow_style: bool) -> list[str]:
    if flow_style:
        return [f"- {_flow(entry)}"]
    block = yaml.dump(entry, Dumper=Writer, sort_keys=False, allow_unicode=True, width=_WIDE).splitlines()
    return [("- " if at == 0 else "  ") + line for at, line in enumerate(block)]


def _flow(entry: dict[str, Any]) -> str:
    told = yaml.dump(entry, Dumper=Writer, sort_keys=False, allow_unicode=True, width=_WIDE, default_flow_style=True)
    return str(told).strip()


def _scalar(node: Any, value: str | bool) -> Edit:
    assert isinstance(node, yaml.ScalarNode)
    if isinstance(value, bool):
        written = "true" if value else "false"
    elif node.style is None and _PLAIN.fullmatch(value):
        written = value
    else:
        written = json.dumps(value, ensure_ascii=False)
    return Edit(node.start_mark.index, node.end_mark.index, written)


def _last(node: Any) -> Any:
    """The node with whose text a block ends."""
    while not getattr(node, "flow_style", True) and node.value:  # bounded: it goes down a level each time
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node


def _end(text: str, node: Any) -> tuple[int, bool]:
    """Where the line ends on which a node ends, so that a comment behind it stays there; and whether that is where the
    next line begins, as behind a block of text."""
    at = node.end_mark.index
    if at > 0 and text[at - 1] == "\n":
        return at, True
    end = text.find("\n", at)
    if end < 0:
        return len(text), False
    return (end - 1 if text[end - 1] == "\r" else end), False


def _at(node: Any, *place: str | int) -> Any:
    """The node at a place. Raises KeyError or IndexError."""
    for step in place:
        node = node.value[step] if isinstance(step, int) else {key.value: value for key, value in node.value}[step]
    return node
