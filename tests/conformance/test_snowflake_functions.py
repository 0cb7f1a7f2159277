"""What the stand-in's functions answer is what Snowflake's do, for those that our statements use."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from tests.snowflake import Connect, connect, own_database, snowflake_database, snowflake_server, snowflake_sessions
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]


@pytest.fixture(scope="module")
def session(snowflake_server: SnowflakeServer) -> Iterator[SnowflakeConnection]:
    with (
        own_database(snowflake_server) as database,
        connect(snowflake_server, database=database, schema="PUBLIC", session_parameters={"TIMEZONE": "UTC"}) as made,
    ):
        made.cursor().execute(
            "create table o (k varchar, p object, v variant, n number(18,2), b boolean, d date, t time(6),"
            " ts timestamp_ntz(6), tz timestamp_ltz(6), bb binary)"
        )
        made.cursor().execute(
            "insert into o select 'é', object_construct('x y', 'tok', 'gone', null, 'n', 1),"
            " parse_json('[\"u\",\"v\"]'), 1.50, true, '2024-01-02', '10:00:00.5',"
            " '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00.123456',"
            " to_binary('00ff', 'HEX')"
        )
        yield made


E_ACUTE = int(hashlib.md5("é".encode()).hexdigest()[:15], 16)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("p['x y']::varchar, get(p, 'x y')::varchar, p:n::int", ("tok", "tok", 1)),
        ("p['gone'] is null, get(p, 'zz') is null, p['x y'] is not null", (True, True, True)),
        ("coalesce(p['x y']::varchar, '') > 'a'", (True,)),
        ("array_size(object_keys(p)), object_keys(p)[0]::varchar", (2, "x y")),
        ("array_contains('u'::variant, v), array_contains('w'::variant, v)", (True, False)),
        ("octet_length(k), length(k), octet_length('é'), octet_length(bb)", (2, 1, 2, 2)),
        ("array_to_string(v, ','), array_size(array_construct('a', 1)), 'a'::variant::varchar", ("u,v", 2, "a")),
        ("to_varchar(n), to_varchar(b), to_varchar(d), d::varchar", ("1.50", "true", "2024-01-02", "2024-01-02")),
        ("to_varchar(bb, 'HEX'), to_varchar(bb), to_varchar(1.0::float)", ("00FF", "00FF", "1")),
        (
            "to_varchar(ts, 'YYYY-MM-DD HH24:MI:SS.FF6'), to_varchar(tz, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6')",
            ("2024-01-01 10:00:00.123456", "2024-01-01T10:00:00.123456"),
        ),
        ("to_varchar(len(to_varchar(ts, 'YYYY-MM-DD HH24:MI:SS.FF6')))", ("26",)),
        ("to_varchar(t, 'HH24:MI:SS.FF6'), ts::varchar", ("10:00:00.500000", "2024-01-01 10:00:00.123")),
        ("date_part(epoch_microsecond, ts), date_part(epoch_microsecond, tz)", (1704103200123456, 1704103200123456)),
        (
            "try_cast('N?' as timestamp_ntz(6)), try_cast('2024-01-01 10:00:00' as timestamp_ntz(6))",
            (None, datetime.datetime(2024, 1, 1, 10)),
        ),
        ("to_timestamp_ntz(1704103200123456, 6)", (datetime.datetime(2024, 1, 1, 10, 0, 0, 123456),)),
        ("to_timestamp_ltz(1704103200, 0) = '2024-01-01 10:00:00Z'::timestamp_ltz", (True,)),
        ("to_timestamp_ltz(1704103200123456, 6)", (datetime.datetime(2024, 1, 1, 10, 0, 0, 123456, datetime.UTC),)),
        ("datediff(day, '1970-01-01'::date, d), datediff(microsecond, '00:00:00'::time, t)", (19724, 36000500000)),
        ("greatest(1, null), least(null, 1), greatest(1, 2)", (None, None, 2)),
        ("equal_null(null, null), null is not distinct from 1, iff(true, 'a', 'b')", (True, False, "a")),
        ("sha2('a', 256) = sha2('a'), split_part('a:b', ':', 2)", (True, "b")),
        ("startswith('abc', 'a'), contains('abc', 'b')", (True, True)),
        ("rtrim(rtrim('10.500', '0'), '.'), rtrim('10.', '.'), ltrim('0010', '0')", ("10.5", "10", "10")),
        ("to_number(left(md5('é'), 15), 'XXXXXXXXXXXXXXX'), md5('')", (E_ACUTE, "d41d8cd98f00b204e9800998ecf8427e")),
        ("to_varchar(0.5::number(9,3)), to_varchar(-1::number(38,0)), year(d)", ("0.500", "-1", 2024)),
        ("nvl(null, 1), zeroifnull(null), div0(1, 0), mod(-5, 3)", (1, 0, 0, -2)),
        ("1 + max(n), count(*)", (Decimal("2.50"), 1)),
    ],
)
def test_of_a_row(session: SnowflakeConnection, question: str, answer: tuple[Any, ...]) -> None:
    assert session.cursor().execute(f"select {question} from o").fetchone() == answer


ROWS = "values (null, 3, true), ('x', 2, false), ('y', 1, true)"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("max_by(column1, column2), min_by(column1, column2)", (None, "y")),
        ("max_by(object_construct('v', column1), column2)::varchar", ("{}",)),
        ("boolor_agg(column3), booland_agg(column3), count_if(column3)", (True, False, 2)),
        ("listagg(column1, ',') within group (order by column1)", ("x,y",)),
        ("percentile_cont(0.5) within group (order by column2)", (2,)),
        ("max(column1), min(column1), sum(column2)", ("y", "x", 6)),
        ("sum(case when column3 then 1 else 0 end)", (2,)),
        ("array_size(array_agg(distinct column1))", (2,)),
    ],
)
def test_of_rows(session: SnowflakeConnection, question: str, answer: tuple[Any, ...]) -> None:
    assert session.cursor().execute(f"select {question} from {ROWS}").fetchone() == answer


@pytest.mark.parametrize("function", ["max", "min"])
def test_there_is_no_greatest_boolean(session: SnowflakeConnection, function: str) -> None:
    with pytest.raises(ProgrammingError, match="Invalid argument types for function") as refused:
        session.cursor().execute(f"select {function}(b) from o")

    assert refused.value.errno == 1044


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select column1 from values (1), (null), (0) order by 1", [(0,), (1,), (None,)]),
        ("select column1 from values (1), (null), (0) order by 1 desc", [(None,), (1,), (0,)]),
        ("select column1 from values (1), (2) qualify row_number() over (order by column1 desc) = 1", [(2,)]),
        ("select 1 minus select 1", []),
        ("select column1 from values (1), (2) except select 2", [(1,)]),
        (
            "select f.key, f.value::varchar from o, lateral flatten(input => p) f order by 1",
            [("n", "1"), ("x y", "tok")],
        ),
        ("select f.value::varchar, f.index from o, table(flatten(input => o.v)) f order by 2", [("u", 0), ("v", 1)]),
        ("select f.key from table(flatten(input => object_construct('a', 't'))) f", [("a",)]),
        (
            "with t as (select column1 as a from values (1), (5), (9), (null)),"
            " b as (select column1 as low, column2 as name from values (3, 'three'), (9, 'nine'))"
            " select t.a, b.name from t asof join b match_condition (t.a >= b.low) order by 1",
            [(1, None), (5, "three"), (9, "nine"), (None, None)],
        ),
        ("select max(f.value::varchar) from o, lateral flatten(input => o.p) f", [("tok",)]),
    ],
)
def test_of_queries(session: SnowflakeConnection, query: str, rows: list[tuple[Any, ...]]) -> None:
    assert session.cursor().execute(query).fetchall() == rows


def test_a_list_bound_as_text_is_flattened(session: SnowflakeConnection) -> None:
    found = session.cursor().execute(
        "select k from o where k in (select value::varchar from table(flatten(input => parse_json(?))))",
        (json.dumps(["é", "z"]),),
    )

    assert found.fetchall() == [("é",)]


def test_an_object_keeps_its_keys_and_loses_its_nulls_in_merge_too(session: SnowflakeConnection) -> None:
    session.cursor().execute("create or replace table m (k varchar, p object)")
    merge = (
        "merge into m using (select ? as k, ? as x) s on m.k = s.k"
        " when matched then update set p = object_construct('cAse', s.x, 'gone', null)"
        " when not matched then insert (k, p) values (s.k, object_construct('New Key', s.x))"
    )

    session.cursor().execute(merge, ("k", "a"))
    assert session.cursor().execute("select p::varchar from m").fetchall() == [('{"New Key":"a"}',)]
    session.cursor().execute(merge, ("k", "b"))
    assert session.cursor().execute("select p::varchar from m").fetchall() == [('{"cAse":"b"}',)]


def test_overwriting_leaves_only_what_was_inserted_last(session: SnowflakeConnection) -> None:
    session.cursor().execute("create or replace table w (a int)")
    session.cursor().execute("insert into w values (1)")

    session.cursor().execute("insert overwrite into w with c as (select 2 as a) select a from c")

    assert session.cursor().execute("select a from w").fetchall() == [(2,)]


def test_the_catalog_tells_of_columns(session: SnowflakeConnection) -> None:
    found = session.cursor().execute(
        "select column_name, data_type, numeric_precision, numeric_scale, datetime_precision"
        " from information_schema.columns where table_name = 'O' and column_name in ('K', 'N', 'D', 'TS', 'TZ', 'BB')"
        " order by ordinal_position"
    )

    assert found.fetchall() == [
        ("K", "TEXT", None, None, None),
        ("N", "NUMBER", 18, 2, None),
        ("D", "DATE", None, None, None),
        ("TS", "TIMESTAMP_NTZ", None, None, 6),
        ("TZ", "TIMESTAMP_LTZ", None, None, 6),
        ("BB", "BINARY", None, None, None),
    ]


@pytest.mark.parametrize("value", [True, 7, -1.5, Decimal("12.340"), "é'", b"\x00\xff", None])
def test_a_bound_value_comes_back(session: SnowflakeConnection, value: Any) -> None:
    assert session.cursor().execute("select ?", (value,)).fetchone() == (value,)


def test_rows_bound_at_once_are_inserted(snowflake_sessions: Connect) -> None:
    session = snowflake_sessions()
    session.cursor().execute("create table t (a int, b varchar, c timestamp_ntz(6))")
    moment = datetime.datetime(2024, 1, 1, 10, 0, 0, 5)

    cursor = session.cursor()
    cursor.executemany("insert into t values (?, ?, ?)", [(1, "a", moment), (2, None, moment)])

    assert cursor.rowcount == 2
    assert session.cursor().execute("select * from t order by a").fetchall() == [(1, "a", moment), (2, None, moment)]
