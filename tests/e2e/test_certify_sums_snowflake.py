"""Certificates of a warehouse in Snowflake by sums: what they find is what is found when all rows are brought here, and
what is found of the embedded warehouse; and only rows that differ are brought.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.e2e.certifying import Project, counts
from tests.e2e.test_certify_changed import incremental
from tests.e2e.test_certify_sums import NESTED, ROWS, do, sold
from tests.postgres_values import TYPES_MADE, VALUES
from tests.snowflake import Connect, address, snowflake_database, snowflake_server, snowflake_sessions
from tieout.base.sql import Sql
from tieout.merge.snowflake import beside
from tieout.merge.snowflake.session import NOTHING, Session
from tieout.quality.certificate import Certificate
from tieout.sim.server import PostgresServer
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

STREAM = "shop.sold"
MOMENTS = ("timestamp", "timestamptz")
DATED = (*MOMENTS, "date", "time", "time(3)")
UNLIKE = (" BC", "infinity", "5874897", "294247", "12024", "24:00", "59.9999")
"""What stands in the values that Snowflake writes otherwise."""

ALTERED = (
    "update {table} set amount = 0.5 where amount in (17, 4017)",
    "update {table} set note = 'note 3' where amount = 3",
    "update {table} set note = '' where amount = 7",
    "update {table} set note = null where note = 'note 8'",
    "delete from {table} where amount = 2500",
    "update {table} set _deleted = true where amount = 11",
)
ALTERED_KEYS = (
    "update latest.shop__bigint set _key = '[\"77777\"]' where id = 5",
    "insert into latest.shop__bigint (id, note, amount, _deleted, _order, _key)"
    " select 99999, note, amount, _deleted, _order, '[\"99999\"]' from latest.shop__bigint where id = 6",
    "insert into latest.shop__bigint (id, note, amount, _deleted, _order, _key)"
    " select id, note, amount, _deleted, _order, _key from latest.shop__bigint where id = 6",
)
"""A row under a key that is not its own, one that the source does not have, and one twice."""


class Pair:
    """The same tables in two databases: one is followed into Snowflake, one into the embedded warehouse."""

    def __init__(self, root: Path, warehouse: str, sessions: Connect, urls: tuple[str, str]) -> None:
        self.there = Project(root / "there", f"{_source(urls[0])}\nwarehouse: {json.dumps(warehouse)}")
        self.here = Project(root / "here", _source(urls[1]))
        self._sessions = sessions
        self._urls = urls

    def do(self, *statements: str) -> None:
        for url in self._urls:
            do(url, *statements)

    def run(self) -> None:
        self.there.run()
        self.here.run()

    def damage(self, *statements: str) -> None:
        """The same in both warehouses."""
        self.here.damage(*statements)
        with self._sessions() as session:
            for statement in statements:
                session.cursor().execute(statement)


def _source(url: str) -> str:
    return f"shop: {{type: postgres, url: {json.dumps(url)}, schemas: [public]}}"


@pytest.fixture
def pair(
    tmp_path: Path,
    postgres_server: PostgresServer,
    database: str,
    snowflake_server: SnowflakeServer,
    snowflake_database: str,
    snowflake_sessions: Connect,
) -> Iterator[Pair]:
    twin = f"{snowflake_database.lower()}_twin"
    other = postgres_server.create_database(twin)
    where = address(snowflake_server, snowflake_database, tmp_path / "key.p8")
    yield Pair(tmp_path, where, snowflake_sessions, (database, other))
    postgres_server.drop_database(twin)


def told(certificate: Certificate) -> dict[str, Any]:
    """What does not hang on when, and of which of the two databases, it was made."""
    moments = {"number", "freshness_p95_seconds", "cut", "hash", "contract", "since", "books"}
    return {key: value for key, value in certificate.to_json().items() if key not in moments}


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows came from Snowflake: of a stream's rows, of fingerprints, and of all else."""
    counted, tables = Counter[str](), Session.tables

    def counting(session: Session, statement: Sql, values: Mapping[str, Any] = NOTHING) -> Iterator[pa.Table]:
        for piece in tables(session, statement, values):
            names = {column.upper() for column in piece.column_names}
            what = "rows" if "_DELETED" in names else "prints" if "FINGERPRINT" in names else "others"
            counted[what] += piece.num_rows
            yield piece

    monkeypatch.setattr(Session, "tables", counting)
    return counted


