"""A sweep that a key nobody can read has held back: it waits in quarantine, and its release reads the table anew."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e import command
from tests.e2e.command import Project
from tests.e2e.killed import kill_at
from tests.e2e.test_cli_holes import NUMBERED, do
from tieout.base.step import Step


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    do(database, "create table orders (id text primary key); insert into orders values ('1'), ('2')")
    project = command.project(tmp_path, within=True)
    settings = f"{{type: postgres, url: '{database}', tables: [public.orders], slot: holed_slot}}"
    (project.root / "tieout.yaml").write_text(f"project: shop\nsources:\n  shop: {settings}\n")
    contract = project.root / "contracts" / "shop" / "orders.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text(NUMBERED.replace("bigint", "integer"))
    project.json("run", "--once")
    return project


@pytest.fixture
def held_back(project: Project, database: str) -> Project:
    """Within a hole a row was deleted and one was written whose key is no integer; the hole's own read met it."""
    do(database, "select pg_drop_replication_slot('holed_slot')")
    do(database, "delete from orders where id = '1'; insert into orders values ('3000000000'), ('3')")
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
    do(database, "delete from orders where id = '3000000000'; select pg_drop_replication_slot('holed_slot')")
    held_back.json("run", "--once")
    with duckdb.connect(str(held_back.root / ".tieout" / "warehouse.duckdb")) as warehouse:
        warehouse.execute("update latest.shop__orders set _deleted = false where id = 1")

    unknown = certified(held_back)

    assert (known["state"], known["ghost"]) == ("partial", 1)
    assert (unknown["state"], unknown["ghost"]) == ("broken", 1), unknown["reasons"]


def test_its_release_reads_the_table_anew_once_its_keys_can_be_read(held_back: Project, database: str) -> None:
    do(database, "update orders set id = '4' where id = '3000000000'")
    held_back.json("run", "--once")
    before = live(held_back)

    settled = held_back.json("quarantine", "release")

    assert before == [1, 2, 3, 4]
    assert live(held_back) == [2, 3, 4]
    assert settled["streams"] == [{"stream": "shop.orders", "released": 3, "waiting": 0}]
    assert_whole(held_back)


def test_a_release_of_the_sweep_alone_settles_it_alone(held_back: Project, database: str) -> None:
    do(database, "delete from orders where id = '3000000000'")
    sweep = next(one["id"] for one in waiting(held_back) if one["reason"].startswith("sweep_not_certified"))

    held_back.json("quarantine", "release", sweep, code=3)

    assert live(held_back) == [2, 3]
    assert [one["reason"].partition(":")[0] for one in waiting(held_back)] == ["wrong_type"] * 2
    assert held_back.json("quarantine", "release")["streams"][0]["released"] == 2
    assert_whole(held_back)


def test_released_too_early_it_is_read_once_a_time_and_waits_once(held_back: Project) -> None:
    first, second = ([held_back.json("quarantine", "release", code=3), reads(held_back)] for _ in range(2))
    (lane,) = held_back.json("run", "--once")["lanes"]

    assert (first[1], second[1], reads(held_back)) == (2, 3, 3)
    assert lane["received"] == 0
    assert [one["reason"].partition(":")[0] for one in waiting(held_back)] == ["wrong_type", "sweep_not_certified"]
    assert live(held_back) == [1, 2, 3]
    assert held_back.json("rebuild")["streams"][0]["equal"]


def test_after_its_contract_was_mended_its_release_brings_all_in(held_back: Project) -> None:
    (held_back.root / "contracts" / "shop" / "orders.yaml").write_text(NUMBERED)
    held_back.json("run", "--once")
    before = live(held_back)

    held_back.json("quarantine", "release")

    assert before == [1, 2, 3]
    assert live(held_back) == [2, 3, 3_000_000_000]
    assert_whole(held_back)


def test_a_release_that_is_killed_is_gone_on_with(held_back: Project, database: str) -> None:
    do(database, "delete from orders where id = '3000000000'")
    held_back.json("run", "--once")

    ended = [
        kill_at(held_back.root, step, releasing="shop.orders")
        for step in (Step.SEALED, Step.REGISTERED, Step.MERGED_UNCOMMITTED)
    ]
    held_back.json("quarantine", "release")

    assert ended == [-signal.SIGKILL] * 3
    assert live(held_back) == [2, 3]
    assert_whole(held_back)


def test_a_stream_that_was_paused_for_its_keys_is_read_anew_when_it_goes_on(project: Project, database: str) -> None:
    do(database, "select pg_drop_replication_slot('holed_slot'); delete from orders")
    do(database, "insert into orders select n::text from generate_series(3000000001, 3000000200) as n")
    paused = project.json("run", "--once", code=3)
    (project.root / "contracts" / "shop" / "orders.yaml").write_text(NUMBERED)

    went_on = project.json("run", "--once")
    project.json("run", "--once")

    assert "wrong_type" in paused["lanes"][0]["reason"]
    assert went_on["lanes"][0]["quarantined"] == 201
    assert live(project) == list(range(3_000_000_001, 3_000_000_201))
    assert project.json("quarantine", "release")["streams"][0]["released"] == 201
    assert_whole(project)


def waiting(project: Project) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = project.json("quarantine", "list", "--rows")["rows"]
    return rows


def reads(project: Project) -> int:
    """How often the table was read to its end and the sweep was held back."""
    ((number,),) = project.query("select count(*) from quarantine.shop__orders where _kind = 'sweep'")
    return int(number)


def assert_whole(project: Project) -> None:
    """Nothing is open, the source agrees, and the landing comes to the same."""
    status = project.status("shop.orders")
    assert (status["state"], status["obligations"]["keys"], status["unread"]) == ("complete", [], None)
    assert project.json("certify")["certificate"] == "complete"
    assert project.json("rebuild")["streams"][0]["equal"]
    assert project.status("shop.orders")["obligations"]["keys"] == []
