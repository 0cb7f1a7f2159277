"""`tieout doctor` as its users have it: findings, mends, an exit code, and statements that set a source up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.conformance.postgres_follower import session
from tests.e2e.command import Project, image, project
from tieout.sim.server import PostgresServer


def codes(findings: list[dict[str, str]], level: str) -> list[str]:
    return [finding["code"] for finding in findings if finding["level"] == level]


def contents(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*"))


@pytest.fixture
def shop(
    tmp_path: Path, database: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project whose role, with a name that must be quoted, is not there yet."""
    role = f"Reader's {database.partition('?')[0].rpartition('/')[2]}"
    made = project(tmp_path / "shop", within=True)
    (made.root / "tieout.yaml").write_text(
        "project: shop\nsources:\n  shop:\n    type: postgres\n    url: ${SHOP_URL}\n"
        '    tables: [public.orders, {table: "odd.Line of", as: line}]\n    schemas: [whole]\n'
    )
    monkeypatch.setenv("SHOP_URL", database.replace("postgres@", role.replace("'", "%27").replace(" ", "%20") + "@"))
    with session(database) as shop:
        shop.execute("create schema odd; create schema whole")
        shop.execute(
            "create table orders (id int primary key, note text, twice int generated always as (id * 2) stored);"
            'create table "odd"."Line of" (id int primary key)'
        )
        shop.execute("create table whole.a (id int primary key); create table secret (id int primary key)")
        shop.execute("insert into orders select n, 'first' from generate_series(1, 3) as n")
    yield made
    with session(database) as shop:
        shop.execute(
            "do $$ begin if exists (select from pg_roles where rolname = '{0}') then "
            'drop owned by "{1}"; drop role "{1}"; end if; end $$'.format(role.replace("'", "''"), role)
        )


def test_a_project_that_is_well_exits_0_and_nothing_was_made(tmp_path: Path) -> None:
    books = project(tmp_path / "books", within=True)
    books.drop("day1.ndjson", image("A1", 1))
    before = contents(books.root)

    document = books.json("doctor")

    assert codes(document["sources"][0]["findings"], "ok") == ["changes.folder.ok"]
    assert document["errors"] == 0
    assert contents(books.root) == before


def test_the_statements_of_the_setup_make_a_role_that_suffices(
    shop: Project, database: str, postgres_server: PostgresServer
) -> None:
    before = shop.json("doctor", code=2)
    assert codes(before["sources"][0]["findings"], "error") == ["postgres.connection.refused"]

    for _ in range(2):
        run_as_superuser(postgres_server, database, setup_of(shop))

    well = shop.json("doctor")
    assert (well["errors"], well["warnings"]) == (0, 0)
    shop.json("run", "--once")
    with session(database) as shop_itself:
        shop_itself.execute("update orders set note = 'second' where id = 2; insert into whole.a values (1)")
    shop.json("run", "--once")
    assert shop.json("certify")["certificate"] == "complete"
    assert shop.query("select id, note, twice from latest.shop__orders order by id") == [
        [1, "first", 2], [2, "second", 4], [3, "first", 6]
    ]  # fmt: skip


def test_the_text_of_the_setup_lets_psql_stop_at_the_first_error(shop: Project) -> None:
    said = shop.tieout("doctor", "--setup-sql")

    assert said.code == 0
    first, rest = said.out.split("\n", 1)
    assert first == "\\set ON_ERROR_STOP on"
    assert rest.strip() == f"-- Source shop\n{setup_of(shop)}".strip()


@pytest.mark.parametrize(
    ("name", "misspelt", "told"),
    [
        ("public.orders", "public.ordres", 'relation "public.ordres" does not exist'),
        ("[whole]", "[Whole, whole]", 'schema "Whole" does not exist'),
    ],
)
def test_psql_tells_a_misspelt_name_once_and_makes_nothing(
    shop: Project, database: str, postgres_server: PostgresServer, name: str, misspelt: str, told: str
) -> None:
    settings = shop.root / "tieout.yaml"
    settings.write_text(settings.read_text().replace(name, misspelt))
    (shop.root / "setup.sql").write_text(shop.tieout("doctor", "--setup-sql").out)

    psql = [str(postgres_server.binaries / "psql"), "--no-psqlrc", "--dbname", database]
    ended = subprocess.run(
        [*psql, "--file", str(shop.root / "setup.sql")], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stderr.count("ERROR")) == (3, 1), ended.stderr
    assert told in ended.stderr
    assert made_in(database) == [(None, None)]


def test_the_setup_run_again_costs_no_reading_anew(
    shop: Project, database: str, postgres_server: PostgresServer
) -> None:
    setup = setup_of(shop)
    run_as_superuser(postgres_server, database, setup)
    shop.json("run", "--once")

    run_as_superuser(postgres_server, database, setup)

    assert shop.json("run", "--once")["lanes"][0]["received"] == 0


def test_the_role_of_the_setup_can_do_no_more(shop: Project, database: str, postgres_server: PostgresServer) -> None:
    run_as_superuser(postgres_server, database, setup_of(shop))

    for forbidden in (
        "select * from secret",
        "insert into orders values (9)",
        "delete from whole.a",
        'truncate "odd"."Line of"',
        "create table mine ()",
        "create role other",
        "alter publication tieout_shop_shop add table secret",
        "drop publication tieout_shop_shop",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), session(os.environ["SHOP_URL"]) as reader:
            reader.execute(forbidden)


def test_a_table_without_a_key_is_left_out_by_the_setup_so_that_it_can_still_be_updated(
    shop: Project, database: str, postgres_server: PostgresServer
) -> None:
    with session(database) as application:
        application.execute("alter table orders drop constraint orders_pkey")

    run_as_superuser(postgres_server, database, setup_of(shop))

    with session(database) as application:
        application.execute("update orders set note = 'still'")
        application.execute("select tablename from pg_publication_tables where pubname = 'tieout_shop_shop' order by 1")
        assert [table for (table,) in application.fetchall()] == ["Line of", "a"]
    errors = codes(shop.json("doctor", code=2)["sources"][0]["findings"], "error")
    assert errors == ["postgres.table.no_key", "postgres.publication.right"]


def test_the_doctor_makes_nothing_in_the_database(
    shop: Project, database: str, postgres_server: PostgresServer
) -> None:
    run_as_superuser(postgres_server, database, setup_of(shop))
    before = contents(shop.root), made_in(database)

    shop.json("doctor")

    assert (contents(shop.root), made_in(database)) == before


def made_in(database: str) -> list[object]:
    """Whatever a source makes there: publications with their tables, and slots."""
    with session(database) as shop:
        shop.execute(
            "select (select array_agg(t::text order by 1) from pg_publication_tables as t),"
            " (select array_agg(slot_name::text) from pg_replication_slots where database = current_database())"
        )
        return list(shop.fetchall())


def setup_of(shop: Project) -> str:
    """The statements, without what is for psql alone."""
    ((source, sql),) = ((one["source"], one["sql"]) for one in shop.json("doctor", "--setup-sql")["setup"])
    assert source == "shop"
    return str(sql)


def run_as_superuser(server: PostgresServer, url: str, statements: str) -> None:
    server.execute(statements, database=url.partition("?")[0].rpartition("/")[2])
