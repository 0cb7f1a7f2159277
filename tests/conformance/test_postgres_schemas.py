"""A source may name whole schemas; what stands in them is asked when the source is first opened."""

from __future__ import annotations

import psycopg
import pytest

from tieout.base.errors import Misconfigured
from tieout.capture.postgres.source import PostgresSource
from tieout.run.clock import SystemClock


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


def source_of_schemas(database: str, tables: dict[str, str], schemas: tuple[str, ...]) -> PostgresSource:
    return PostgresSource("shop", database, tables, schemas=schemas, slot="s", publication="p", clock=SystemClock())
