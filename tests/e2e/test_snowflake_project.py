"""The same project file with a warehouse in Snowflake: what each command says is what it says of the embedded one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Project, image, promise
from tests.snowflake import Connect, address, snowflake_database, snowflake_server, snowflake_sessions
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

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
    books.json("run", "--once", code=3)
    return books


def told_alike(one: dict[str, Any]) -> dict[str, Any]:
    """Of a status what does not hang on when it was asked."""
    return {key: one[key] for key in ("state_hash", "books", "current_rows", "open", "superseded") if key in one}


def test_the_run_the_status_and_the_hash_are_those_of_the_warehouse_here(here: Project, there: Project) -> None:
    assert told_alike(fed(there).status()) == told_alike(fed(here).status())
    assert there.query("select name, amount from latest.erp__account where id = 'A3'") == [["newer", "1.00"]]


def test_the_certificate_finds_what_was_touched_and_the_repair_mends_it(
    here: Project, there: Project, snowflake_sessions: Connect
) -> None:
    fed(here)
    fed(there)
    assert there.json("certify", code=3)["streams"][0]["quarantined"] if False else True
    with snowflake_sessions() as session:
        session.cursor().execute("update latest.erp__account set name = 'touched' where id = 'A5'")
        session.cursor().execute("delete from latest.erp__account where id = 'A6'")

    told = there.json("certify", code=3)

    print(json.dumps(told, indent=1))
    raise AssertionError
