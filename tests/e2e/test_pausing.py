"""A contract that refuses most rows stops its stream, loses nothing, and lets go of what it takes once it is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Project, image, project
from tests.e2e.test_drift import CONTRACT, contract_at, execute, is_proven, of_postgres

ROWS = 1_000


def balanced(books: Project) -> dict[str, Any]:
    accounts: dict[str, Any] = books.status()["books"]
    assert accounts["balanced"], accounts
    return accounts


@pytest.fixture
def narrow(tmp_path: Path) -> Project:
    """A thousand rows and one, under a contract that takes half of them and one."""
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    rows = [image(f"K{n}", n, amount="1.00" if n % 2 else "1.005") for n in range(1, ROWS + 2)]
    books.drop("1.ndjson", *rows)
    return books


def test_half_of_the_rows_are_a_matter_of_quarantine_and_are_released(narrow: Project) -> None:
    ran = narrow.json("run", "--once")
    before = balanced(narrow)
    contract_at(narrow.root, CONTRACT.replace("(9,2)", "(10,3)"))

    (released,) = narrow.json("quarantine", "release")["streams"]
    after = balanced(narrow)

    assert ran["lanes"][0]["quarantined"] == ROWS // 2
    assert (before["quarantined"], before["accepted"]) == (ROWS // 2, ROWS // 2 + 1)
    assert (released["released"], released["waiting"]) == (ROWS // 2, 0)
    assert (after["quarantined"], after["accepted"]) == (0, ROWS + 1)
    assert narrow.status()["obligations"]["open"] == 0
    is_proven(narrow)


def test_a_run_says_how_many_rows_went_to_quarantine(narrow: Project) -> None:
    assert "Merged 1,001 changes; 500 of them went to quarantine." in narrow.tieout("run", "--once").out


def test_rows_of_a_database_are_released_after_its_contract_was_mended(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, CONTRACT)
    execute(
        database,
        "create table account (id text primary key, amount numeric)",
        f"insert into account select n::text, 1.005 from generate_series(1, {ROWS}) as n",
        "insert into account select 'fit' || n, 1.5 from generate_series(1, 9) as n",
    )

    ran = books.json("run", "--once", code=3)
    paused = books.status()
    again = books.json("run", "--once", code=3)

    assert f"{ROWS:,} of {ROWS + 9:,} rows are wrong_type: amount" in ran["lanes"][0]["reason"]
    assert (paused["state"], paused["current_rows"], paused["books"]["pending"]) == ("paused", 0, ROWS + 10)
    assert again["lanes"][0]["received"] == 0

    contract_at(tmp_path, CONTRACT.replace("decimal(9,2)", "decimal(12,3)"))
    went_on = books.json("run", "--once")

    assert went_on["lanes"][0]["quarantined"] == ROWS
    assert balanced(books)["quarantined"] == 0
    assert books.status()["state"] == "complete"
    assert books.query("select count(*) from latest.erp__account where not _deleted") == [[ROWS + 9]]
    is_proven(books)


def test_rows_of_a_database_can_be_given_up(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, CONTRACT)
    execute(
        database,
        "create table account (id text primary key, amount numeric)",
        "insert into account values ('A', 1.005), ('B', 1.00)",
    )
    books.json("run", "--once")
    rows = books.json("quarantine", "list", "--rows")["rows"]  # as it was read first, and again

    refused = books.json("quarantine", "discard", rows[0]["id"], "--reason", " ", code=2)
    books.json("quarantine", "discard", *(row["id"] for row in rows), "--reason", "a test of theirs")

    assert "--reason" in refused["error"]["hint"]
    assert {row["key"] for row in rows} == {'["A"]'}
    assert balanced(books)["filtered"] == len(rows)
    assert books.json("quarantine", "list")["streams"] == []


def test_a_paused_stream_is_not_rebuilt_over_what_nobody_has_looked_at(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("O", 1, stream="erp.order", total="1"))
    books.tieout("run", "--once")
    books.drop("2.ndjson", *[image(f"K{n}", n, amount="many") for n in range(2, 202)])
    books.json("run", "--once", code=3)

    rebuilt = {one["stream"]: one for one in books.json("rebuild", code=3)["streams"]}
    told = books.tieout("rebuild").out

    assert "is paused" in rebuilt["erp.account"]["reason"]
    assert (rebuilt["erp.account"]["rows"], rebuilt["erp.order"]["equal"]) == (1, True)
    assert books.status()["books"]["pending"] == 200
    assert "1 of 2 streams was left as it is" in told
    assert "now they are" not in told


def test_a_certificate_of_a_paused_stream_repairs_nothing_and_names_the_way_on(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, CONTRACT)
    execute(
        database,
        "create table account (id text primary key, amount numeric)",
        "insert into account select n, 1.00 from generate_series(1, 200) as n",
    )
    books.json("run", "--once")
    execute(database, "update account set amount = 1.005")
    books.json("run", "--once", code=3)

    (certificate,) = books.json("certify", "--repair", "--yes", code=3)["streams"]

    assert (certificate["state"], certificate["stale"], certificate["repaired"]) == ("partial", 200, 0)
    assert "tieout resume erp.account" in certificate["hint"]


def test_a_certificate_says_that_a_contract_takes_less_than_it_took(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount=None), image("B", 2, amount="2.00"))
    books.tieout("run", "--once")

    contract_at(tmp_path, CONTRACT.replace('"decimal(9,2)"}', '"decimal(9,2)", required: true}'))
    (certificate,) = books.json("certify", code=3)["streams"]

    assert any("today's contract refuses 1 of the rows" in reason for reason in certificate["reasons"]), certificate
