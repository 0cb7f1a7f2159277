"""Judging: captured text becomes typed, keyed, ordered and hashed changes; the floor only casts the columns.

The guess, on paper: to cast a million rows of eight columns takes 0.7 CPU-s. On top come a pattern over each typed
text (six a row, 150 ns each: 0.9 s), three numbers in hexadecimal (0.5 s), the text that is hashed (250 bytes: 0.5 s),
SHA-256 without help of the processor (250 MB/s: 1 s), faults (0.3 s), and the sum of the ids (0.2 s). So 4 CPU-s, six
times the floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from tieout.contract.judge import judge

from .shop import CONTRACT, SQL, captured, content_of
from .timing import Content, Pair, Trial, Watch


@contextmanager
def _trial(rows: int) -> Iterator[Trial]:
    told = captured(rows, position=1)

    def subject(watch: Watch) -> Content:
        with watch:
            judged = judge(told, CONTRACT, encoding="text", epoch=1)
        assert judged.changes["_fault"].null_count == rows, "an order was taken for faulty"
        return content_of(judged.changes)

    def floor(watch: Watch) -> Content:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            with watch:
                connection.register("captured", told)
                cast = connection.sql(SQL("cast_only")).to_arrow_table()
        return content_of(cast)

    yield Trial(subject, floor)


PAIRS = (Pair("judge", 1_000_000, 6.0, "the casts alone, in DuckDB", _trial),)
