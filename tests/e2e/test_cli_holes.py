"""A hole as an operator sees it: named with its range and reason while it is open, and gone when it is closed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e import command
from tests.e2e.command import Project

TABLES = "create table orders (id int primary key, note text); insert into orders values (1, 'a')"

NUMBERED = command.contract("shop.orders", key="logicalType: integer, physicalType: bigint")


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    do(database, TABLES)
    made = command.project(tmp_path, within=True)
    url = database.replace("?", "?options=-c%20lock_timeout%3D200ms&")
    (made.root / "tieout.yaml").write_text(
        "project: shop\nsources:\n"
        f'  shop: {{type: postgres, url: "{url}", tables: [public.orders], slot: holed_slot}}\n'
    )
    made.json("run", "--once")
    return made


def do(database: str, statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.mark.usefixtures("hurried")
def test_a_hole_is_shown_with_its_range_and_closes(project: Project, database: str) -> None:
    do(database, "insert into orders values (2, 'told')")
    project.json("run", "--once")
    whole = project.status("shop.orders")["complete"]
    do(database, "select pg_drop_replication_slot('holed_slot')")
    do(database, "delete from orders where id = 1; insert into orders values (3, 'untold')")
    with psycopg.connect(database) as writer:
        writer.execute("insert into orders values (4, 'open')")
        project.json("run", "--once", code=3)
        holed = project.status("shop.orders")
    project.json("run", "--once")
    closed = project.status("shop.orders")

    (hole,) = holed["unread"]["holes"]
    assert holed["state"] == "partial"
    assert holed["reason"].startswith(
        f"Changes from {hole['since']} to {hole['until']} were not told (the slot is not there); 0% read again."
    )
    assert holed["obligations"]["keys"] == [{"key": None, "reason": "gap"}]
    assert (holed["complete"]["through"], whole["held_by"]) == (whole["through"], [])
    assert ("gap", 1) in [(one["reason"], one["count"]) for one in holed["complete"]["held_by"]]
    assert closed["complete"]["through"] > whole["through"]
    assert (closed["complete"]["held_by"], closed["freshness"]["stages"]["readable"]["events"]) == ([], 1)
    assert (closed["state"], closed["unread"], closed["obligations"]["open"]) == ("complete", None, 0)
    assert project.query("select id from latest.shop__orders where not _deleted order by id") == [[2], [3], [4]]


def test_a_key_that_could_not_be_read_once_does_not_keep_a_later_hole_open(tmp_path: Path, database: str) -> None:
    do(database, "create table orders (id text primary key); insert into orders values ('1'), ('2'), ('no number')")
    project = command.project(tmp_path, within=True)
    settings = f"{{type: postgres, url: '{database}', tables: [public.orders], slot: holed_slot}}"
    (project.root / "tieout.yaml").write_text(f"project: shop\nsources:\n  shop: {settings}\n")
    contract = project.root / "contracts" / "shop" / "orders.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text(NUMBERED)
    project.json("run", "--once")
    do(database, "delete from orders where id = 'no number'")
    project.json("run", "--once")

    do(database, "select pg_drop_replication_slot('holed_slot')")
    do(database, "delete from orders where id = '1'; insert into orders values ('3')")
    project.json("run", "--once")

    assert project.query("select id from latest.shop__orders where not _deleted order by id") == [[2], [3]]
    reasons = [one["reason"] for one in project.status("shop.orders")["obligations"]["keys"]]
    assert "gap" not in reasons, reasons
