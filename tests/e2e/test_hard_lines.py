"""Lines that a source should never have written, and what must not come of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.killed import run_once
from tieout.base.stream import Stream
from tieout.merge.duckdb import DuckDBReader
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.project import load_project
from tieout.run.replay import rebuild

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


def test_a_key_that_cannot_be_read_outside_a_sweep_does_not_hold_it_back(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, name="a"), image("B", 1, name="b"))
    run_once(root)
    drop(root, "2.ndjson", image(17, 5, name="of a file that is replaced"))
    run_once(root)
    begin = {"stream": "erp.account", "sweep": {"id": "s", "part": "begin", "watermark": 9}}
    end = {"stream": "erp.account", "sweep": {"id": "s", "part": "end", "watermark": 9, "rows": 1}}
    drop(root, "2.ndjson", image(18, 5, name="before"), begin, image("A", 5, name="a"), end, image(19, 5, name="after"))

    run_once(root)

    assert query(root, "select id from latest.erp__account where not _deleted") == [{"id": "A"}]


@pytest.mark.parametrize("kind", ["image", "patch", "undelete"])
def test_a_sweep_spares_the_row_that_it_mentions_by_a_line_for_quarantine(root: Path, kind: str) -> None:
    drop(root, "1.ndjson", image("A", 1, size=1), image("B", 1, size=2))
    run_once(root)
    begin = {"stream": "erp.account", "sweep": {"id": "s", "part": "begin", "watermark": 9}}
    end = {"stream": "erp.account", "sweep": {"id": "s", "part": "end", "watermark": 9, "rows": 1}}
    drop(root, "2.ndjson", begin, {**image("A", 5, size="no number"), "kind": kind}, end)

    run_once(root)

    assert query(root, "select id, size from latest.erp__account where not _deleted") == [{"id": "A", "size": 1}]
    assert query(root, "select count(*) as n from quarantine.erp__account") == [{"n": 1}]


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


def test_the_shadow_of_a_rebuild_is_never_the_table_of_another_stream(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, size=1), image("B", 1, "erp.account#shadow", size=2))
    run_once(root)

    with opened(load_project(root, environ=os.environ), SystemClock()) as house:
        rebuild(house, only=Stream("erp", "account"))

    assert query(root, 'select id from latest."erp__account#shadow"') == [{"id": "B"}]


def test_a_file_that_breaks_off_in_its_midst_keeps_its_first_rows(root: Path) -> None:
    count = 20_000
    keys = [json.dumps({"id": at}) for at in range(count)]
    table = {"stream": ["erp.account"] * count, "kind": ["image"] * count, "key": keys, "position": list(range(count))}
    path = root / "inbox" / "1.parquet"
    pq.write_table(pa.table(table), path, row_group_size=5_000, compression="none", use_dictionary=False)
    start = pq.read_metadata(path).row_group(3).column(2).data_page_offset
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 60)

    (outcome,) = run_once(root)

    assert outcome.outcome == "complete"
    (held,) = query(root, "select count(*) as n from latest.erp__account")
    assert 0 < held["n"] == outcome.merged - 1
    assert query(root, "select _raw from quarantine.erp__account") == [{"_raw": b""}]


def test_a_contract_that_its_tables_do_not_fit_does_not_keep_the_other_streams(root: Path) -> None:
    drop(root, "1.ndjson", image("A", 1, size=1), image("A", 1, "erp.other", size=1))
    run_once(root)
    contract = root / "contracts" / "erp" / "other.yaml"
    contract.write_text(contract.read_text().replace("bigint", "text").replace("integer", "string"))
    drop(root, "2.ndjson", image("B", 1, size=1), image("B", 1, "erp.other", size="1"))
    run_once(root)
    drop(root, "3.ndjson", image("C", 1, size=1))

    (outcome,) = run_once(root)

    assert (outcome.outcome, outcome.exit_code) == ("failed", 2)
    assert query(root, "select count(*) as n from latest.erp__account") == [{"n": 3}]


def test_hidden_files_beside_the_contracts_are_none(root: Path) -> None:
    (root / "contracts" / "erp").mkdir(parents=True)
    (root / "contracts" / "erp" / "._account.yaml").write_bytes(b"\x00\x05")
    drop(root, "1.ndjson", image("A", 1, size=1))

    (outcome,) = run_once(root)

    assert outcome.outcome == "complete"
