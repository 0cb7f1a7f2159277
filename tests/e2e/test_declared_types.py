"""A contract that gives a column another type than the database has: a read and the log come to the same thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import contract
from tests.e2e.test_drift import contract_at, execute, of_postgres
from tests.e2e.test_mending_again import worker

HEAD = contract("erp.account", key="logicalType: integer, physicalType: bigint")


def column(name: str, type_: str) -> str:
    return f'      - {{name: {name}, logicalType: string, physicalType: "{type_}"}}\n'


@pytest.mark.parametrize(
    ("native", "declared", "value", "told"),
    [
        ("boolean", "text", "true", "t"),
        ("double precision", "text", "1", "1"),
        ("double precision", "numeric", "1e20", "1e+20"),
        ("real", "double", "0.1", 0.1),
        ("timestamptz", "text", "'0044-03-15 12:00+00 BC'", "0044-03-15 12:00:00+00 BC"),
        ("date", "text", "'0044-03-15 BC'", "0044-03-15 BC"),
        ("bytea", "text", r"'\xAB01'", r"\xab01"),
    ],
)
def test_a_value_is_the_same_read_and_logged(
    tmp_path: Path, database: str, native: str, declared: str, value: str, told: object
) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, HEAD + column("said", declared))
    execute(database, f"create table account (id bigint primary key, said {native})")
    execute(database, f"insert into account values (1, {value})")
    books.json("run", "--once")

    execute(database, f"insert into account values (2, {value})")
    books.json("run", "--once")

    assert books.query("select said from latest.erp__account order by id") == [[told], [told]]
    assert [one["state"] for one in books.json("certify")["streams"]] == ["complete"]


@pytest.mark.parametrize(
    ("native", "declared", "value"), [("double precision", "bigint", "1.5"), ("timestamptz", "date", "now()")]
)
def test_a_value_that_the_declared_type_does_not_admit_is_refused_read_and_logged(
    tmp_path: Path, database: str, native: str, declared: str, value: str
) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, HEAD + column("said", declared))
    execute(database, f"create table account (id bigint primary key, said {native})")
    execute(database, f"insert into account values (1, {value})")
    books.json("run", "--once")

    execute(database, f"insert into account values (2, {value})")
    books.json("run", "--once")

    refused = books.query("select distinct _key, split_part(_fault, ':', 1) from quarantine.erp__account order by _key")
    assert refused == [['["1"]', "wrong_type"], ['["2"]', "wrong_type"]]
    assert books.query("select id from latest.erp__account where not _deleted") == []


def test_a_contract_that_is_changed_while_its_stream_is_paused_is_read_by_from_then_on(
    tmp_path: Path, database: str
) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, HEAD + column("said", "boolean") + column("due", "boolean"))
    execute(database, "create table account (id bigint primary key, said boolean, due date)")
    execute(database, "insert into account select n, true, '2026-11-21' from generate_series(1, 200) as n")
    with worker(tmp_path) as step:
        paused = step()
        contract_at(tmp_path, HEAD + column("said", "text") + column("due", "date"))
        mended = [step(), step()]
        execute(database, "insert into account values (201, true, null)")
        last = step()

    assert "200 of 200 rows are wrong_type: due" in paused.reason
    assert last.outcome == "complete", [*mended, last]
    assert books.query("select distinct said from latest.erp__account where not _deleted") == [["t"]]
    assert [one["state"] for one in books.json("certify")["streams"]] == ["complete"]
