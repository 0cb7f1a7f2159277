"""What a source promises, kept by a folder of changes: pieces that chain, nothing twice, nothing lost or raised.

`test_s3_changes.py` asks the same of a bucket.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.base.change import CAPTURED
from tieout.base.cursor import Cursor
from tieout.base.errors import Misconfigured
from tieout.capture.changes import described
from tieout.capture.changes import source as source_module
from tieout.capture.changes.folder import Folder
from tieout.capture.changes.inbox import Inbox
from tieout.capture.changes.piece import Limits
from tieout.capture.changes.source import ChangesSource
from tieout.capture.source import Captured

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Row = dict[str, Any]


class Noon:
    def now(self) -> datetime:
        return NOON

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a source of files has nothing to wait for")


INBOX: Callable[[Path], Inbox] = Folder
"""What reads the files that a test puts into a folder."""


def source(folder: Path, limits: Limits | None = None) -> ChangesSource:
    return ChangesSource("erp", INBOX(folder), Noon(), limits=limits or Limits())


def change(key: int, stream: str = "erp.account", /, **members: Any) -> str:
    told = {
        "stream": stream,
        "kind": "image",
        "key": {"id": key},
        "fields": {"amount": key},
        "order": {"position": key},
    }
    return json.dumps({**told, **members})


def put(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    beside.replace(path)
    return path


def captures(source: ChangesSource, progress: dict[str, Cursor]) -> Iterator[Captured]:
    """Captures as a worker does: each piece is registered before the next one is asked for."""
    for captured in source.capture(progress, until=source.bound()):
        assert progress.get(captured.after.track) == captured.before
        assert captured.after.position == (captured.before.position if captured.before else 0) + 1
        progress[captured.after.track] = captured.after
        yield captured


def rows_of(captured: Iterable[Captured]) -> list[Row]:
    """Every row with its object and without the columns that it says nothing of, in the order of its file."""
    rows = [
        {"object": object_} | {name: value for name, value in row.items() if value is not None}
        for piece in captured
        for object_, table in piece.tables.items()
        for row in table.to_pylist()
    ]
    return sorted(rows, key=lambda row: (row["_origin"], row["_ordinal"]))


def read(source: ChangesSource, progress: dict[str, Cursor]) -> list[Row]:
    return rows_of(captures(source, progress))


def test_every_line_is_captured_once_under_its_object(tmp_path: Path) -> None:
    put(tmp_path, "b.ndjson", change(1), change(2, "erp.invoice"))
    put(tmp_path, "sub/a.ndjson", change(3))
    progress: dict[str, Cursor] = {}

    rows = read(source(tmp_path), progress)

    assert [(row["object"], row["_origin"], row["_ordinal"], row["id"]) for row in rows] == [
        ("account", "b.ndjson", 1, "1"),
        ("invoice", "b.ndjson", 2, "2"),
        ("account", "sub/a.ndjson", 1, "3"),
    ]
    assert not read(source(tmp_path), progress)


def test_a_table_has_the_shape_of_captured_tables(tmp_path: Path) -> None:
    path = put(tmp_path, "a.ndjson", change(1, observed_at="2026-01-01T01:00:00+01:00"), change(2))

    (piece,) = captures(source(tmp_path), {})

    table = piece.tables["account"]
    assert table.schema.names == [*CAPTURED.names, "id", "amount"]
    assert [field.type for field in table.schema][: len(CAPTURED)] == CAPTURED.types
    assert table["_observed_at"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC), NOON]
    assert table["_raw"].to_pylist() == path.read_bytes().splitlines()
    assert (piece.epoch, piece.encoding) == (0, "json")


def test_a_time_is_read_alike_whatever_its_neighbours(tmp_path: Path) -> None:
    good = ["2026-11-20T10:00:00.1234567Z", "2026-11-20T11:00:00.123456+01:00", "20261120T100000.123456Z"]
    bad = ["", "noon", "2026-11-20T10:00:00", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", "\0"]
    put(tmp_path, "a.ndjson", *(change(1, observed_at=text) for text in good + bad))

    rows = read(source(tmp_path), {})

    assert {row["_observed_at"] for row in rows[:3]} == {datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)}
    assert ["_fault" in row for row in rows] == [False] * 3 + [True] * 6
    assert all(row["_fault"].startswith("bad_time: ") for row in rows[3:])


def test_names_that_are_not_for_us_are_passed_over(tmp_path: Path) -> None:
    for name in (".a.ndjson", "_a.ndjson", "a.ndjson.tmp", "a.csv", "_sub/a.ndjson", "sub.tmp/a.ndjson"):
        put(tmp_path, name, change(1))
    (tmp_path / "folder.ndjson").mkdir()

    assert not read(source(tmp_path), {})


def test_a_file_that_appears_after_the_bound_waits(tmp_path: Path) -> None:
    put(tmp_path, "b.ndjson", change(1))
    reading = source(tmp_path)
    bound = reading.bound()
    put(tmp_path, "a.ndjson", change(2))

    assert [row["_origin"] for row in rows_of(reading.capture({}, until=bound))] == ["b.ndjson"]


def test_a_replaced_file_is_read_again_whole(tmp_path: Path) -> None:
    progress: dict[str, Cursor] = {}
    before = put(tmp_path, "a.ndjson", change(1)).stat()
    read(source(tmp_path), progress)

    os.utime(put(tmp_path, "a.ndjson", change(7)), ns=(before.st_atime_ns, before.st_mtime_ns))

    assert [row["id"] for row in read(source(tmp_path), progress)] == ["7"]
    assert not read(source(tmp_path), progress)


def test_a_file_that_was_only_touched_is_not_read_again(tmp_path: Path) -> None:
    progress: dict[str, Cursor] = {}
    path = put(tmp_path, "a.ndjson", change(1))
    read(source(tmp_path), progress)

    os.utime(path, ns=(1, 1))

    assert not read(source(tmp_path), progress)
    assert not list(captures(source(tmp_path), progress))


def test_a_file_that_changes_while_it_is_read_in_pieces_is_read_anew(tmp_path: Path) -> None:
    put(tmp_path, "a.ndjson", change(1), change(2), change(3))
    progress: dict[str, Cursor] = {}
    next(captures(source(tmp_path, Limits(lines=1)), progress))

    put(tmp_path, "a.ndjson", change(4), change(5))

    assert [row["id"] for row in read(source(tmp_path), progress)] == ["4", "5"]


def test_a_file_is_told_apart_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    before: dict[str, Cursor] = {}
    after: dict[str, Cursor] = {}
    renamed, gone = put(tmp_path, "a.ndjson", change(1)), put(tmp_path, "b.ndjson", change(2))
    read(source(tmp_path), before)

    renamed.rename(tmp_path / "c.ndjson")
    gone.unlink()
    read(source(tmp_path), after)

    assert source(tmp_path).apart(before.values(), after.values()) == (before["b.ndjson"],)
    assert not read(source(tmp_path), after)


def test_a_file_without_lines_is_noted_once(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"\xef\xbb\xbf \r\n\n")
    progress: dict[str, Cursor] = {}

    assert [piece.tables for piece in captures(source(tmp_path), progress)] == [{}]
    assert not list(captures(source(tmp_path), progress))


def test_a_parquet_file_that_cannot_be_read_is_one_faulty_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    pq.write_table(
        pa.table({"stream": ["erp.account"], "kind": ["delete"], "key": ['{"id": 1}'], "position": [4]}),
        tmp_path / "b.parquet",
    )
    progress: dict[str, Cursor] = {}

    bad, good = read(source(tmp_path), progress)

    assert (bad["object"], bad["_origin"]) == ("_unreadable", "a.parquet")
    assert bad["_fault"].startswith("bad_file: ")
    assert (good["object"], good["_kind"], good["_position"], good["id"]) == ("account", "delete", 4, "1")
    assert not read(source(tmp_path), progress)


def test_a_line_that_names_no_stream_goes_to_the_one_named_last_before_it_else_after(tmp_path: Path) -> None:
    put(tmp_path, "a.ndjson", "?", change(1, "crm.x"), change(1, "erp.b"), "?", change(1, "erp.a"), "?")
    put(tmp_path, "b.ndjson", "?", "?")

    for lines in (1, 100):
        rows = read(source(tmp_path, Limits(lines=lines)), {})
        assert [row["object"] for row in rows] == ["b", "b", "b", "b", "a", "a", "_unreadable", "_unreadable"]


def test_a_line_that_is_too_long_is_faulty_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.capture.changes.ndjson.line_bytes_max", 3 << 20)
    put(tmp_path, "a.ndjson", change(1), change(2, fields={"text": "x" * (5 << 20)}), change(3))

    first, long, last = read(source(tmp_path), {})

    assert (first["id"], last["id"], last["_ordinal"]) == ("1", "3", 3)
    assert long["_fault"].startswith("undecodable: the line has 52")
    assert (long["object"], len(long["_raw"])) == ("account", 64 << 10)


def test_lines_with_names_of_their_own_do_not_make_a_table_too_wide(tmp_path: Path) -> None:
    put(tmp_path, "a.ndjson", *(change(at, fields={f"c{at}_{n}": n for n in range(50)}) for at in range(40)))

    pieces = list(captures(source(tmp_path, Limits(cells=2_000)), {}))

    assert sum(piece.tables["account"].num_rows for piece in pieces) == 40
    assert all(table.num_rows * table.num_columns <= 2_000 for piece in pieces for table in piece.tables.values())


def test_a_cut_tells_everything_again_of_the_objects_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "a.ndjson", change(1), change(2, "erp.invoice"))
    put(tmp_path, "b.ndjson", change(3))
    reading = source(tmp_path)
    read(reading, {})

    with reading.cut(("account",)) as cut:
        told = rows_of(cut.tell(("account",)))

    assert [(row["object"], row["id"]) for row in told] == [("account", "1"), ("account", "3")]
    assert (cut.bound, cut.unable) == (reading.bound(), ())


def test_objects_are_described_as_their_lines_show_them(tmp_path: Path) -> None:
    values = [
        {"n": 1, "big": 2**63, "part": 1.5, "flag": True, "tree": {"a": 1}, "mixed": 1, "none": None, "N": 1},
        {"n": -2, "big": 1, "part": 2, "flag": None, "tree": [], "mixed": "x", "later": "x"},
    ]
    lines = [change(0, "erp.z", key={"b": "x", "a": 7}, fields=fields) for fields in values]
    put(tmp_path, "a.ndjson", "?", '{"stream": "erp.truncated", "kind": "truncate", "order": {"position": 1}}', *lines)
    put(tmp_path, "b.ndjson", change(1))

    account, z = source(tmp_path).describe()

    assert (account.object, account.key) == ("account", ("id",))
    assert z.key == ("b", "a")
    assert {column.name: (str(column.type), column.required) for column in z.columns} == {
        "b": ("text", True),
        "a": ("bigint", True),
        "n": ("bigint", False),
        "big": ("numeric", False),
        "part": ("numeric", False),
        "flag": ("boolean", False),
        "tree": ("json", False),
        "mixed": ("json", False),
        "none": ("text", False),
        "later": ("text", False),
    }


def test_an_object_that_comes_up_behind_a_long_one_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(described, "sample_lines", 50)
    monkeypatch.setattr(source_module, "block_lines_max", 40)
    many = [change(number, fields={"late": 1} if number >= 90 else {"n": 1}) for number in range(200)]
    put(tmp_path, "a.ndjson", *many, change(1, "erp.short"), change(2, "erp.short", fields={"m": True}))

    account, short = source(tmp_path).describe()

    assert [column.name for column in account.columns] == ["id", "n"]
    assert {"id", "m"} <= {column.name for column in short.columns}


def test_what_is_described_follows_the_folder(tmp_path: Path) -> None:
    reading = source(tmp_path)
    assert reading.describe() == ()

    put(tmp_path, "a.ndjson", change(1))

    assert [one.object for one in reading.describe()] == ["account"]


def test_a_folder_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        source(tmp_path / "inbx").bound()


def test_it_does_not_reread(tmp_path: Path) -> None:
    assert not ChangesSource.rereads
    with pytest.raises(Misconfigured):
        source(tmp_path).reread({"account": ('["1"]',)})


def sweep(part: str, **members: Any) -> str:
    return json.dumps({"stream": "erp.account", "sweep": {"id": "s", "part": part, "watermark": 50, **members}})


LINE = st.one_of(
    st.integers(0, 99).map(lambda key: change(key).encode()),
    st.integers(0, 99).map(lambda key: change(key, "erp.invoice", kind="patch").encode()),
    st.integers(0, 99).map(lambda key: change(key, extra=1).encode()),
    st.sampled_from([change(1, "crm.x"), change(1)[:60], change(1, observed_at="noon"), "", " \t"]).map(str.encode),
    st.sampled_from([sweep("begin"), sweep("end"), sweep("end", rows=2)]).map(str.encode),
    st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")),
)
FILE = st.tuples(st.lists(LINE, max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.booleans()).map(
    lambda told: told[1].join(told[0]) + (told[1] if told[2] else b"")
)
ANY_BYTES = FILE | st.binary(max_size=300)


def test_a_piece_tells_where_the_sweep_began_that_goes_on_in_it(tmp_path: Path) -> None:
    progress: dict[str, Cursor] = {}
    limits = Limits(lines=1)
    put(tmp_path, "a.ndjson", change(0), change(1))
    list(captures(source(tmp_path, limits), progress))
    put(tmp_path, "a.ndjson", change(2), sweep("begin"), change(3), sweep("end", rows=1), change(4))

    first = [next(captures(source(tmp_path, limits), progress)) for _ in range(3)]
    rest = list(captures(source(tmp_path, limits), progress))

    assert [piece.since for piece in (*first, *rest)] == [2, 3, 3, 3, 6]


SIZES = st.builds(Limits, lines=st.integers(1, 5), bytes=st.integers(1, 500), cells=st.integers(1, 200))


@given(data=ANY_BYTES)
def test_any_bytes_give_one_row_for_every_line_that_is_not_blank(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.ndjson").write_bytes(data)

        rows = read(source(Path(folder)), {})

    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [row["_ordinal"] for row in rows] == [at for at, line in enumerate(lines, 1) if line.strip(b" \t\r")]


@given(data=ANY_BYTES, limits=SIZES, stop=st.integers(0, 5))
def test_pieces_of_any_size_and_a_stop_after_any_piece_give_the_same_rows(
    data: bytes, limits: Limits, stop: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.ndjson").write_bytes(data)
        whole = read(source(folder), {})
        progress: dict[str, Cursor] = {}

        first = [piece for piece, _ in zip(captures(source(folder, limits), progress), range(stop), strict=False)]
        progress = {piece.after.track: piece.after for piece in first}  # what was asked for beyond is forgotten
        rest = list(captures(source(folder), progress))

    assert rows_of([*first, *rest]) == whole
