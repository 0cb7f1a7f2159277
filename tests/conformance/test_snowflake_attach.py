"""The second part of the set-up, run against the stand-in: before there are tables, with some of them, with all."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from tests.snowflake import Connect, snowflake_database, snowflake_server, snowflake_sessions
from tests.telling import contract_of
from tieout.contract.classified import Classification, Classified
from tieout.run.snowflake_setup.generate import Part, generate
from tieout.run.snowflake_setup.reading_back import read_back
from tieout.run.snowflake_setup.wanted import Edition, Governed, Options, Wanted

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

_GRANTED = """
    select grantee, table_schema, table_name, privilege_type from information_schema.table_privileges
    where table_catalog = current_database()
"""
_PERSON = "(id varchar, mail varchar, _extra varchar, _deleted boolean)"


def ask(session: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last one."""
    cursor = session.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


@pytest.fixture
def session(snowflake_sessions: Connect) -> SnowflakeConnection:
    made = snowflake_sessions()
    ask(made, *(f"create schema {name}" for name in ("RAW", "LATEST", "QUARANTINE", "GOVERNANCE", "READABLE")))
    return made


def attached(
    session: SnowflakeConnection, database: str, edition: Edition = Edition.ENTERPRISE
) -> set[tuple[str, ...]]:
    """Who may do what afterwards: the role's duty, the schema, the table, the right."""
    people = Governed(contract_of("erp.person", mail="text"), Classified({"mail": Classification.PERSONAL}))
    orders = Governed(contract_of("erp.orders", amount="bigint"), Classified({}))
    wanted = Wanted("shop", (people, orders), Options(edition=edition, database=database))
    ask(session, *(said.written.removesuffix(";") for said in read_back(generate(wanted, Part.ATTACH).text)))
    return {(role.rpartition("_")[2], *what) for role, *what in ask(session, _GRANTED)}


READS_PERSON, READS_ORDERS = (("READER", "LATEST", f"ERP__{one}", "SELECT") for one in ("PERSON", "ORDERS"))


def erases(*schemas: str) -> set[tuple[str, ...]]:
    return {("ERASER", schema, "ERP__PERSON", right) for schema in schemas for right in ("SELECT", "UPDATE", "DELETE")}


def test_a_table_that_is_not_there_yet_keeps_no_other_closed(
    session: SnowflakeConnection, snowflake_database: str
) -> None:
    assert attached(session, snowflake_database) == set()

    ask(session, "create table LATEST.ERP__ORDERS (id varchar)")
    assert attached(session, snowflake_database) == {READS_ORDERS}

    ask(session, f"create table LATEST.ERP__PERSON {_PERSON}", f"create table RAW.ERP__PERSON {_PERSON}")
    wanted = {READS_ORDERS, READS_PERSON} | erases("RAW", "LATEST")
    assert attached(session, snowflake_database) == wanted
    assert attached(session, snowflake_database) == wanted, "again"


def test_a_right_that_no_contract_gives_any_more_ends(session: SnowflakeConnection, snowflake_database: str) -> None:
    role = f"{snowflake_database}_reader".upper()
    ask(
        session,
        "create table LATEST.OLD__TABLE (id varchar)",
        f"grant select on table LATEST.OLD__TABLE to role {role}",
    )

    assert attached(session, snowflake_database) == set()


def test_without_policies_readers_have_a_view_where_there_is_a_table(
    session: SnowflakeConnection, snowflake_database: str
) -> None:
    assert attached(session, snowflake_database, Edition.STANDARD) == set()

    ask(session, f"create table LATEST.ERP__PERSON {_PERSON}")
    granted = attached(session, snowflake_database, Edition.STANDARD)

    assert granted == {("DEPLOYER", "LATEST", "ERP__PERSON", "SELECT")} | erases("LATEST")
    assert ask(session, "select * from READABLE.ERP__PERSON") == []
    with pytest.raises(ProgrammingError, match="000904"):
        ask(session, "select mail from READABLE.ERP__PERSON")
