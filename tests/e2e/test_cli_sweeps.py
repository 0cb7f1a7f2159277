"""A sweep that a key nobody can read has held back: it waits in quarantine, and its release reads the table anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e import command
from tests.e2e.command import Project
from tests.e2e.test_cli_holes import NUMBERED, do


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    do(database, "create table orders (id text primary key); insert into orders values ('1'), ('2')")
    project = command.project(tmp_path, within=True)
    settings = f"{{type: postgres, url: '{database}', tables: [public.orders], slot: holed_slot}}"
    (project.root / "tieout.yaml").write_text(f"project: shop\nsources:\n  shop: {settings}\n")
    contract = project.root / "contracts" / "shop" / "orders.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text(NUMBERED)
    project.json("run", "--once")
    return project


@pytest.fixture
def held_back(project: Project, database: str) -> Project:
    """Within a hole a row was deleted and one was written whose key is no number; the hole's own read met it."""
    do(database, "select pg_drop_replication_slot('holed_slot')")
    do(database, "delete from orders where id = '1'; insert into orders values ('no number'), ('3')")
    project.json("run", "--once")
    return project


def certified(project: Project) -> dict[str, Any]:
    (found,) = project.json("certify", code=3)["streams"]
    told: dict[str, Any] = found
    return told


def live(project: Project) -> list[int]:
    return [id_ for (id_,) in project.query("select id from latest.shop__orders where not _deleted order by id")]


def test_what_it_would_have_ended_is_a_known_reason_until_a_later_one_ends_it(
    held_back: Project, database: str
) -> None:
    known = certified(held_back)
    do(database, "delete from orders where id = 'no number'; select pg_drop_replication_slot('holed_slot')")
    held_back.json("run", "--once")
    with duckdb.connect(str(held_back.root / ".tieout" / "warehouse.duckdb")) as warehouse:
        warehouse.execute("update latest.shop__orders set _deleted = false where id = 1")

    unknown = certified(held_back)

    assert (known["state"], known["ghost"]) == ("partial", 1)
    assert (unknown["state"], unknown["ghost"]) == ("broken", 1), unknown["reasons"]
