"""Landing: a batch is sealed, named by its hash, synced and renamed; the floor writes and syncs the same Parquet.

The guess, on paper: Parquet with zstd costs 2.5 CPU-s for a million judged rows, most of it for tokens and ids, which
do not compress. SHA-256 of the 100 MB that come of it costs 0.1 to 0.4 CPU-s, the copy into memory first 0.1: a
seventh more than the floor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from tieout.land.local import LocalLanding

from .shop import CONTRACT, content_of, footer_of, judged
from .timing import Content, Pair, Trial, Watch


@contextmanager
def _trial(rows: int) -> Iterator[Trial]:
    found = judged(rows, position=1)
    footer = footer_of(found)

    def subject(watch: Watch) -> Content:
        with TemporaryDirectory() as folder:
            landing = LocalLanding(Path(folder))
            with watch:
                name = landing.put(footer, found.changes)
            return content_of(landing.open(CONTRACT.stream, name).changes)

    def floor(watch: Watch) -> Content:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "orders.parquet"
            with watch, path.open("wb") as file:
                pq.write_table(found.changes, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            return content_of(pq.read_table(path))

    yield Trial(subject, floor)


PAIRS = (Pair("land", 1_000_000, 1.15, "pyarrow.parquet.write_table with zstd, and fsync", _trial),)
