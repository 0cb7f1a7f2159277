"""Parquet rows are the lines that they would have been."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tieout.capture.changes.line import LineDecoder
from tieout.capture.changes.parquet import ParquetLines
from tieout.capture.changes.reading import Ahead, Place, read


def table(**columns) -> pa.Table:
    rows = {
        "stream": ["erp.account", "erp.account"],
        "kind": ["image", "truncate"],
        "key": ['{"id": 1}', None],
        "fields": ['{"amount": 45000.00}', None],
        "position": [5, 6],
    }
    return pa.table({name: value for name, value in {**rows, **columns}.items() if value is not None})


def said(data: bytes, *, lines_max: int = 1_000):
    decoder, lines, place, found = LineDecoder("erp"), ParquetLines(io.BytesIO(data)), Place(), []
    while not place.done:
        rows, place = read(decoder, lines.take(place.at, lines_max=lines_max), place, Ahead(decoder, lines))
        found += [(object_, row.said) for object_, some in rows.items() for row in some]
    return found


def written(parquet: pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(parquet, sink, **options)
    return sink.getvalue()


def test_a_row_is_read_as_its_line() -> None:
    (_, image), (_, truncate) = said(written(table(observed_at=pa.array([datetime(2026, 1, 2, tzinfo=UTC), None]))))

    assert (image.kind, image.position, image.values) == ("image", 5, {"id": b"1", "amount": b"45000.00"})
    assert image.observed_at == "2026-01-02 00:00:00.000000Z"
    assert (truncate.kind, truncate.fault) == ("truncate", None)


@pytest.mark.parametrize("lines_max", [1, 3, 7, 100])
@pytest.mark.parametrize("row_group_size", [1, 4, 100])
def test_rows_are_the_same_however_many_are_taken_at_a_time(lines_max, row_group_size) -> None:
    count = 20
    columns = {"key": [f'{{"id": {at}}}' for at in range(count)], "kind": ["delete"] * count, "fields": None}
    data = written(
        table(**columns, stream=["erp.a"] * count, position=list(range(count))), row_group_size=row_group_size
    )

    assert [line.position for _, line in said(data, lines_max=lines_max)] == list(range(count))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"key": ['{"id": 1}, "kind": "delete"', None]}, "bad_line"),
        ({"key": ['{"id": 1, "id": 2}', None]}, "undecodable: the name id stands twice"),
        ({"key": ["7", None]}, "bad_line"),
        ({"position": [None, 6]}, "bad_order"),
        ({"position": pa.array([2**64 - 1, 6], pa.uint64())}, "bad_line"),
        ({"stream": [None, "erp.account"]}, "bad_line"),
        ({"key": pa.array([b'{"id": "\xff"}', None]).view(pa.string())}, "undecodable: byte 9 of column key"),
    ],
)
def test_a_row_that_breaks_the_rule_is_faulty_and_the_next_goes_on(columns, reason) -> None:
    first, second = [line for _, line in said(written(table(**columns)))]

    assert str(first.fault).startswith(reason)
    assert second.fault is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PAR1 no parquet PAR1",
        written(table())[:-20],
        written(table(extra=[1, 2])),
        written(table(position=[1.5, 2.5])),
        written(table(key=[1, 2])),
        written(table(kind=None)),
    ],
)
def test_a_file_that_cannot_be_read_is_one_faulty_row(data) -> None:
    ((object_, line),) = said(data)

    assert object_ == "_unreadable"
    assert str(line.fault).startswith("bad_file: ")


def test_a_file_that_breaks_off_keeps_the_rows_before() -> None:
    count = 50_000
    whole = bytearray(written(
        table(stream=["erp.a"] * count, kind=["delete"] * count, key=[f'{{"id": {at}}}' for at in range(count)],
              fields=None, position=list(range(count))),
        row_group_size=10_000, compression="zstd",
    ))  # fmt: skip
    start = pq.ParquetFile(io.BytesIO(bytes(whole))).metadata.row_group(3).column(2).data_page_offset
    whole[start : start + 60] = b"\xff" * 60

    *good, (object_, last) = said(bytes(whole))

    assert len(good) >= 1
    assert [line.position for _, line in good] == list(range(len(good)))
    assert object_ == "a"
    assert str(last.fault).startswith("bad_file: ")
