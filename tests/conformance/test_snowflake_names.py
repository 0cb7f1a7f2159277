"""Old names answered in Snowflake, where each change of a name is committed at once: cut off anywhere, all have one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from tests.snowflake import Connect, snowflake_database, snowflake_server, snowflake_sessions
from tieout.base.errors import Misconfigured, Transient
from tieout.base.sql import Sql
from tieout.merge.names import Answer, Column
from tieout.merge.snowflake.names import SnowflakeNames
from tieout.merge.snowflake.session import NOTHING, Session

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

LIVE = """
create schema latest;
create table latest.erp__account (id varchar, amount number(18,2), _deleted boolean);
insert into latest.erp__account values ('A1', 47000, false), ('A2', 10, false), ('A3', 1, true)
"""
OLD = """
create schema {schema};
create table {schema}.account as select 'A1' as account_id, 45000.00::float as amount;
grant select, update on table {schema}.account to role reporter
"""
ACCOUNT = Answer(
    "account", ("latest", "erp__account"), (Column("account_id", "id", None), Column("amount", "amount", "float"))
)
IN_FILES = Answer("contact", ("latest", "erp__account"), (Column("contact_id", "id", None),))
ANSWERS = [ACCOUNT, IN_FILES]
OLD_ROWS, NEW_ROWS = [("A1", 45000.0)], [("A1", 47000.0), ("A2", 10.0)]

Ask = Callable[[str], list[tuple[Any, ...]]]


class CutSession(Session):
    """Is gone at one of its writing statements, before that has run or after it: nobody who has sent it knows which."""

    def __init__(self, connect: Callable[[], Any], at: int, *, has_run: bool) -> None:
        super().__init__(connect, "there")
        self.left, self._has_run = at, has_run

    def run(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> int:
        if self.left == 0 and self._has_run:
            super().run(statement, values)
        if self.left == 0:
            raise Transient("it is gone.")
        self.left -= 1
        return super().run(statement, values)


@pytest.fixture
def ask(snowflake_sessions: Connect) -> Iterator[Ask]:
    """Somebody else's session, which stays."""
    with snowflake_sessions() as session:

        def asked(statements: str) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = []
            for statement in filter(str.strip, statements.split(";")):
                rows = list(session.cursor().execute(statement).fetchall())
            return rows

        asked(LIVE)
        yield asked


@pytest.fixture
def names(snowflake_sessions: Connect) -> Callable[[str], SnowflakeNames]:
    return lambda schema: SnowflakeNames(lambda: Session(snowflake_sessions, "there"), schema)


def standing(ask: Ask, schema: str) -> dict[str, str]:
    found = ask(f"select table_name, table_type from information_schema.tables where table_schema = '{schema.upper()}'")
    return dict(found)


def readers(ask: Ask, view: str) -> list[tuple[str, str]]:
    return [(row[1], row[5]) for row in ask(f"show grants on view {view}") if row[1] != "OWNERSHIP"]


SWITCHED = {"ACCOUNT": "VIEW", "ACCOUNT__BEFORE": "BASE TABLE", "CONTACT": "VIEW"}
RESTORED = {"ACCOUNT": "BASE TABLE"}


@pytest.mark.parametrize("has_run", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("deed", ["switch", "restore"])
def test_a_deed_that_is_cut_off_anywhere_leaves_the_name_answered_and_is_ended_by_the_next(
    ask: Ask, names: Callable[[str], SnowflakeNames], snowflake_sessions: Connect, deed: str, has_run: bool
) -> None:
    def done(on: SnowflakeNames, what: str) -> None:
        if what == "switch":
            on.switch(ANSWERS)
        else:
            on.restore([one.name for one in ANSWERS])

    for at in count():
        schema = f"old_{at}"
        ask(OLD.format(schema=schema))
        if deed == "restore":
            with names(schema) as whole:
                done(whole, "switch")
        session = CutSession(snowflake_sessions, at, has_run=has_run)
        with SnowflakeNames(lambda held=session: held, schema) as cut:
            try:
                done(cut, deed)
            except Transient:
                assert session.left == 0
            else:
                break

        assert ask(f"select account_id, amount from {schema}.account order by 1") in (OLD_ROWS, NEW_ROWS)
        for after, rows, left in (
            (deed, *_end_of(deed)),
            ("switch", *_end_of("switch")),
            ("restore", *_end_of("restore")),
        ):
            with names(schema) as again:
                done(again, after)
            assert ask(f"select account_id, amount from {schema}.account order by 1") == rows
            assert standing(ask, schema) == left
            if after == "switch":
                assert ("SELECT", "REPORTER") in readers(ask, f"{schema}.account")
    assert at >= 3, "there was more than one statement to cut"


def _end_of(deed: str) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    return (NEW_ROWS, SWITCHED) if deed == "switch" else (OLD_ROWS, RESTORED)


def test_what_snowflake_itself_lost_between_two_names_is_ended_by_either_deed(
    ask: Ask, names: Callable[[str], SnowflakeNames]
) -> None:
    for schema in ("one", "other"):
        ask(OLD.format(schema=schema) + f"; alter table {schema}.account rename to {schema}.account__before")

    with names("one") as one:
        one.switch(ANSWERS)
    with names("other") as other:
        other.restore(["account"])

    assert (standing(ask, "one"), standing(ask, "other")) == (SWITCHED, RESTORED)
    assert ("SELECT", "REPORTER") in readers(ask, "one.account")


class HinderedSession(Session):
    """Loses the view that was made ready, just before it is to take its name."""

    def run(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> int:
        if "execute immediate" in statement:
            super().run(Sql("drop view old.account__after"))
        return super().run(statement, values)


def test_where_the_view_cannot_take_the_name_the_table_has_it_again(ask: Ask, snowflake_sessions: Connect) -> None:
    ask(OLD.format(schema="old"))

    hindered = SnowflakeNames(lambda: HinderedSession(snowflake_sessions, "there"), "old")
    with hindered, pytest.raises(Misconfigured, match=r"old\.account cannot be renamed.*OWNERSHIP"):
        hindered.switch([ACCOUNT])

    assert ask("select account_id, amount from old.account") == OLD_ROWS
    assert standing(ask, "old") == RESTORED


def test_a_view_of_somebody_else_is_left_alone_also_where_ours_would_be_made_ready(
    ask: Ask, names: Callable[[str], SnowflakeNames]
) -> None:
    ask(OLD.format(schema="old") + "; create view old.account__after as select 1 as n")

    with names("old") as held, pytest.raises(Misconfigured, match="account__after is a view that tieout has not made"):
        held.switch(ANSWERS)

    assert standing(ask, "old") == RESTORED | {"ACCOUNT__AFTER": "VIEW"}


def test_a_type_that_snowflake_has_not_is_told_before_anything_is_renamed(
    ask: Ask, names: Callable[[str], SnowflakeNames]
) -> None:
    ask(OLD.format(schema="old"))
    wrong = Answer("account", ACCOUNT.latest, (Column("account_id", "id", "nothing_of_this_name"),))

    with names("old") as held, pytest.raises(Misconfigured, match=r"old\.account cannot be answered"):
        held.switch([wrong])

    assert standing(ask, "old") == RESTORED
