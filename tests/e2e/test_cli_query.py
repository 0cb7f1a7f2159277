"""`tieout query`: every value in the form that is promised, at any time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import image, project, stop

VALUES = {
    "cast('45000.00' as decimal(18, 2))": "45000.00",
    "9223372036854775807": 9223372036854775807,
    "sum(9223372036854775807)": 9223372036854775807,
    "1.5::double": 1.5,
    "'nan'::double": "NaN",
    "timestamptz '2026-11-20 10:00:00+02'": "2026-11-20T08:00:00Z",
    "timestamp '2026-11-20 10:00:00.5'": "2026-11-20T10:00:00.500000",
    "date '2026-11-20'": "2026-11-20",
    "date '12026-11-20'": "+12026-11-20",
    "'\\x0A\\xFF'::blob": "\\x0aff",
    "{'a': [1, null]}": {"a": [1, None]},
    "null": None,
    "'é'": "é",
}


def test_every_value_has_the_form_that_is_promised(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))
    books.tieout("run", "--once")

    (row,) = books.query("select " + ", ".join(VALUES))

    assert row == list(VALUES.values())


def test_the_warehouse_is_read_while_a_worker_holds_it(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="45000.00"))

    with books.worker() as worker:
        answer = books.json("query", "select id, amount from latest.erp__account")
        status = books.status()
        stop(worker)

    assert answer == {"columns": ["id", "amount"], "rows": [["A", "45000.00"]]}
    assert status["state"] == "complete"


@pytest.mark.parametrize(
    "sql", ["delete from latest.erp__account", "selec 1", "select 1; select 2", "select * from nowhere"]
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, sql: str) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))
    books.tieout("run", "--once")

    assert books.json("query", sql, code=2)["error"]["message"]


def test_before_the_first_run_there_is_nothing_to_read(tmp_path: Path) -> None:
    error = project(tmp_path, within=True).json("query", "select 1", code=2)["error"]

    assert error["hint"] == "Run `tieout run --once` first."


def test_a_person_sees_a_table(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a\u001b[31m"))
    books.tieout("run", "--once")

    said = books.tieout("query", "select id, name from latest.erp__account")

    assert "(1 row)" in said.out
    assert "a\\x1b[31m" in said.out
