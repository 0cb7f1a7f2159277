"""A source may name whole schemas; what stands in them is asked when the source is first opened."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e.command import Project
from tieout.base.errors import Misconfigured
from tieout.capture.postgres.source import PostgresSource
from tieout.run.clock import SystemClock

PARTED = """
create schema sales;
create table sales.line (id int primary key) partition by range (id);
create table sales.line_1 partition of sales.line for values from (0) to (9) partition by range (id);
create table sales.line_1_1 partition of sales.line_1 for values from (0) to (5);
"""


def test_a_schema_stands_for_all_of_its_tables(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "create schema sales; create table sales.one (id int primary key); create table b (id int primary key)"
        )
        connection.execute("create unlogged table sales.scratch (id int primary key)")

    described = source_of_schemas(database, {"b": "public.b"}, ("sales",)).describe()

    assert {one.object for one in described} == {"b", "one"}


def test_equal_names_in_two_schemas_need_an_alias(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "create schema sales; create table sales.b (id int primary key); create table b (id int primary key)"
        )

    with pytest.raises(Misconfigured, match="would both be called b") as refused:
        source_of_schemas(database, {"b": "public.b"}, ("sales",)).describe()

    assert "as: sales_b" in refused.value.hint


@pytest.mark.parametrize("part", ["sales.line_1", "sales.line_1_1"])
@pytest.mark.parametrize("is_listed", [True, False])
def test_a_part_is_not_read_beside_its_whole_which_the_log_tells_of(part: str, is_listed: bool, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(PARTED)
    tables = {"line": "sales.line", "part": part} if is_listed else {"part": part}

    with pytest.raises(Misconfigured, match=r"is a part of .*, which is read too"):
        source_of_schemas(database, tables, () if is_listed else ("sales",)).describe()


def test_a_part_is_read_alone(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(PARTED)

    described = source_of_schemas(database, {"part": "sales.line_1_1"}, ()).describe()

    assert [one.object for one in described] == ["part"]


def test_a_schema_that_is_not_there_is_named(database: str) -> None:
    with pytest.raises(Misconfigured, match="no table in schema publik"):
        source_of_schemas(database, {}, ("publik",)).describe()


def source_of_schemas(database: str, tables: dict[str, str], schemas: tuple[str, ...]) -> PostgresSource:
    return PostgresSource("shop", database, tables, schemas=schemas, slot="s", publication="p", clock=SystemClock())


UNFOLLOWED = {
    "no key": ("create table sales.odd (id int)", "has no primary key"),
    "unlogged": ("create unlogged table sales.odd (id int primary key)", "is not logged"),
    "a name of ours": ("create table sales.odd (id int primary key, _order int)", "tieout's own names"),
    "columns told apart by case": ('create table sales.odd (id int primary key, "Id" int)', "one in the warehouse"),
    "a name that is no object": ('create table sales."odd/s" (id int primary key)', "no stream can bear"),
}


@pytest.mark.parametrize("case", UNFOLLOWED)
def test_a_table_of_a_schema_that_cannot_be_followed_is_left_out_and_the_others_go_on(case: str, database: str) -> None:
    statement, why = UNFOLLOWED[case]
    with psycopg.connect(database) as connection:
        connection.execute("create schema sales; create table sales.one (id int primary key)")
        connection.execute(statement.encode())
    source = source_of_schemas(database, {}, ("sales",))

    pieces = list(source.capture({}, until=source.bound()))

    source.close()
    (remark,) = source.remarks()
    assert {object_ for piece in pieces for object_ in piece.tables} == {"one"}
    assert why in remark.text
    assert remark.hint


def test_a_table_that_was_left_out_is_read_when_it_is_mended(database: str, tmp_path: Path) -> None:
    project = project_of_two(database, tmp_path)

    first = project.json("run", "--once")
    remembered = project.json("status")["lanes"][0]
    looked = project.json("doctor")
    with psycopg.connect(database) as connection:
        connection.execute("alter table sales.two add primary key (id)")
    second = project.json("run", "--once")

    assert first["outcome"] == "complete"
    assert 'table "sales"."two" has no primary key' in first["lanes"][0]["reason"]
    assert (remembered["outcome"], remembered["reason"]) == ("complete", first["lanes"][0]["reason"])
    assert second["lanes"][0]["reason"] == ""
    out = [finding for finding in looked["sources"][0]["findings"] if finding["code"] == "postgres.table.left_out"]
    assert [(finding["level"], finding["about"]) for finding in out] == [("warning", '"sales"."two"')]
    assert looked["errors"] == 0
    assert project.query("select id from latest.shop__two") == [[1]]


def test_a_table_that_was_read_and_has_lost_its_key_stops_the_source(database: str, tmp_path: Path) -> None:
    project = project_of_two(database, tmp_path)
    project.json("run", "--once")
    with psycopg.connect(database) as connection:
        connection.execute("alter table sales.one drop constraint one_pkey")

    stopped = project.json("run", "--once", code=2)

    assert 'table "sales"."one" has no primary key' in stopped["lanes"][0]["reason"]


def project_of_two(database: str, root: Path) -> Project:
    """A project of a schema with two tables, the second without a key."""
    with psycopg.connect(database) as connection:
        connection.execute("create schema sales; create table sales.one (id int primary key)")
        connection.execute("create table sales.two (id int); insert into sales.two values (1)")
    source = f"{{type: postgres, url: '{database}', schemas: [sales]}}"
    (root / "tieout.yaml").write_text(f"project: ties\nsources:\n  shop: {source}\n")
    return Project(root, within=True)
