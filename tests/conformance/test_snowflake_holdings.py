"""What the stand-in remembers of an account beside its data: warehouses, roles, rights and the settings of schemas."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector import DictCursor, SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from tests.snowflake import Connect, snowflake_database, snowflake_server, snowflake_sessions
from tests.snowflake_account import AccountServer
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]


@pytest.fixture
def session(snowflake_server: SnowflakeServer, snowflake_sessions: Connect) -> SnowflakeConnection:
    if isinstance(snowflake_server, AccountServer):
        pytest.skip("what is made here is the account's, and would stay")
    return snowflake_sessions()


def ask(session: SnowflakeConnection, *statements: str) -> list[dict[str, Any]]:
    """The rows of the last one."""
    cursor = session.cursor(DictCursor)
    return [cursor.execute(statement).fetchall() for statement in statements][-1]  # type: ignore[misc, union-attr]


def test_warehouses_are_shown_as_they_were_made_and_set(session: SnowflakeConnection) -> None:
    ask(session, "create warehouse shown_1 warehouse_size = 'MEDIUM' auto_suspend = 60 auto_resume = false")
    ask(session, 'create warehouse if not exists "SHOWN_2"', "create warehouse shown_3", "drop warehouse shown_3")
    ask(session, "alter warehouse if exists shown_1 set warehouse_size = XSMALL, auto_suspend = null")

    rows = ask(session, "show warehouses like 'shown%'")

    assert [(row["name"], row["size"], row["auto_suspend"], row["auto_resume"]) for row in rows] == [
        ("SHOWN_1", "X-Small", None, "false"),
        ("SHOWN_2", "X-Small", 600, "true"),
    ]


def test_rights_are_shown_until_they_are_revoked(session: SnowflakeConnection, snowflake_database: str) -> None:
    role = f"OF_{snowflake_database}"
    ask(session, f"create role if not exists {role} comment = 'it''s one'", "create table t (a int)")
    ask(session, f"grant usage, create table on schema public to role {role}", f"grant role {role} to role sysadmin")
    ask(session, f'grant select, update on table "{snowflake_database}".public.t to role {role}')
    ask(session, f"revoke create table on schema public from role {role}", f"revoke update on table t from role {role}")

    shown = ask(session, f'show grants to role "{role}"')
    rights = ask(session, f"select * from information_schema.table_privileges as held where held.grantee = '{role}'")

    assert [(row["privilege"], row["granted_on"], row["name"]) for row in shown] == [
        ("USAGE", "SCHEMA", f"{snowflake_database}.PUBLIC"),
        ("SELECT", "TABLE", f"{snowflake_database}.PUBLIC.T"),
    ]
    assert [(row["TABLE_SCHEMA"], row["TABLE_NAME"], row["PRIVILEGE_TYPE"]) for row in rights] == [
        ("PUBLIC", "T", "SELECT")
    ]


def test_a_right_on_all_tables_is_one_on_each_that_there_is(
    session: SnowflakeConnection, snowflake_database: str
) -> None:
    role = f"ALL_{snowflake_database}"
    ask(session, f"create role {role}", "create table a (a int)", "create table b (a int)")

    ask(session, f"grant select on all tables in schema public to role {role}")

    names = [row["name"] for row in ask(session, f"show grants to role {role}")]
    assert names == [f"{snowflake_database}.PUBLIC.A", f"{snowflake_database}.PUBLIC.B"]


def test_nobody_tells_the_rights_of_a_role_that_is_not_there(session: SnowflakeConnection) -> None:
    with pytest.raises(ProgrammingError, match="does not exist or not authorized") as refused:
        ask(session, "show grants to role nobody_made_this")

    assert refused.value.errno == 2003


def test_a_schema_has_the_settings_that_it_was_made_with(session: SnowflakeConnection) -> None:
    made = "data_retention_time_in_days = 0 max_data_extension_time_in_days = 0 comment = 'what isn''t kept'"
    ask(session, f"create transient schema if not exists brief with managed access {made}")
    ask(session, "create schema kept data_retention_time_in_days = 90", "create schema plain")
    ask(
        session, "alter schema if exists kept set data_retention_time_in_days = 30 max_data_extension_time_in_days = 14"
    )

    rows = ask(session, "select * from information_schema.schemata where schema_name in ('BRIEF', 'KEPT', 'PLAIN')")

    assert {row["SCHEMA_NAME"]: (row["IS_TRANSIENT"], row["RETENTION_TIME"]) for row in rows} == {
        "BRIEF": ("YES", 0),
        "KEPT": ("NO", 30),
        "PLAIN": ("NO", 1),
    }
