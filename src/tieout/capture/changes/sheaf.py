"""Plain lines in sheaves: lines of one form, told a column at a time, to the byte as the exact decoder tells them.

The exact decoder (`line.py`) is the meaning. Only a line of which nothing is in doubt is told here; every other one is
named as doubtful, and is the exact decoder's. So a doubt too many costs time, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import not_

import msgspec
import pyarrow as pa

from . import strict
from .line import KEYED, Line, LineDecoder, is_key_scalar, members_seen, minor, placed, plain
from .said import Shape

_lines_min = 16
"""A sheaf of fewer lines is dearer than the lines one by one."""
_stroke_lines = 16
"""Looked at together, for names that stand twice: few enough to stay in the processor's cache."""
_QUOTE, _OPENS = ord('"'), frozenset(b"{[")

_decoded = msgspec.json.Decoder().decode
_encoded = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Sheaf:
    """Lines with the same names, in their order. `indexes` says which of the block they are; `values` are their columns
    and `raw` their bytes."""

    object: str
    shape: Shape
    read: list[Line]
    indexes: list[int]
    raw: pa.Array = None
    values: Mapping[str, pa.Array] = field(default_factory=dict)

    @property
    def is_read(self) -> bool:
        order = self.read[0].order
        return order is not None and order.kind == "read"

    def places(self) -> list[tuple[int, int]]:
        """Position and minor of each line, as `line.placed` has them."""
        return [(placed(read)[0], minor(read)) for read in self.read]


def sheaves(decoder: LineDecoder, lines: Sequence[bytes], is_odd: Callable[[bytes], bool] | None) -> list[Sheaf] | None:
    """The plain lines of a block in sheaves; the others are in none. None when the block has an end of a sweep, which
    is for the lines around it to make sense of. `is_odd` is given when some line may be odd."""
    forms: dict[tuple[object, ...], Sheaf | None] = {}
    for index, line in enumerate(lines):
        read = plain(line)
        if read is None:
            continue
        if read.sweep is not None:
            return None
        key, fields, order = read.key, read.fields, read.order
        if not key or order is None or (is_odd is not None and is_odd(line)):
            continue
        form = (
            read.stream, read.kind, tuple(key), None if fields is None else tuple(fields), order.kind,
            order.position is None, order.minor is None, read.watermark is None, read.observed_at is None,
        )  # fmt: skip
        sheaf = forms[form] if form in forms else forms.setdefault(form, _begun(decoder, read))
        if sheaf is not None:
            sheaf.read.append(read)
            sheaf.indexes.append(index)
    return [sheaf for begun in forms.values() if begun is not None for sheaf in _plain(begun, lines)]


def _begun(decoder: LineDecoder, read: Line) -> Sheaf | None:
    """An empty sheaf for lines of this one's form; None when no line of the form is plain."""
    order = read.order
    assert order is not None
    is_placed = order.position is not None if order.kind in (None, "event") else order.kind == "read"
    if read.kind not in KEYED or not is_placed or (order.kind == "read" and read.watermark is None):
        return None
    object_, shape = decoder.object_of(read.stream), decoder.shape_of(tuple(read.key or ()), tuple(read.fields or ()))
    return None if object_ is None or shape is None or shape.shared else Sheaf(object_, shape, [], [])


def _plain(sheaf: Sheaf, lines: Sequence[bytes]) -> Iterator[Sheaf]:
    """The sheaf with its columns, without the lines that turn out to be doubtful."""
    if len(sheaf.read) < _lines_min:
        return
    raw = pa.array([lines[index] for index in sheaf.indexes], pa.binary())
    told = [read.key for read in sheaf.read], [read.fields for read in sheaf.read]
    columns = [column for part in told for column in zip(*(one.values() for one in part if one), strict=True)]
    texts = [list(map(bytes, column)) for column in columns]
    sheaf.raw = raw
    sheaf.values = {name: pa.array(text, pa.string()) for name, text in zip(sheaf.shape.names, texts, strict=True)}
    doubtful = _doubtful_keys(texts[: sheaf.shape.key_count]) | _doubtful_names(sheaf, lines, texts)
    if doubtful:
        sheaf = _without(sheaf, doubtful)
    if sheaf.read:
        yield sheaf


def _doubtful_keys(texts: Sequence[Sequence[bytes]]) -> set[int]:
    return {at for text in texts for at, value in enumerate(text) if value[0] != _QUOTE and not is_key_scalar(value)}


def _doubtful_names(sheaf: Sheaf, lines: Sequence[bytes], texts: Sequence[Sequence[bytes]]) -> set[int]:
    """Lines that may bear a name twice in one object, or may be nested too deep.

    A line has a colon for each member that the decoder took notice of, and those within its strings and values. A value
    that is decoded and encoded again has lost the first of two members of one name. So one colon more than that is a
    name that stands twice somewhere.
    """
    first = sheaf.read[0]
    of_form = members_seen(first) + "".join([first.stream, *sheaf.shape.names]).count(":")
    observed = [(read.observed_at or "").encode("utf-8", "replace") for read in sheaf.read]
    is_flat = [_OPENS.isdisjoint({value[0] for value in text}) for text in texts]
    flat = [observed, *compress(texts, is_flat)]
    mixed = list(compress(texts, map(not_, is_flat)))
    doubtful: set[int] = set()
    for start in range(0, len(sheaf.read), _stroke_lines):
        stroke = slice(start, start + _stroke_lines)
        whole = [lines[index] for index in sheaf.indexes[stroke]]
        colons = [line.count(b":") for line in whole]
        parts = [value for text in mixed for value in text[stroke]]
        nested = [value for value in parts if value[0] in _OPENS]
        plain_ones = [value for text in flat for value in text[stroke]] + [v for v in parts if v[0] not in _OPENS]
        known = of_form * len(whole) + b",".join(plain_ones).count(b":")
        if any(map(_hides_colons, whole)) or sum(colons) != known + _colons_kept(nested):
            doubtful.update(range(start, start + len(whole)))
        elif nested:
            deep = zip(whole, colons, strict=True)
            doubtful.update(start + at for at, (line, count) in enumerate(deep) if _may_be_deep(line, count))
    return doubtful


def _colons_kept(values: Sequence[bytes]) -> int:
    """The colons in these values when they are decoded and encoded again; -1 where one of them cannot be."""
    if not values:
        return 0
    try:
        return _encoded(_decoded(b"[" + b",".join(values) + b"]")).count(b":")
    except (ValueError, RecursionError):  # a number that no float holds, say
        return -1


def _hides_colons(line: bytes) -> bool:
    """Whether a colon may be written as an escape, which would spoil the counting."""
    return b"\\" in line and (b"\\u003a" in line or b"\\u003A" in line)


def _may_be_deep(line: bytes, colons: int) -> bool:
    """An object within an object stands behind a colon."""
    return len(line) > 2 * strict.depth_max and line.count(b"[") + colons > strict.depth_max


def _without(sheaf: Sheaf, doubtful: set[int]) -> Sheaf:
    kept = [at for at in range(len(sheaf.read)) if at not in doubtful]
    take = pa.array(kept, pa.int64())
    return Sheaf(
        sheaf.object,
        sheaf.shape,
        [sheaf.read[at] for at in kept],
        [sheaf.indexes[at] for at in kept],
        sheaf.raw.take(take),
        {name: column.take(take) for name, column in sheaf.values.items()},
    )
