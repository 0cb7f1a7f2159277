"""Lines of changes, a kilobyte each and nested: captured alone, and all the way from the file to the current table; the
floor is DuckDB's `read_json` of the same file into a table.

The guess, on paper. The floor parses a gigabyte at half a gigabyte a second and writes it down: 3.5 CPU-s a million.
Capture: to find the members 1.5 CPU-s; each value cut out and copied 1; whether a name stands twice, by decoding what
is nested and encoding it again, 3; UTF-8, hash of the file and the reading 1; the columns 1.5: 8 CPU-s, twice the
floor.

All the way, guessed when the stages had been seen one by one with another file: the judge hashes 700 bytes a row (2.5
CPU-s) beside the 4 that it costs without; sealing and reading back a gigabyte 4; the merge writes each value into
history and into the current rows, 10: with the capture 28 CPU-s, eight times the floor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import duckdb

from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType, Described
from tieout.capture.changes.folder import Folder
from tieout.capture.changes.source import ChangesSource
from tieout.contract import odcs
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.project import load_project
from tieout.run.worker import Worker

from .shop import SQL
from .timing import Content, Pair, Trial, Watch

_STREAM = Stream("web", "visit")
_TYPES = {"id": "text", "user_id": "bigint", "page": "text", "amount": "text", "is_new": "boolean", "doc": "json"}
_WORDS = ("alpha", "beta", "payment", "order", "pre\u010do", "checkout", "refund", "cart")


@contextmanager
def _captured(rows: int) -> Iterator[Trial]:
    with _file(rows) as (root, file):

        def subject(watch: Watch) -> Content:
            source, count = ChangesSource(_STREAM.source, Folder(root / "inbox"), SystemClock()), 0
            with watch:
                for piece in source.capture({}, until=source.bound()):
                    count += piece.tables[_STREAM.object].num_rows
            return (count,)

        def floor(watch: Watch) -> Content:
            return _read(file, watch)[:1]

        yield Trial(subject, floor)


@contextmanager
def _merged(rows: int) -> Iterator[Trial]:
    with _file(rows) as (root, file):

        def subject(watch: Watch) -> Content:
            for kept in sorted((root / ".tieout").rglob("*"), reverse=True):
                kept.rmdir() if kept.is_dir() else kept.unlink()
            project = load_project(root, environ={})
            with watch, opened(project, SystemClock()) as house:
                (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
            assert outcome.outcome == "complete", outcome
            with duckdb.connect(str(project.warehouse), read_only=True) as connection:
                return _content(connection, "merged_visits")

        def floor(watch: Watch) -> Content:
            return _read(file, watch)

        yield Trial(subject, floor)


def _read(file: Path, watch: Watch) -> Content:
    with duckdb.connect(str(file.parent.parent / "floor.duckdb")) as connection:
        connection.execute("drop table if exists visits")
        with watch:
            connection.execute(SQL("read_visits"), {"file": str(file)})
        return _content(connection, "read_as")


def _content(connection: duckdb.DuckDBPyConnection, visits: str) -> Content:
    ((*row,),) = connection.execute(SQL("visits", visits=SQL(visits))).fetchall()
    return tuple(row)


@contextmanager
def _file(rows: int) -> Iterator[tuple[Path, Path]]:
    """A project whose inbox holds one file of so many lines, and that file."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder:
        root = Path(folder)
        file = root / "inbox" / "visits.ndjson"
        file.parent.mkdir()
        (root / "tieout.yaml").write_text(
            f"project: bench\nsources:\n  {_STREAM.source}: {{type: changes, path: inbox}}\n"
        )
        columns = tuple(Column(name, ColumnType.parse(type_), name == "id", type_) for name, type_ in _TYPES.items())
        contract = odcs.find(root, _STREAM)
        contract.parent.mkdir(parents=True)
        contract.write_text(odcs.draft(_STREAM, Described(_STREAM.object, columns, ("id",))))
        dice = Random(1)
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(_line(number, dice) + "\n" for number in range(rows))
        yield root, file


def _line(number: int, dice: Random) -> str:
    words = [dice.choice(_WORDS) for _ in range(35)]
    items = [
        {"sku": f"SKU-{dice.randrange(10**6):06d}", "count": at + 1, "price": at / 100, "tags": words[at : at + 2]}
        for at in range(5)
    ]
    doc = {
        "number": number,
        "browser": {"name": "Firefox", "version": f"128.0.{number % 97}", "screen": {"width": 1920, "height": 1080}},
        "items": items,
        "url": f"https://shop.example/p/{number}?from={words[0]}",
        "flags": {"first": True, "last": None, "share": 1.1},
        "note": " ".join(words[5:]),
    }
    line = {
        "stream": str(_STREAM),
        "key": {"id": f"V{number:09d}"},
        "kind": "image",
        "fields": {
            "user_id": dice.randrange(10**7),
            "page": words[0],
            "amount": "12.30",
            "is_new": number % 3 == 0,
            "doc": doc,
        },
        "order": {"position": number},
    }
    return json.dumps(line, ensure_ascii=False)


PAIRS = (
    Pair("lines", 200_000, 2.0, "DuckDB's read_json into a table", _captured),
    Pair("lines_merged", 200_000, 8.0, "DuckDB's read_json into a table", _merged),
)
