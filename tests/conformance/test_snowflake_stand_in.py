"""The stand-in behaves as Snowflake where fakesnow does not. One test or more for each correction it claims."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from tests.snowflake import Connect, snowflake_database, snowflake_server, snowflake_sessions
from tieout.sim.snowflake.manners.corrections import CORRECTIONS

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

Rows = list[tuple[Any, ...]]
Ask = Callable[..., Rows]


def ask(connection: SnowflakeConnection, *statements: str) -> Rows:
    """The rows of the last one."""
    rows: Rows = []
    for statement in statements:
        rows = list(connection.cursor().execute(statement).fetchall())
    return rows


@pytest.fixture
def session(snowflake_sessions: Connect) -> SnowflakeConnection:
    return snowflake_sessions()


@pytest.mark.parametrize("kind", ["table", "view"])
def test_what_is_temporary_lies_in_the_schema_named_and_goes_with_its_session(
    snowflake_sessions: Connect, snowflake_database: str, kind: str
) -> None:
    mine, yours = snowflake_sessions(), snowflake_sessions()
    ask(mine, "create schema s", "use schema public")

    ask(mine, f"create or replace temporary {kind} {snowflake_database}.s.t as select 1 as a")

    assert ask(mine, f"select t.a from {snowflake_database}.s.t") == [(1,)]
    assert ask(mine, f"describe table {snowflake_database}.s.t")[0][0] == "A"
    with pytest.raises(ProgrammingError):
        ask(yours, "select a from s.t")
    mine.close()
    assert ask(yours, "select table_name from information_schema.tables where table_schema = 'S'") == []


def stage(session: SnowflakeConnection, folder: Path, name: str, table: pa.Table, *, below: str = "") -> None:
    pq.write_table(table, folder / name)
    ask(session, "create stage if not exists landing")
    ask(session, f"put file://{folder / name} @landing{below} auto_compress=false overwrite=true")


PARQUET = "file_format=(type=parquet use_logical_type=true binary_as_text=false)"
BY_NAME = "match_by_column_name=case_insensitive on_error=abort_statement"


@pytest.mark.parametrize("below", ["", "/a/b"])
@pytest.mark.parametrize("temporary", ["", "temporary"])
def test_copy_loads_the_files_it_names(
    session: SnowflakeConnection, tmp_path: Path, below: str, temporary: str
) -> None:
    stage(session, tmp_path, "x.parquet", pa.table({"ID": ["a"], "n": [Decimal("1.50")], "other": [1]}), below=below)
    stage(session, tmp_path, "y.parquet", pa.table({"ID": ["b"]}), below=below)
    ask(session, f"create {temporary} table t (id varchar, n number(18,2))")

    cursor = session.cursor().execute(f"copy into t from @landing{below} files=('x.parquet') {PARQUET} {BY_NAME}")

    assert [column.name for column in cursor.description][:6] == [
        "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen"
    ]  # fmt: skip
    assert cursor.fetchall()[0][1:4] == ("LOADED", 1, 1)
    assert ask(session, "select * from t") == [("a", Decimal("1.50"))]


def test_copy_skips_a_file_that_it_loaded_unless_it_was_changed(session: SnowflakeConnection, tmp_path: Path) -> None:
    copy = f"copy into t from @landing files=('x.parquet') {PARQUET} {BY_NAME}"
    stage(session, tmp_path, "x.parquet", pa.table({"ID": ["a"]}))
    ask(session, "create table t (id varchar)", copy)

    assert ask(session, copy) == [("Copy executed with 0 files processed.",)]
    stage(session, tmp_path, "x.parquet", pa.table({"ID": ["b"]}))
    assert ask(session, copy)[0][1] == "LOADED"
    assert ask(session, "select id from t order by id") == [("a",), ("b",)]


def test_a_load_that_was_rolled_back_was_no_load(session: SnowflakeConnection, tmp_path: Path) -> None:
    copy = f"copy into t from @landing files=('x.parquet') {PARQUET} {BY_NAME}"
    stage(session, tmp_path, "x.parquet", pa.table({"ID": ["a"]}))
    ask(session, "create table t (id varchar)", "begin", copy, "rollback")

    assert ask(session, copy)[0][1] == "LOADED"


def test_the_name_of_a_column_may_hold_a_quote(session: SnowflakeConnection) -> None:
    ask(session, """create table t ("IT'S" varchar)""", "insert into t values ('x')")

    assert ask(session, """select "IT'S" from t""") == [("x",)]


def test_a_database_is_dropped(session: SnowflakeConnection, snowflake_database: str) -> None:
    ask(session, "create database for_a_while", "create table t (a int)", f"use database {snowflake_database}")

    ask(session, "drop database for_a_while", "drop database if exists for_a_while")

    with pytest.raises(ProgrammingError):
        ask(session, "select a from for_a_while.public.t")
    with pytest.raises(ProgrammingError):
        ask(session, "drop database for_a_while")


def test_copy_refuses_a_file_that_is_not_there(session: SnowflakeConnection) -> None:
    ask(session, "create stage landing", "create table t (id varchar)")

    with pytest.raises(ProgrammingError) as refused:
        ask(session, f"copy into t from @landing files=('x.parquet') {PARQUET} {BY_NAME}")

    assert refused.value.errno == 91016


def test_copy_reshapes_what_the_files_hold(session: SnowflakeConnection, tmp_path: Path) -> None:
    stage(session, tmp_path, "x.parquet", pa.table({"ID": ["a"], "n": [7]}))
    ask(session, "create table t (n int, id varchar)")

    shape = "select $1:n::int, $1:ID::varchar from @landing"
    ask(session, f"copy into t from ({shape}) files=('x.parquet') file_format=(type=parquet)")

    assert ask(session, "select n, id from t") == [(7, "a")]


def test_a_session_keeps_its_own_parameters(snowflake_sessions: Connect) -> None:
    mine, yours = snowflake_sessions(session_parameters={"QUERY_TAG": "login"}), snowflake_sessions()

    ask(mine, "alter session set timezone = 'UTC', lock_timeout = 300, error_on_nondeterministic_merge = false")

    assert ask(mine, "show parameters like 'TIMEZONE'")[0][:3] == ("TIMEZONE", "UTC", "America/Los_Angeles")
    assert ask(mine, "show parameters like 'LOCK_TIMEOUT'")[0][1] == "300"
    assert ask(mine, "show parameters like 'QUERY_TAG'")[0][1] == "login"
    assert ask(yours, "show parameters like 'TIMEZONE'")[0][1] == "America/Los_Angeles"
    ask(mine, "alter session unset timezone, query_tag")
    assert ask(mine, "show parameters like 'TIMEZONE'")[0][1] == "America/Los_Angeles"


def test_a_session_in_a_database_of_nobody_is_refused_if_that_is_asked_for(snowflake_sessions: Connect) -> None:
    assert snowflake_sessions(database="NOBODYS").database is None

    with pytest.raises(DatabaseError, match="does not exist or not authorized") as refused:
        snowflake_sessions(database="NOBODYS", validate_default_parameters=True)

    assert refused.value.errno == 390201


def test_a_transaction_that_holds_a_lock_is_seen_and_aborted_from_outside(snowflake_sessions: Connect) -> None:
    mine, yours = snowflake_sessions(autocommit=False), snowflake_sessions()
    ask(mine, "create table t (n int)", "insert into t values (1)", "commit")
    assert ask(mine, "select current_transaction()") == [(None,)]
    ask(mine, "begin", "update t set n = 2")
    ((number,),) = ask(mine, "select current_transaction()")

    (held,) = ask(yours, "show locks")
    assert (held[0].split(".")[-1], held[2], held[4]) == ("T", number, "HOLDING")
    ask(yours, f"select system$abort_transaction({number})", "update t set n = 3")

    assert ask(mine, "select n from t") == [(3,)], "nothing of what was aborted"
    ask(mine, "insert into t values (4)")
    assert ask(mine, "select current_transaction()") != [(number,)], "no error: another one has begun"


def test_a_session_knows_itself(session: SnowflakeConnection) -> None:
    ask(session, "use role loader", "use warehouse merging")
    before = session.cursor().execute("select 1").sfqid

    assert ask(session, "select last_query_id()") == [(before,)]
    assert ask(session, "select current_role(), current_warehouse()") == [("LOADER", "MERGING")]
    assert ask(session, "select current_session()")[0][0]


def test_whole_numbers_have_38_digits(session: SnowflakeConnection) -> None:
    ask(session, "create table t (h number(20,0), n number(38,0))")
    ask(session, f"insert into t values ({2**64 - 1}, {10**38 - 1}), ({2**64 - 1}, 1)")

    assert ask(session, "select h, n from t order by n") == [(2**64 - 1, 1), (2**64 - 1, 10**38 - 1)]
    assert ask(session, "select sum(h), mod(sum(h), 18446744073709551616) from t") == [(2**65 - 2, 2**64 - 2)]
    assert ask(session, "select to_number('ffffffffffffffff', 'XXXXXXXXXXXXXXXX'), to_number('0f', 'XX')") == [
        (2**64 - 1, 15)
    ]


def test_a_null_moment_is_null(session: SnowflakeConnection) -> None:
    moment = datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)
    ask(session, "alter session set timezone = 'UTC'", "create table t (n timestamp_ntz(6), l timestamp_ltz(6))")
    session.cursor().execute("insert into t values (?, null), (null, ?)", (moment, moment))

    rows = ask(session, "select n, l from t order by n")

    assert rows == [(moment, None), (None, moment.replace(tzinfo=datetime.UTC))]


@pytest.mark.parametrize(
    "definition",
    [
        "create table made (a int)",
        "create temporary table made (a int)",
        "create view made as select 1 as a",
        "alter table t add column b int",
        "create stage made",
        "grant select on table t to role reader",
    ],
)
def test_a_definition_commits_the_open_transaction(session: SnowflakeConnection, definition: str) -> None:
    ask(session, "create table t (a int)", "begin", "insert into t values (1)", definition, "rollback")

    assert ask(session, "select a from t") == [(1,)]


def test_a_failed_statement_leaves_the_transaction_open(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int)", "begin", "insert into t values (1)")

    for wrong in ("select nope from t", "insert into t values ('x')"):
        with pytest.raises(ProgrammingError):
            ask(session, wrong)

    ask(session, "insert into t values (2)", "commit")
    assert ask(session, "select a from t order by a") == [(1,), (2,)]


MERGE = """
merge into t using (select column1 as a, column2 as b from values (1, 'p'), (1, 'q')) s on t.a = s.a
when matched then update set b = s.b when not matched then insert (a, b) values (s.a, s.b)
"""


def test_merge_refuses_two_rows_for_one(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int, b varchar)", "insert into t values (1, 'x')")

    with pytest.raises(ProgrammingError, match="Duplicate row detected during DML action") as refused:
        ask(session, MERGE)

    assert (refused.value.errno, refused.value.sqlstate) == (100090, "42P18")
    assert ask(session, "select b from t") == [("x",)]


def test_merge_inserts_what_two_rows_bring_anew(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int, b varchar)")

    cursor = session.cursor().execute(MERGE)

    assert [column.name for column in cursor.description] == ["number of rows inserted", "number of rows updated"]
    assert (cursor.rowcount, cursor.fetchall()) == (2, [(2, 0)])


def test_merge_picks_one_of_two_rows_if_the_session_says_so(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int, b varchar)", "insert into t values (1, 'x')")

    ask(session, "alter session set error_on_nondeterministic_merge = false", MERGE)

    assert ask(session, "select b from t") in ([("p",)], [("q",)])


def test_update_refuses_two_rows_for_one_if_the_session_says_so(session: SnowflakeConnection) -> None:
    update = (
        "update t set b = s.b from (select column1 as a, column2 as b from values (1, 'p'), (1, 'q')) s where t.a = s.a"
    )
    ask(session, "create table t (a int, b varchar)", "insert into t values (1, 'x')")
    ask(session, update, "alter session set error_on_nondeterministic_update = true")

    with pytest.raises(ProgrammingError) as refused:
        ask(session, update)

    assert refused.value.errno == 100090


def test_keys_are_not_enforced(session: SnowflakeConnection) -> None:
    ask(
        session,
        "create table t (a int primary key, b int unique, c int, constraint k unique (c),"
        " foreign key (b) references t (a))",
    )

    ask(session, "insert into t values (1, 1, 1), (1, 1, 1)")

    assert ask(session, "select count(*) from t") == [(2,)]


@pytest.mark.parametrize(
    "change",
    ["insert into t values ('abcd')", "update t set a = a || 'bcd'", "insert into t select 'é' || a || 'cd' from t"],
)
def test_text_longer_than_its_column_is_refused(session: SnowflakeConnection, change: str) -> None:
    ask(session, "create table t (a varchar(3))", "insert into t values ('é')")

    with pytest.raises(ProgrammingError, match="is too long and would be truncated") as refused:
        ask(session, change)

    assert refused.value.errno == 100078
    assert ask(session, "select a from t") == [("é",)]


def test_a_wider_column_takes_longer_text(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a varchar(3))", "alter table t alter column a set data type varchar(5)")
    ask(session, "alter table t rename to u", "insert into u values ('abcde')")

    with pytest.raises(ProgrammingError, match="too long"):
        ask(session, "insert into u values ('abcdef')")


def test_tables_are_swapped(session: SnowflakeConnection) -> None:
    ask(session, "create table a (x int)", "create table b (y varchar)", "insert into a values (1)")

    ask(session, "alter table a swap with b")

    assert ask(session, "select x from b") == [(1,)]
    assert ask(session, "select y from a") == []


def test_a_table_is_replaced_by_a_clone_of_another(session: SnowflakeConnection) -> None:
    ask(session, "create table a (x int)", 'create table "a b/1" (y varchar)', "insert into \"a b/1\" values ('k')")

    for _ in range(2):
        ask(session, 'create or replace table a clone "a b/1" copy grants copy tags')
        ask(session, "insert into a values ('of its own')")

    assert ask(session, "select y from a order by y") == [("k",), ("of its own",)]
    assert ask(session, 'select y from "a b/1"') == [("k",)]


@pytest.mark.parametrize(
    "statement",
    [
        "alter table t set data_retention_time_in_days = 1",
        "alter table t set comment = 'x'",
        "comment on table t is 'x'",
        "create transient table u (a int) data_retention_time_in_days = 0 comment = 'x'",
        "create or replace secure view v as select a from t",
        "create role reader",
        "grant usage on schema public to role reader",
        "create masking policy hide as (val varchar) returns varchar -> '***'",
        "alter table t modify column a set masking policy hide",
        "create warehouse if not exists w warehouse_size = xsmall",
        "drop role if exists reader",
        "alter schema public set data_retention_time_in_days = 1",
        "use secondary roles none",
    ],
)
def test_what_is_only_accepted_succeeds(session: SnowflakeConnection, statement: str) -> None:
    ask(session, "create table t (a varchar)")

    ask(session, statement)


def test_the_catalog_tells_of_views_and_a_comment_follows_what_it_was_made_for(session: SnowflakeConnection) -> None:
    told = (
        "select table_name, table_type, comment from information_schema.tables where table_schema = 'PUBLIC' order by 1"
    )

    ask(session, "create table t (a int) comment = 'of t'", "create view v comment = 'of v' as select a from t")
    assert ask(session, told) == [("T", "BASE TABLE", "of t"), ("V", "VIEW", "of v")]

    ask(session, "alter table t rename to u", "alter view v rename to t", "alter table if exists nothing rename to v")
    assert ask(session, told) == [("T", "VIEW", "of v"), ("U", "BASE TABLE", "of t")]

    ask(session, "create or replace view t as select a from u")
    assert ask(session, told)[0] == ("T", "VIEW", None)


def test_grants_are_told_and_follow_what_was_granted(session: SnowflakeConnection) -> None:
    def granted(kind: str, name: str) -> list[tuple[str, str, str]]:
        return [(row[1], row[4], row[5]) for row in ask(session, f"show grants on {kind} {name}")]

    owner, reader = ("OWNERSHIP", "ROLE", "SYSADMIN"), ("SELECT", "ROLE", "reader")
    ask(session, "create table t (a int)", 'grant select, references on table public.t to role "reader"')
    assert granted("table", "t") == [owner, reader, ("REFERENCES", "ROLE", "reader")]

    ask(session, "alter table t rename to public.u")
    assert len(granted("table", "u")) == 3

    ask(session, "create view t as select a from u", 'grant select on view t to role "reader"')
    ask(session, "create or replace view t copy grants as select a as b from u")
    assert granted("view", "t") == [owner, reader]

    ask(session, "create or replace view t as select a from u")
    assert granted("view", "t") == [owner]
    with pytest.raises(ProgrammingError, match="002003"):
        ask(session, "show grants on table nothing")


def test_a_block_runs_one_after_another_and_its_handler_when_one_fails(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int)")

    ask(
        session,
        "execute immediate $$ begin alter table t rename to u; create view t as select ';' as b from u; end; $$",
    )
    assert ask(session, "select b from t") == []

    with pytest.raises(ProgrammingError, match="002003"):
        ask(
            session,
            'execute immediate \'begin alter table u rename to w; alter table "not; there" rename to x;'
            " exception when other then alter table w rename to y; raise; end;'",
        )
    assert ask(session, "select a from y") == []


def test_a_right_on_a_table_that_is_not_there_is_refused_and_a_block_may_pass_over_that_alone(
    session: SnowflakeConnection,
) -> None:
    def passing(statement: str) -> str:
        return (
            f"execute immediate 'begin {statement};"
            " exception when statement_error then if (sqlcode <> 2003) then raise; end if; end;'"
        )

    for statement in ("grant select on table t to role r", "revoke select on table t from role r"):
        with pytest.raises(ProgrammingError, match="002003"):
            ask(session, statement)
        ask(session, passing(statement))
    ask(session, "create table narrow (a varchar(1))")
    with pytest.raises(ProgrammingError, match="100078"):
        ask(session, passing("insert into narrow values (''too long'')"))

    ask(session, "create table t (a int)", passing("grant select on table t to role r"))
    told = (
        "select grantee, table_name from information_schema.table_privileges where table_catalog = current_database()"
    )
    assert ask(session, told) == [("R", "T")]
    ask(session, "revoke select on all tables in schema public from role r")
    assert ask(session, told) == []


def test_the_tags_of_a_table_are_told_by_column(session: SnowflakeConnection) -> None:
    told = (
        "select column_name as name, tag_database, tag_schema, tag_name"
        " from table(information_schema.tag_references_all_columns('\"PUBLIC\".\"T\"', 'table'))"
    )
    tag = "modify column {} set tag a.b.\"PERSONAL\" = 'column'"
    with pytest.raises(ProgrammingError, match="002003"):
        ask(session, told)
    with pytest.raises(ProgrammingError, match="002003"):
        ask(session, f"alter table t {tag.format('c')}")
    ask(session, f"alter table if exists t {tag.format('c')}", "create table t (c int, d int)")

    assert ask(session, told) == []
    with pytest.raises(ProgrammingError, match="000904"):
        ask(session, f"alter table if exists t {tag.format('e')}")

    ask(session, *[f"alter table if exists public.t {tag.format('d')}"] * 2)
    assert ask(session, told) == [("D", "A", "B", "PERSONAL")]


def test_files_of_a_stage_are_listed_and_removed_by_their_path(session: SnowflakeConnection, tmp_path: Path) -> None:
    for name, below in (("x.parquet", "/a"), ("y.parquet", "/a/b"), ("z.parquet", "/c")):
        stage(session, tmp_path, name, pa.table({"ID": ["a"]}), below=below)

    listed = ask(session, "list @landing/a")

    assert [name for name, *_ in listed] == ["landing/a/b/y.parquet", "landing/a/x.parquet"]
    assert ask(session, "remove @landing/a/b/") == [("landing/a/b/y.parquet", "removed")]
    assert len(ask(session, "list @landing")) == 2


def test_a_session_has_its_time_zone(session: SnowflakeConnection) -> None:
    ask(session, "create table t (n timestamp_ntz(6), l timestamp_ltz(6))")
    ask(session, "insert into t values ('2024-01-01 00:00:00', '2024-01-01 00:00:00')")

    assert ask(session, "select l::timestamp_ntz, date_part(epoch_second, l) - date_part(epoch_second, n) from t") == [
        (datetime.datetime(2024, 1, 1), 8 * 3600)
    ]
    ask(session, "alter session set timezone = 'UTC'")
    assert ask(session, "select l::timestamp_ntz, l from t") == [
        (datetime.datetime(2024, 1, 1, 8), datetime.datetime(2024, 1, 1, 8, tzinfo=datetime.UTC))
    ]


def test_to_name_a_database_at_the_login_makes_none(snowflake_sessions: Connect) -> None:
    session = snowflake_sessions(database="absent", schema="public")

    assert ask(session, "select current_database(), current_schema()") == [(None, None)]
    ask(session, "create database if not exists absent")
    assert ask(session, "select current_database(), current_schema()") == [("ABSENT", "PUBLIC")]


@pytest.mark.parametrize(
    "begin", ["begin", 'BEGIN\n/* {"app": "x"} */', "-- why\n begin transaction;", "start transaction"]
)
def test_a_transaction_begins_in_each_way_there_is(session: SnowflakeConnection, begin: str) -> None:
    ask(session, "create table t (a int)", begin, "insert into t values (1)", "rollback")

    assert ask(session, "select a from t") == []


def test_several_statements_in_one_are_refused(session: SnowflakeConnection) -> None:
    ask(session, "create table t (a int)", "insert into t values (1)")

    with pytest.raises(ProgrammingError, match="Actual statement count 3 did not match") as refused:
        ask(session, "select a from t; delete from t; select 1")

    assert refused.value.errno == 8
    assert ask(session, "select a from t;") == [(1,)]


def test_each_correction_has_its_proof() -> None:
    proofs = "".join(path.read_text() for path in Path(__file__).parent.glob("test_snowflake_*.py"))

    assert not [each.name for each in CORRECTIONS if f"def {each.proof}(" not in proofs]