def test_snowflake_writes_every_type_as_the_source_does(pair: Pair, brought: Counter[str]) -> None:
    """But days and moments of years that have not four digits, and 24:00, which it does not know; those rows are read,
    and agree. Infinite moments it has none, and of floating numbers it does not tell the bits."""
    is_left_out = ("real", "double", *NESTED)
    known = [
        (number, type_, value)
        for number, (type_, value, _) in enumerate(VALUES)
        if not any(word in type_ for word in is_left_out) and not (type_ in MOMENTS and "infinity" in value)
    ]
    columns = ", ".join(f"c{number} {type_}" for number, type_, _ in known)
    rows = [f"insert into sold (id, c{number}) values ({number}, {value})" for number, _, value in known]
    pair.do(TYPES_MADE, f"create table sold (id int primary key, {columns})", *rows)
    pair.there.run()

    found = pair.there.certify_one(STREAM)

    unlike = [value for _, type_, value in known if type_ in DATED and any(sign in value for sign in UNLIKE)]
    assert (found.state, counts(found)) == ("complete", [0, 0, 0, 0])
    assert (found.proof.rows_summed, found.proof.rows_read) == (len(known), len(unlike)) == (80, 11)
    assert brought["rows"] == len(unlike)


def test_whatever_was_altered_is_found_as_by_all_rows_and_as_here(
    pair: Pair, brought: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {shape: shape.replace(" ", "_") for shape in ("bigint", "text", "moment", "unordered")}
    pair.do(*(one for shape, table in tables.items() for one in sold(shape, table=table)))
    pair.run()
    pair.do(*(f"update {table} set note = 'newer' where amount = 3" for table in tables.values()))
    pair.run()
    assert {one.proof.rows_read for one in pair.there.certify().streams} == {0}
    assert brought == {"rows": ROWS}  # those of the table whose key is a floating number

    pair.damage(*(one.format(table=f"latest.shop__{table}") for table in tables.values() for one in ALTERED))
    pair.damage(*ALTERED_KEYS)
    brought.clear()
    by_sums = pair.there.certify().streams
    of_sums = Counter(brought)
    with monkeypatch.context() as patched:
        patched.setattr(beside, "is_spelled", lambda contract, columns: False)
        by_rows = pair.there.certify().streams
    here = pair.here.certify().streams

    assert [told(one) for one in by_sums] == [told(one) for one in by_rows]
    assert [told(one) for one in by_sums] == [told(one) for one in here]
    assert {str(one.stream): counts(one) for one in by_sums} == {
        f"shop.{table}": [2, 0, 1, 4] for table in tables.values()
    } | {"shop.bigint": [3, 2, 1, 5]}
    # Of three the rows that differ, and as always all of the one whose key is a floating number.
    assert of_sums["rows"] == 3 * 6 + 4 + ROWS - 1
    repaired = [project.certify(repair=True).streams for project in (pair.there, pair.here)]
    assert {one.stream.object for one in (*repaired[0], *repaired[1]) if one.state != "complete"} == {"bigint"}
    assert [told(one) for one in repaired[0][1:]] == [told(one) for one in repaired[1][1:]]


def test_of_what_changed_no_more_is_summed_than_here(pair: Pair, brought: Counter[str]) -> None:
    pair.do(*sold("bigint"))
    pair.run()
    for project in (pair.there, pair.here):
        project.certify_one(STREAM)
    pair.do("update sold set note = 'paid' where id = 7", "insert into sold values (9000, 'late', 1)")
    pair.run()
    pair.damage("delete from latest.shop__sold where id in (9, 2500)")  # near what changed, and far from it

    found = [incremental(project) for project in (pair.there, pair.here)]

    assert told(found[0]) == told(found[1])
    assert counts(found[0]) == [1, 0, 0, 0]
    assert (found[0].proof.buckets, found[0].proof.buckets_summed, found[0].proof.rows_summed) == (4, 2, ROWS // 2)
    assert brought["rows"] == 0


def test_more_keys_than_are_asked_for_one_by_one_bring_all_rows(
    pair: Pair, brought: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.do(*sold("text"))
    pair.there.run()
    with pair._sessions() as session:
        session.cursor().execute("update latest.shop__sold set note = 'x' where amount <= 30")
    few = pair.there.certify_one(STREAM)
    assert (counts(few), brought.pop("rows")) == ([0, 0, 0, 30], 30)
    monkeypatch.setattr(beside, "_KEYS_MAX", 20)

    many = pair.there.certify_one(STREAM)

    assert (counts(many), brought["rows"]) == ([0, 0, 0, 30], ROWS)
