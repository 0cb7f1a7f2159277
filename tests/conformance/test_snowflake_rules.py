"""Each rule that the stand-in does not have by itself is held over what is sent: planted statements break them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.statements import CONTRACTS, OCCASIONS
from tests.snowflake import connect, snowflake_database, snowflake_server
from tests.snowflake_rules import PARAMETERS, RULES, RuleBroken, Rules, Watched, source_of
from tieout.base.codec import sha256_hex
from tieout.merge.snowflake.account import session_parameters
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

TAG = {"run": "planted"}


@pytest.fixture
def watched(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[Watched]:
    """With rules of its own, so that what is planted fails nobody else."""
    parameters = session_parameters(TAG)
    options = {"database": snowflake_database, "schema": "PUBLIC", "session_parameters": parameters}
    connection = connect(snowflake_server, autocommit=False, **options)
    yield Watched(connection, Rules())
    connection.close()


def send(watched: Watched, *statements: str, values: list[Any] | None = None) -> None:
    """`values` are of the last one."""
    for statement in statements[:-1]:
        watched.cursor().execute(statement)
    watched.cursor().execute(statements[-1], values)


TABLES = (
    "create or replace temporary table t (k varchar, n number(19,0))",
    "create or replace temporary table s (k varchar, n number(19,0))",
)
MERGE = (
    "merge into t as held using s as came on held.k = came.k and held.k between ? and ?"
    " when matched then update set n = came.n when not matched then insert (k, n) values (came.k, came.n)"
)
UPDATE = "update t as held set n = came.n from (select k, n from s where k <> ?) as came where held.k = came.k"
PLANTED: list[tuple[str, tuple[str, ...]]] = [
    ("transaction", ("begin", "create table if not exists t (a varchar)")),
    ("transaction", ("begin", "-- why\nalter table t add column if not exists b varchar")),
    ("pairs", ("begin", "begin")),
    ("pairs", ("commit",)),
    ("pairs", ("begin", "rollback", "rollback")),
    ("keys", ("create table if not exists t (a varchar primary key)",)),
    ("keys", ("create table if not exists t (a varchar references u (a) rely)",)),
    ("copy", (TABLES[0], "copy into t from @tieout.incoming/day1.parquet on_error = abort_statement")),
    ("copy", (f"copy into t from @tieout.incoming/{'a' * 64}.parquet on_error = abort_statement",)),
    ("literals", (*TABLES, "insert into t select 'Jane Doe', k from s")),
    ("literals", (*TABLES, "-- ours\nselect n from t where k = 'Jane Doe'")),
    ("literals", (*TABLES, "delete from t where n = 48151623")),
    ("again", ("create table t (a varchar)",)),
    ("again", ("create or replace table t (a varchar)",)),
    ("again", ("drop table t",)),
    ("again", (TABLES[0], "alter table t add column b varchar")),
]


@pytest.mark.parametrize(("rule", "statements"), PLANTED)
def test_a_statement_that_breaks_a_rule_is_caught(watched: Watched, rule: str, statements: tuple[str, ...]) -> None:
    if len(statements) > 1:
        send(watched, *statements[:-1])

    with pytest.raises(RuleBroken) as broken:
        send(watched, statements[-1])

    assert broken.value.rule == rule
    assert watched.rules.broken == [broken.value]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_session_that_is_not_set_is_caught(
    snowflake_server: SnowflakeServer, snowflake_database: str, name: str
) -> None:
    wrong = {"AUTOCOMMIT": True, "QUERY_TAG": '{"tool":"tieout"}', "QUOTED_IDENTIFIERS_IGNORE_CASE": True}
    parameters = {**session_parameters(TAG), name: wrong.get(name)}
    if name not in wrong:
        del parameters[name]
    is_kept = name == "AUTOCOMMIT"
    connection = connect(
        snowflake_server, database=snowflake_database, session_parameters=parameters, autocommit=is_kept
    )
    if name == "ERROR_ON_NONDETERMINISTIC_MERGE":  # of which the default is right
        connection.cursor().execute(f"alter session set {name} = false")

    with pytest.raises(RuleBroken) as broken:
        Watched(connection, Rules())

    assert broken.value.rule == "parameters"
    assert name in str(broken.value)
    connection.close()


@pytest.mark.parametrize(("statement", "values"), [(MERGE, ["a", "z"]), (UPDATE, ["b"])])
@pytest.mark.parametrize("held", ["a", "other"])
def test_a_source_with_a_key_twice_is_caught_whether_or_not_the_target_has_it(
    watched: Watched, statement: str, values: list[str], held: str
) -> None:
    send(watched, *TABLES, "insert into t select ?, 0", values=[held])
    send(watched, "insert into s select ?, 1 union all select ?, 0", values=["a", "a"])

    with pytest.raises(RuleBroken) as broken:
        send(watched, statement, values=values)

    assert broken.value.rule == "source"


@pytest.mark.parametrize(("statement", "values"), [(MERGE, ["a", "z"]), (UPDATE, ["a"])])
def test_a_source_with_each_key_once_is_none_the_worse(watched: Watched, statement: str, values: list[str]) -> None:
    send(watched, *TABLES, "insert into t select ?, 0 union all select ?, 0", values=["a", "b"])
    twice_but_left_out = [] if statement == MERGE else ["a"]
    for key in ("a", "b", *twice_but_left_out):
        send(watched, "insert into s select ?, 1", values=[key])

    send(watched, statement, values=values)

    assert watched.rules.broken == []


@pytest.mark.parametrize(
    "statement", ["update t set n = s.n from s", "merge into t using s on true when matched then delete"]
)
def test_a_join_that_cannot_be_read_is_caught(statement: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        source_of(statement)

    assert broken.value.rule == "source"


def test_a_file_under_another_name_than_its_hash_is_caught(watched: Watched, tmp_path: Path) -> None:
    file = tmp_path / f"{sha256_hex(b'one')}.parquet"
    file.write_bytes(b"another")

    with pytest.raises(RuleBroken) as broken:
        send(watched, f"put 'file://{file}' @tieout.incoming auto_compress = false")

    assert broken.value.rule == "copy"


def test_a_copy_that_may_leave_rows_out_is_caught(watched: Watched) -> None:
    name = sha256_hex(b"one")
    watched.rules.staged.add(name)

    with pytest.raises(RuleBroken) as broken:
        send(watched, f"copy into t from @tieout.incoming/{name}.parquet on_error = continue")

    assert broken.value.rule == "copy"


def test_a_session_that_ends_within_a_transaction_is_caught(watched: Watched) -> None:
    send(watched, "begin")

    with pytest.raises(RuleBroken) as broken:
        watched.close()

    assert broken.value.rule == "pairs"


def test_each_rule_is_among_the_planted() -> None:
    apart = {"parameters", "source"}

    assert {rule for rule, _ in PLANTED} | apart == set(RULES)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_what_stands_in_the_golden_files_breaks_no_rule(contract: str, occasion: str) -> None:
    """Without a server: what hangs on a statement's text alone."""
    rules, is_open = Rules(), False
    for sent in [*OCCASIONS["prepare"](CONTRACTS[contract]), *OCCASIONS[occasion](CONTRACTS[contract])]:
        if staged := re.match(r"put 'file://(\w+).parquet", sent.text):
            rules.staged.add(staged[1])
            continue
        rules.look(sent.text, is_open=is_open)
        is_open = (is_open or sent.text == "begin") and sent.text != "commit"
    assert not is_open
