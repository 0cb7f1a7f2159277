"""Arrays and rows of columns become JSON, from the text that the server writes of them, read or logged.

An array is a JSON array; a row (a composite type) an object by the names of its columns. What stands in them is a
number where the server has one that is finite, true or false, JSON where it is JSON, and else text as the server writes
it. The bounds of an array that does not begin at 1 are kept beside it: `{"bounds": "[0:1]", "elements": [1, 2]}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from .arrived import Faults

_NULL = "null"
_ESCAPED = re.compile(r"\\(.)|\"(\")", re.DOTALL)
_PLAIN_NUMBERS = r"^\{(-?[0-9][-+.e0-9]*|NULL)(,(-?[0-9][-+.e0-9]*|NULL))*\}$"
_PLAIN_TEXTS = r"^\{[^\"\\{},\x00-\x1f]+(,[^\"\\{},\x00-\x1f]+)*\}$"
_UNQUOTED_ITEM = re.compile(r'[^"\\{}]*')


class Scalar(Enum):
    """What JSON makes of a value within: its text, its digits, true or false, or itself."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """`delimiter` stands between two elements."""

    element: Composition
    delimiter: str


@dataclass(frozen=True, slots=True)
class RowOf:
    """The columns of a row, in their order."""

    columns: tuple[tuple[str, Composition], ...]


Composition = Scalar | ArrayOf | RowOf
"""What a value is made of."""


def told_as_json(told: pa.Table, compositions: Mapping[str, Composition]) -> pa.Table:
    """A captured table of the log, with JSON in place of the texts of these columns."""
    for name, composition in compositions.items():
        at = told.schema.get_field_index(name)
        if at >= 0:
            column, faults = as_json(told.column(at).combine_chunks(), composition)
            told = _faulted(told.set_column(at, name, column), name, faults)
    return told


def as_json(texts: pa.Array, composition: Composition) -> tuple[pa.Array, Faults]:
    """The column as JSON. A text that is not composed so becomes null, and its row has a fault: the type has changed
    since the log was written."""
    plain = _plainly(texts, composition)
    distinct = pc.if_else(pc.is_null(plain), texts, None).dictionary_encode()
    told = distinct.dictionary.to_pylist()
    made = [_told(text, composition) for text in told]
    column = pc.coalesce(plain, pa.array(made, pa.string()).take(distinct.indices))
    wrong = {at for at, value in enumerate(made) if value is None}
    if not wrong:
        return column, {}
    places = enumerate(distinct.indices.to_pylist())
    return column, {row: f"is {told[at][:100]}, which its type does not explain" for row, at in places if at in wrong}


def _plainly(texts: pa.Array, composition: Composition) -> pa.Array:
    """The arrays of one dimension in which nothing stands in quotes, as most do, by the column; null for all others."""
    element = composition.element if isinstance(composition, ArrayOf) and composition.delimiter == "," else None
    if element is Scalar.NUMBER:
        opened, between, closed, plain = "[", ", ", "]", _PLAIN_NUMBERS
    elif element is Scalar.TEXT:
        opened, between, closed, plain = '["', '", "', '"]', _PLAIN_TEXTS
    else:
        return pa.nulls(len(texts), pa.string())
    is_plain = pc.match_substring_regex(texts, plain)
    if element is Scalar.TEXT:
        is_plain = pc.and_not(is_plain, pc.match_substring(texts, "NULL"))
    items = pc.replace_substring(pc.utf8_slice_codeunits(pc.if_else(is_plain, texts, None), 1, -1), ",", between)
    return pc.replace_substring(pc.binary_join_element_wise(opened, items, closed, ""), "NULL", _NULL)


def _told(text: str, composition: Composition) -> str | None:
    try:
        return json_of(text, composition)
    except (ValueError, IndexError):
        return None


def json_of(text: str, composition: Composition) -> str:
    """The JSON of one value. Raises ValueError or IndexError for a text that is not composed so."""
    if isinstance(composition, ArrayOf):
        return _array(text, composition)
    if isinstance(composition, RowOf):
        return _row(text, composition)
    return _scalar(text, composition)


def _scalar(text: str, composition: Scalar) -> str:
    if composition is Scalar.BOOLEAN:
        return {"t": "true", "f": "false"}.get(text) or _refused(text)
    if composition is Scalar.JSON or (composition is Scalar.NUMBER and text[-1].isdigit()):
        return text
    return json.dumps(text, ensure_ascii=False)


def _array(text: str, composition: ArrayOf) -> str:
    bounds, equals, rest = text.partition("=") if text[0] == "[" else ("", "", text)
    if _UNQUOTED_ITEM.fullmatch(rest, 1, len(rest) - 1) and rest[0] + rest[-1] == "{}":
        elements = _plain(rest[1:-1], composition)
    else:
        elements, end = _braced(rest, 0, composition)
        if end != len(rest):
            _refused(text)
    return f'{{"bounds": {json.dumps(bounds)}, "elements": {elements}}}' if equals else elements


def _plain(items: str, composition: ArrayOf) -> str:
    """Elements of one dimension of which none stands in quotes."""
    if not items:
        return "[]"
    return "[" + ", ".join([_element(item, composition.element) for item in items.split(composition.delimiter)]) + "]"


def _braced(text: str, at: int, composition: ArrayOf) -> tuple[str, int]:
    """The array that opens at `at`, and where it ends."""
    if text[at] != "{":
        _refused(text)
    told, at = [], at + 1
    while text[at] != "}":
        if text[at] == "{":
            element, at = _braced(text, at, composition)
        elif text[at] == '"':
            quoted, at = _quoted(text, at)
            element = json_of(quoted, composition.element)
        else:
            item, at = _bare(text, at, composition.delimiter + "}")
            element = _element(item, composition.element)
        told.append(element)
        at = _past(text, at, composition.delimiter, "}")
    return "[" + ", ".join(told) + "]", at + 1


def _element(item: str, composition: Composition) -> str:
    return _NULL if item == "NULL" else json_of(item, composition)


def _row(text: str, composition: RowOf) -> str:
    """`(a,"b c",)`: nothing between two commas is NULL, and so is a column that the type has gained since."""
    if text[0] != "(" or text[-1] != ")":
        _refused(text)
    told, at = [], 1
    for name, column in composition.columns:
        if text[at] == '"':
            item, at = _quoted(text, at)
            value = json_of(item, column)
        else:
            item, at = _bare(text, at, ",)")
            value = json_of(item, column) if item else _NULL
        told.append(f"{json.dumps(name, ensure_ascii=False)}: {value}")
        at = _past(text, at, ",", ")")
    if at != len(text) - 1:
        _refused(text)
    return "{" + ", ".join(told) + "}"


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What the quotes that open at `at` hold, and where it goes on behind them."""
    end = at + 1
    while text[end] != '"' or text[end + 1 : end + 2] == '"':
        end += 2 if text[end] in '\\"' else 1
    return _ESCAPED.sub(r"\1\2", text[at + 1 : end]), end + 1


def _bare(text: str, at: int, ends: str) -> tuple[str, int]:
    end = at
    while text[end] not in ends:
        end += 1
    return text[at:end], end


def _past(text: str, at: int, delimiter: str, end: str) -> int:
    """Behind a delimiter, or at the end."""
    if text[at] == delimiter:
        return at + 1
    return at if text[at] == end else _refused(text)


def _refused(text: str) -> NoReturn:
    raise ValueError(text)


def _faulted(told: pa.Table, name: str, faults: Faults) -> pa.Table:
    """The table with these faults, in rows that have none yet."""
    if not faults:
        return told
    at = told.schema.get_field_index("_fault")
    reasons = [
        held if held is not None else (f"undecodable: column {name} {faults[row]}" if row in faults else None)
        for row, held in enumerate(told.column(at).to_pylist())
    ]
    return told.set_column(at, told.schema.field(at), pa.array(reasons, pa.string()))
