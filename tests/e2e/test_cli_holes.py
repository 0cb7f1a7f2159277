"""A hole as an operator sees it: named with its range and reason while it is open, and gone when it is closed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e import command
from tests.e2e.command import Project

TABLES = "create table orders (id int primary key, note text); insert into orders values (1, 'a')"


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


def test_a_hole_is_shown_with_its_range_and_closes(project: Project, database: str) -> None:
    do(database, "insert into orders values (2, 'told')")
    project.json("run", "--once")
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
    assert (closed["state"], closed["unread"], closed["obligations"]["open"]) == ("complete", None, 0)
    assert project.query("select id from latest.shop__orders where not _deleted order by id") == [[2], [3], [4]]
