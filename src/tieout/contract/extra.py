"""What a contract did not know, read back: the members of `_extra` whose columns a contract has gained since.

Pure. A value is taken from the very text that was kept, so that it is what the judge would have made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ..base.types import Column
from .judge import read_as

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Of each row: the values, by column; the names of those it told and that fit; what is left of its `_extra`."""

    values: pa.Table
    told: list[frozenset[str]]
    extra: pa.Array


def read_back(extra: Sequence[str], columns: Sequence[Column], *, encoding: str) -> ReadBack:
    """The columns as these rows told them. `encoding` as in `base.batch.Footer`."""
    names = frozenset(column.name for column in columns)
    members = [members_of(text) for text in extra]
    plain = [{name: _plain(text, encoding) for name, text in row.items() if name in names} for row in members]
    schema = pa.schema([pa.field(column.name, pa.string()) for column in columns])
    texts = pa.Table.from_pylist(plain, schema=schema)
    values = read_as(texts, columns, encoding=encoding)
    unfit = _unfit(plain, values)
    told = [frozenset(row) - bad for row, bad in zip(plain, unfit, strict=True)]
    left = [
        written({name: text for name, text in row.items() if name not in gone})
        for row, gone in zip(members, told, strict=True)
    ]
    return ReadBack(values, told, pa.array(left, pa.string()))


def members_of(text: str) -> dict[str, str]:
    """The members of a JSON object that we wrote ourselves, each with its own text: no number is read as a float."""
    members: dict[str, str] = {}
    at = 1
    while text[at : at + 1] == '"':  # bounded: `at` rises by a member
        name, colon = _DECODER.raw_decode(text, at)
        _, end = _DECODER.raw_decode(text, colon + 1)
        members[name] = text[colon + 1 : end]
        at = end + 1
    return members


def written(members: Mapping[str, str]) -> str | None:
    """The object that has these members, None when it would be empty."""
    if not members:
        return None
    return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{text}" for name, text in members.items()) + "}"


def _plain(text: str, encoding: str) -> str | None:
    """A member as its source had told it: JSON text, or the text that JSON has wrapped."""
    if encoding == "json":
        return None if text == "null" else text
    value: str | None = json.loads(text)
    return value


def _unfit(plain: Sequence[Mapping[str, str | None]], values: pa.Table) -> list[frozenset[str]]:
    """The columns of which a row told something that their type does not admit."""
    nulls = {name: pc.is_null(values.column(name)).to_pylist() for name in values.column_names}
    return [
        frozenset(name for name, text in row.items() if text is not None and nulls[name][at])
        for at, row in enumerate(plain)
    ]
