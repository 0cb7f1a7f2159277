"""Lines told in sheaves are told as the exact decoder tells them one by one, whatever lies between them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tieout.capture.changes import sheaf
from tieout.capture.changes.folder import Folder
from tieout.capture.changes.line import LineDecoder
from tieout.capture.changes.ndjson import NdjsonLines
from tieout.capture.changes.reading import Ahead, Place, read
from tieout.capture.changes.sheaf import sheaves
from tieout.capture.changes.source import ChangesSource
from tieout.capture.changes.table import captured, joined

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


VALUES = [
    b'"text"', b'""', b'"a: b"', b'"\\"x\\": 1"', b'"\\u0022:"', b'"\\u003a"', b'"\\u003A"', b'"\\u00e4\\n"',
    "\"sp\u00e4\u0165\"".encode(),
    b'"\\ud83d\\ude00"', b"1", b"-0", b"1.10", b"1e400", b"1E+5", b"123456789012345678901234567890", b"true", b"null",
    b"{}", b"[]", b'{"a": 1.10, "b": {"c": [1, 2]}}', b'[{"a": 1}, {"a": 2, "b": "x:y"}]', b'{"a":{"b":1},"b":2}',
    b'{"a": 1e400, "b": 1}', b'{"a:b": 1, "c": "d:e"}', b'{"\\u003a": 1, "x": 2}',
    b'{"a": "{", "b": "}"}', b'{"x" : 1}',
    b"[" * 190 + b"]" * 190, b"[" * 230 + b"]" * 230, b'{"a":' * 199 + b"1" + b"}" * 199, b"[1,[2,[3]]]",
]  # fmt: skip
BROKEN_VALUES = [
    b'{"a": 1, "a": 2}', b'{"x": [{"b": 1, "b": 1}]}', b'{"a": 1, "\\u0061": 2}', b'{"a\\u003a": 1, "k": 1, "k": 2}',
    b'{"n": "\\u003a", "k": 1, "k": 2}', b'"\\ud800"', b'{"\\ud800": 1}', b'"\\q"', b'"\x01"',
    b"01", b"NaN", b"tru", b"[1,]", b'"\xff"', b"{",
]  # fmt: skip
NAMES = [b"id", b"a", b"b", b"a:b", b"\\u0061", b"x\\u003ay", "\u00e4".encode(), b"_order", b"", b"__x", b"long" * 300]

value = st.sampled_from(VALUES) | st.sampled_from(VALUES[:1]) | st.sampled_from(BROKEN_VALUES)
key_value = st.sampled_from([b'"A1"', b'"A:2"', b"7", b"true", b"null", b"1.5", b"{}", b'"\\u0041"'])
kind = st.sampled_from([b"image"] * 4 + [b"patch", b"delete", b"undelete", b"truncate", b"gap", b"upsert", b"mark"])
stream = st.sampled_from([b"erp.account"] * 6 + [b"erp.contact", b"crm.x", b"account", b"erp.a:b"])
order = st.sampled_from(
    [b'{"position": 5}'] * 4
    + [b'{"position": 5, "minor": 2}', b'{"position": 9, "class": "read"}', b'{"class": "read"}', b'{"class": "odd"}',
       b'{"position": 5, "class": "event"}', b'{"position": null}', b'{"position": 5, "position": 6}', b"{}",
       b'{"position": 1e3}', b'{"position": 99999999999999999999}', b"null"]
)  # fmt: skip
more = st.sampled_from(
    [b""] * 8
    + [b', "watermark": 7', b', "watermark": null', b', "observed_at": "2026-11-20T10:00:00Z"',
       b', "observed_at": "late"',
       b', "observed_at": "2026-11-20T10\\u003a00:00Z"', b', "ordr": 1', b', "kind": "image"',
       b', "fields": {}', b', "fields": null', b" "]
)  # fmt: skip


def members(names: st.SearchStrategy[bytes], of: st.SearchStrategy[bytes], **size: int) -> st.SearchStrategy[bytes]:
    one = st.tuples(names, of).map(lambda pair: b'"' + pair[0] + b'": ' + pair[1])
    return st.lists(one, **size).map(lambda told: b"{" + b", ".join(told) + b"}")


fields = members(st.sampled_from(NAMES[:4] * 3 + NAMES), value, max_size=4)
key = st.just(b'{"id": "A1"}') | members(st.sampled_from([b"id", b"line", b"b"]), key_value, max_size=2)
change = st.builds(
    lambda *parts: b'{"stream": "%b", "kind": "%b", "key": %b, "fields": %b, "order": %b%b}' % parts,
    stream, kind, key, fields, order, more,
)  # fmt: skip
PLAIN = (
    b'{"stream": "erp.account", "key": {"id": "A%d"}, "kind": "image", '
    b'"fields": {"name": "n", "at": "10:00", "doc": %b}, "order": {"position": %d}}'
)
plain = st.builds(lambda n, doc: PLAIN % (n, doc, n), st.integers(1, 99), st.sampled_from(VALUES[-12:]))
sweep = st.sampled_from(
    [
        b'{"stream": "erp.account", "sweep": {"id": 1, "part": "%b", "watermark": 50}}' % part
        for part in (b"begin", b"end")
    ]
)
odd_line = st.sampled_from(
    [b"", b"  ", b"\r", b"not json", b"{}", b"[]", b'{"stream" : "erp.contact"}', b"\xff", PLAIN % (1, b"2", 3) + b" x"]
)
line = st.one_of(plain, plain, change, change, odd_line)


def one_by_one(data: bytes) -> dict[str, pa.Table]:
    """What the exact decoder alone makes of a file."""
    decoder, lines = LineDecoder("erp"), NdjsonLines(io.BytesIO(data), len(data))
    place, ahead, made = Place(), Ahead(decoder, lines), {}
    while not place.done:
        rows, place = read(decoder, lines.take(place.at, lines_max=50), place, ahead)
        for object_, some in rows.items():
            made.setdefault(object_, []).append(captured(some, origin="a.ndjson", now=NOW))
    return {object_: joined(tables) for object_, tables in made.items()}


def in_sheaves(folder: Path, data: bytes) -> dict[str, pa.Table]:
    """What the source makes of it."""
    (folder / "a.ndjson").write_bytes(data)
    source = ChangesSource("erp", Folder(folder), Clock())
    made: dict[str, list[pa.Table]] = {}
    for piece in source.capture({}, until=source.bound()):
        for object_, table in piece.tables.items():
            made.setdefault(object_, []).append(table)
    return {object_: joined(tables) for object_, tables in made.items()}


@pytest.fixture(autouse=True, scope="module")
def small_sheaves() -> Iterator[None]:
    """So that a few lines are a sheaf, and a sheaf has several strokes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheaf, "_lines_min", 2)
        patch.setattr(sheaf, "_stroke_lines", 3)
        yield


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(line, line, line, line, line, sweep), max_size=40))
@example([PLAIN % (n, b"{}", n) for n in range(9)] + [b"{"] + [PLAIN % (n, b'{"a": 1, "a": 2}', n) for n in range(9)])
@example([b"nobody's"] + [PLAIN % (n, b"{}", n) for n in range(4)] + [b"nobody's either"])
def test_sheaves_tell_what_the_exact_decoder_tells(told: list[bytes]) -> None:
    data = b"\n".join(told)

    with TemporaryDirectory() as folder:
        found = in_sheaves(Path(folder), data)
        expected = one_by_one(data)

    assert found.keys() == expected.keys()
    for object_, table in expected.items():
        assert found[object_].schema.names == table.schema.names
        assert found[object_].to_pylist() == table.to_pylist()
        assert found[object_].equals(table)


def sheaved(*told: bytes) -> int:
    """How many of these lines are told in sheaves."""
    return sum(len(one.indexes) for one in sheaves(LineDecoder("erp"), told, None) or [])


@pytest.mark.parametrize(
    "doc", [value for value in VALUES if len(value) < 100 and b"003" not in value and b"1e400" not in value]
)
def test_a_plain_line_is_told_in_a_sheaf(doc: bytes) -> None:
    assert sheaved(*(PLAIN % (n, doc, n) for n in range(6))) == 6


@pytest.mark.parametrize("doc", BROKEN_VALUES[:5])
def test_a_name_that_stands_twice_is_never_told_in_a_sheaf(doc: bytes) -> None:
    lines = [PLAIN % (n, doc if n == 4 else b"{}", n) for n in range(9)]

    assert sheaved(*lines) == 6  # those of its stroke are looked at one by one


def test_a_value_that_is_nested_too_deep_is_never_told_in_a_sheaf() -> None:
    deep, flat = b"[" * 230 + b"]" * 230, b"[" * 150 + b"]" * 150

    assert sheaved(*(PLAIN % (n, deep, n) for n in range(6))) == 0
    assert sheaved(*(PLAIN % (n, flat, n) for n in range(6))) == 6
