"""A table without a key through the whole route: what is added arrives once, what is not seen is said, and found."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e import certifying, command
from tests.e2e.certifying import counts
from tests.e2e.killed import kill_at
from tieout.base.step import Step

SOURCE = (
    'shop: {type: postgres, url: "${PG_URL}",'
    " tables: [public.orders, {table: public.events, as: clicks, append_only: true}]}"
)
STREAM = "shop.clicks"
MADE = """
create table orders (id int primary key);
create table events (at timestamptz, amount numeric, score float8, tags text[], note jsonb);
insert into events select '2026-11-01', n, n / 3.0, array['a', null], jsonb_build_object('n', n)
    from generate_series(1, 50) as n;
insert into events select null, null, 'NaN', null, null from generate_series(1, 3);
insert into events select * from events where amount < 4;
"""
ADDED = """
insert into events values (now(), 99, 1, '{}', null);
insert into events select * from events where amount = 7 limit 1
"""
ROUTE = [step for step in Step if step not in (Step.SHADOWED, Step.SWAPPED)]


@pytest.fixture
def project(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> certifying.Project:
    monkeypatch.setenv("PG_URL", database)
    do(database, MADE)
    return certifying.Project(tmp_path, SOURCE)


def do(database: str, statements: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())


def here(project: certifying.Project) -> Counter[Any]:
    found = project.query("select amount, score::varchar as score, note from latest.shop__clicks where not _deleted")
    return Counter((row["amount"], (row["score"] or "").lower(), row["note"]) for row in found)


def there(database: str) -> Counter[Any]:
    with psycopg.connect(database) as connection:
        found = connection.execute("select amount::text, score, note::text from events").fetchall()
    return Counter((amount, str(score).lower(), note) for amount, score, note in found)


def test_the_certificate_holds_rows_against_rows_of_the_same_content(
    project: certifying.Project, database: str
) -> None:
    project.run()
    do(database, ADDED)

    certificate = project.certify_one(STREAM)

    assert (certificate.state.value, certificate.reasons) == ("complete", ())
    assert certificate.compared.source_rows == certificate.compared.current_rows == 58
    assert "multiset" in certificate.proof.how
    assert here(project) == there(database)


DONE = {
    "an update": ("update events set score = 5 where amount = 20", None, (1, 1, 0, 0)),
    "a delete of one of two": (
        "delete from events where ctid = (select ctid from events where amount = 2 limit 1)",
        None,
        (0, 1, 0, 0),
    ),
    "an insert that we lost": (
        None,
        "delete from latest.shop__clicks where _key = (select min(_key) from latest.shop__clicks where amount = '3')",
        (1, 0, 0, 0),
    ),
    "an insert that we doubled": (
        None,
        "insert into latest.shop__clicks by name"
        " select * replace (json_array(row_id || 'x')::varchar as _key, row_id || 'x' as row_id)"
        " from latest.shop__clicks where amount = '9'",
        (0, 1, 0, 0),
    ),
    "rows that are all null": ("delete from events where at is null", None, (0, 3, 0, 0)),
}


@pytest.mark.parametrize("case", DONE)
def test_what_was_not_told_is_found_and_repaired(case: str, project: certifying.Project, database: str) -> None:
    at_source, with_us, expected = DONE[case]
    project.run()
    if at_source:
        do(database, at_source)
    if with_us:
        project.damage(with_us)
    project.run()

    found = project.certify_one(STREAM)
    repaired = project.certify_one(STREAM, repair=True)

    assert tuple(counts(found)) == expected
    assert f"certify {STREAM} --repair" in found.hint
    assert repaired.compared.differing == 0
    assert repaired.repaired == sum(expected)
    do(database, ADDED)
    project.run()
    assert here(project) == there(database)
    assert project.certify_one(STREAM).compared.differing == 0


def test_killed_at_each_step_it_has_each_row_once(project: certifying.Project, database: str) -> None:
    deaths = 0
    for step in [*ROUTE, *reversed(ROUTE)]:
        do(database, ADDED + "; insert into orders select coalesce(max(id), 0) + 1 from orders")
        deaths += kill_at(project.root, step) == -signal.SIGKILL
    project.run()

    assert deaths >= len(ROUTE)
    assert here(project) == there(database)
    assert project.certify_one(STREAM).state.value == "complete"


def test_run_and_status_say_what_is_not_seen(project: certifying.Project) -> None:
    told = command.Project(project.root, within=True)

    (lane,) = told.json("run", "--once")["lanes"]
    (remembered,) = told.json("status")["lanes"]

    assert (lane["outcome"], remembered["outcome"]) == ("complete", "complete")
    assert lane["reason"] == remembered["reason"]
    assert 'updates and deletes of "public"."events", which is append_only.' in lane["reason"]
    assert f"tieout certify {STREAM}" in lane["hint"]


def test_a_backfill_of_it_is_refused_with_what_does_instead(project: certifying.Project) -> None:
    told = command.Project(project.root, within=True)
    told.json("run", "--once")

    said = told.tieout("backfill", "start", STREAM, "--yes")

    assert said.code == 2
    assert f"tieout certify {STREAM} --repair" in said.out + said.err


def test_its_contract_names_the_row_id_and_a_table_does_not_change_its_sort(
    project: certifying.Project, database: str
) -> None:
    project.run()
    contract = (project.root / "contracts" / "shop" / "clicks.yaml").read_text()
    path = project.root / "tieout.yaml"
    do(database, "alter table events add column id bigserial primary key")
    path.write_text(path.read_text().replace("append_only: true", "append_only: false"))

    said = command.Project(project.root, within=True).json("run", "--once", code=2)

    assert "row_id" in contract
    assert "is not append_only, and its contract names the key row_id" in said["lanes"][0]["reason"]
