"""Thousands of rows are altered behind the pipe's back, on both sides: each is named in its class, and a mart waits."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from tests.e2e.certifying import Project, counts
from tieout.base.stream import Stream
from tieout.quality.certificate import Difference
from tieout.quality.gate import Verdict
from tieout.run.certify import KEYS_TOLD_MAX, certify
from tieout.run.house import House
from tieout.run.proven import gates
from tieout.sim.hands import deaf

STREAM = "shop.orders"
ROWS = 20_000
MADE = f"""
create table orders (id bigint primary key, status text, amount numeric(12,2), at timestamptz default now());
insert into orders (id, status, amount) select n, 'new', n * 1.25 from generate_series(1, {ROWS}) n;
"""
BY_HAND_HERE = (
    "update latest.shop__orders set amount = amount + 1, status = 'edited' where id between 1 and 1000",
    "delete from latest.shop__orders where id between 1001 and 2000",
    "insert into latest.shop__orders by name"
    " select * replace (id + 100000 as id, to_json([(id + 100000)::varchar])::varchar as _key)"
    " from latest.shop__orders where id between 1 and 1000",
)
UNSEEN_AT_THE_SOURCE = """
update orders set status = 'paid' where id between 2001 and 2400;
delete from orders where id between 2401 and 2700;
insert into orders (id, status, amount) select n, 'late', 1 from generate_series(200001, 200300) n;
"""
EXPECTED = {
    Difference.MISSING: {*range(1001, 2001), *range(200001, 200301)},
    Difference.GHOST: {*range(100001, 101001), *range(2401, 2701)},
    Difference.STALE: {*range(2001, 2401)},
    Difference.DIVERGED: {*range(1, 1001)},
}
NUMBERS = [1300, 1300, 400, 1000]


@pytest.fixture
def project(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PG_URL", database)
    do(database, MADE)
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.orders]}')
    with (tmp_path / "tieout.yaml").open("a") as file:
        file.write(f"gates:\n  revenue: {{needs: [{STREAM}], within: 1h}}\n")
    project.run()
    return project


def do(database: str, statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement.encode())


def gate(project: Project) -> Verdict:
    def ask(house: House) -> Verdict:
        tools = house.tools
        (verdict,) = gates(house.project.gates, tools.landing, tools.ledger, tools.clock, only="revenue")
        return verdict

    verdict: Verdict = project.within(ask)
    return verdict


def test_what_was_done_behind_its_back_is_named_repaired_and_waited_for(project: Project, database: str) -> None:
    assert project.certify_one(STREAM).state == "complete"
    assert gate(project).is_open

    project.damage(*BY_HAND_HERE)
    do(database, UNSEEN_AT_THE_SOURCE)
    with deaf():
        project.run()
    found = project.within(
        lambda house: certify(
            house, [Stream.parse(STREAM)], repair=False, may_repair=lambda plan: False, keys_max=KEYS_TOLD_MAX
        )
    ).streams[0]
    closed = gate(project)

    assert counts(found) == NUMBERS
    for difference, ids in EXPECTED.items():
        assert {int(json.loads(one.key)[0]) for one in found.differing if one.difference == difference} == ids, (
            difference
        )
    assert {one.fields for one in found.differing if one.difference is Difference.DIVERGED} == {("amount", "status")}
    assert found.compared.fields == {"amount": 1000, "status": 1400}
    assert not closed.is_open
    assert "4000 rows differ" in closed.closed[0].why
    assert "certify shop.orders --repair" in closed.closed[0].hint

    repaired = project.certify_one(STREAM, repair=True)

    assert (repaired.state, counts(repaired), repaired.repaired) == ("complete", [0, 0, 0, 0], 4000)
    assert repaired.books.balanced
    assert repaired.books.received.count == ROWS + 1 + 4000  # the sweep of the first read besides
    assert gate(project).is_open
    assert project.certify_one(STREAM).repaired == 0
