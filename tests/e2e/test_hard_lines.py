"""Lines that a source should never have written, and what must not come of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.killed import run_once
from tieout.merge.duckdb import DuckDBReader
from tieout.run.project import load_project

Change = dict[str, Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "tieout.yaml").write_text("project: hard\nsources:\n  erp: {type: changes, path: ./inbox}\n")
    return tmp_path


def drop(root: Path, name: str, *changes: Change | str) -> None:
    lines = [change if isinstance(change, str) else json.dumps(change) for change in changes]
    (root / "inbox" / name).write_text("\n".join(lines) + "\n")


def image(key: Any, position: int, stream: str = "erp.account", **fields: Any) -> Change:
    return {"stream": stream, "key": {"id": key}, "kind": "image", "fields": fields, "order": {"position": position}}


def query(root: Path, statement: str) -> list[dict[str, Any]]:
    reader = DuckDBReader(load_project(root, environ=os.environ).warehouse)
    try:
        rows: list[dict[str, Any]] = reader.query(statement).to_pylist()
        return rows
    finally:
        reader.close()


def test_a_sweep_with_a_key_of_the_wrong_type_deletes_nothing(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), image("B", 1, name="b"))
    run_once(root)
    begin = {"stream": "erp.account", "sweep": {"id": "s", "part": "begin", "watermark": 9}}
    end = {"stream": "erp.account", "sweep": {"id": "s", "part": "end", "watermark": 9, "rows": 2}}
    drop(root, "2.ndjson", begin, image("A", 5, name="a"), image(17, 5, name="b"), end)

    run_once(root)

    assert query(root, "select id from latest.erp__account where not _deleted order by id") == [
        {"id": "A"},
        {"id": "B"},
    ]
    faults = [row["_fault"].partition(":")[0] for row in query(root, "select _fault from quarantine.erp__account")]
    assert sorted(faults) == ["sweep_not_certified", "wrong_type"]


def test_a_sweep_that_is_whole_deletes_what_it_left_out(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), image("B", 1, name="b"))
    begin = {"stream": "erp.account", "sweep": {"id": "s", "part": "begin", "watermark": 9}}
    end = {"stream": "erp.account", "sweep": {"id": "s", "part": "end", "watermark": 9, "rows": 1}}
    drop(root, "2.ndjson", begin, image("A", 5, name="a"), end)

    run_once(root)

    assert query(root, "select id from latest.erp__account where not _deleted") == [{"id": "A"}]


def test_a_stream_that_has_shown_only_unreadable_lines_does_not_stop_the_others(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), '{"stream": "erp.torn", "key": {"id": ')

    (outcome,) = run_once(root)

    assert outcome.outcome == "complete"
    assert query(root, "select count(*) as n from latest.erp__account") == [{"n": 1}]
    assert query(root, "select count(*) as n from quarantine.erp__torn") == [{"n": 1}]


def test_such_a_stream_gets_its_own_columns_when_it_can_be_read(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), '{"stream": "erp.torn", "key": {"id": ')
    run_once(root)
    drop(root, "2.ndjson", image("T", 1, "erp.torn", size=3))

    run_once(root)

    assert query(root, "select id, size from latest.erp__torn") == [{"id": "T", "size": 3}]
    assert query(root, "select count(*) as n from quarantine.erp__torn") == [{"n": 1}]


def test_two_streams_that_would_share_a_table_are_refused(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), image("A", 1, "erp.Account", name="a"))

    (outcome,) = run_once(root)

    assert (outcome.outcome, outcome.exit_code) == ("failed", 2)
    assert "differ in upper and lower case" in outcome.reason
