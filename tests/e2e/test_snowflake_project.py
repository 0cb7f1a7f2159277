"""The same project file with a warehouse in Snowflake: what each command says is what it says of the embedded one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.command import Project, image, promise
from tests.snowflake import (
    Connect,
    address,
    snowflake_database,
    snowflake_server,
    snowflake_sessions,
    snowflake_watched,
)
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions", "snowflake_watched"]

pytestmark = pytest.mark.usefixtures("snowflake_watched")

AMOUNT = "name: amount, logicalType: number, physicalType: 'decimal(18,2)'"
NOT_NEGATIVE = "quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [A, B]}, name: only A and B}]"


def project_at(root: Path, warehouse: str = "") -> Project:
    (root / "inbox").mkdir(parents=True)
    of_warehouse = f"warehouse: {json.dumps(warehouse)}\n" if warehouse else ""
    (root / "tieout.yaml").write_text(
        f"project: books\n{of_warehouse}sources:\n  erp: {{type: changes, path: ./inbox}}\n"
    )
    promise(root, "erp.account", "name: name, logicalType: string", AMOUNT)
    return Project(root, within=True)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return project_at(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path, snowflake_server: SnowflakeServer, snowflake_database: str) -> Project:
    return project_at(tmp_path / "there", address(snowflake_server, snowflake_database, tmp_path / "key.p8"))


def fed(books: Project) -> Project:
    books.drop("day1.ndjson", *(image(f"A{n}", n, name=f"n{n}", amount=f"{n}.50") for n in range(20)))
    books.drop("day2.ndjson", image("A3", 30, name="newer", amount="1.00"), image("A4", 31, name="x", amount="many"))
    books.json("run", "--once")
    return books


def told_alike(one: dict[str, Any]) -> dict[str, Any]:
    """Of a status what does not hang on when it was asked."""
    return {key: one[key] for key in ("state_hash", "books", "current_rows", "open", "superseded") if key in one}


def test_the_run_the_status_and_the_hash_are_those_of_the_warehouse_here(here: Project, there: Project) -> None:
    assert told_alike(fed(there).status()) == told_alike(fed(here).status())
    assert there.query("select name, amount from latest.erp__account where id = 'A3'") == [["newer", "1.00"]]


TOUCH = (
    "update latest.erp__account set name = 'touched' where id = 'A5'",
    "delete from latest.erp__account where id = 'A6'",
    "update latest.erp__account set name = 'n3', amount = 3.50 where id = 'A3'",
)


def certified(books: Project, code: int) -> dict[str, Any]:
    """Of the one stream's certificate what does not hang on when it was made."""
    (told,) = books.json("certify", code=code)["streams"]
    moments = {"freshness_p95_seconds", "cut", "hash"}
    return {key: value for key, value in told.items() if key not in moments}


def test_the_certificate_finds_what_was_touched_as_it_does_here(
    here: Project, there: Project, snowflake_sessions: Connect
) -> None:
    for books in (here, there):
        fed(books)
    with duckdb.connect(str(here.root / ".tieout" / "warehouse.duckdb")) as connection:
        for statement in TOUCH:
            connection.execute(statement)
    with snowflake_sessions() as session:
        for statement in TOUCH:
            session.cursor().execute(statement)

    found = certified(there, code=3)

    assert found == certified(here, code=3)
    assert (found["missing"], found["stale"], found["diverged"]) == (1, 1, 1)


def test_a_rebuild_makes_the_tables_anew_from_the_landing(
    here: Project, there: Project, snowflake_sessions: Connect
) -> None:
    before = told_alike(fed(there).status())
    with snowflake_sessions() as session:
        for statement in TOUCH:
            session.cursor().execute(statement)
    assert told_alike(there.status()) != before

    there.json("rebuild", "erp.account", code=3)

    assert told_alike(there.status()) == before
    assert told_alike(fed(here).status()) == before


def test_what_waits_in_quarantine_is_shown_and_given_up(there: Project) -> None:
    fed(there)

    (waiting,) = there.json("quarantine", "list")["streams"]
    assert waiting["count"] == 1

    (row,) = there.json("quarantine", "list", "--rows")["rows"]
    there.json("quarantine", "discard", row["id"], "--reason", "nobody knows how many")

    assert not there.json("quarantine", "list")["streams"]
    (gone,) = there.json("quarantine", "list", "--settled")["rows"]
    assert gone["settled"]["reason"] == "nobody knows how many"


def test_a_warehouse_that_nobody_made_and_a_key_of_nobody_are_told_with_the_mend(
    tmp_path: Path, snowflake_server: SnowflakeServer
) -> None:
    books = project_at(tmp_path / "books", address(snowflake_server, "NO_SUCH_DATABASE", tmp_path / "key.p8"))
    books.drop("day1.ndjson", image("A1", 1, name="n", amount="1.00"))

    said = books.tieout("run", "--once")

    assert said.code == 2, said
    assert "tieout snowflake setup" in said.err
    assert "PRIVATE KEY" not in said.err + said.out
