"""Every type of PostgreSQL comes to the same value here, whether it was read, logged or read again by its key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa
import pytest

from tests.conformance.postgres_follower import Follower, session
from tests.postgres_values import TYPES_MADE, VALUES, column_of, gallery, rows
from tieout.base.stream import Stream
from tieout.base.types import Column, Described
from tieout.capture.source import Captured
from tieout.contract.contract import Contract
from tieout.contract.judge import judge

UNHOLDABLE = [
    ("timestamp", "'294276-12-31 23:59:59.999999'"),
    ("timestamptz", "'294247-01-10 04:00:54.775807+00'"),
    ("numeric(12,2)", "'NaN'"),
]

KEYS = [
    ("bool", "false"), ("smallint", "-1"), ("bigint", "9223372036854775807"), ("numeric", "0.10"),
    ("numeric(12,2)", "-1.5"), ("double precision", "0.1"), ("real", "1.1"), ("text", "'a \"b\" \\'"),
    ("char(5)", "'ab'"), ("bytea", "'\\x00ff'"), ("date", "'0044-03-15 BC'"), ("date", "'infinity'"),
    ("time", "'24:00:00'"), ("timetz", "'10:00:00+02'"), ("timestamp", "'0001-01-01 10:00 BC'"),
    ("timestamptz", "'4713-01-01 00:00:00+00 BC'"), ("timestamptz", "'-infinity'"), ("interval", "'1 mon'"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"), ("jsonb", "'{\"a\": 1}'"), ("inet", "'10.0.0.0/8'"),
    ("oid", "4294967295"), ("mood", "'fine'"), ("positive", "7"), ("int[]", "'{1,2}'"), ("pair", "row(1, 'a b')"),
    ("int4range", "'[1,5)'"), ("money", "'1234.5'"),
]  # fmt: skip


def contract_of(described: Described) -> Contract:
    return Contract(Stream("shop", described.object), described.columns, described.key, "1.0.0", "draft", "digest")


def judged_of(pieces: Iterable[Captured], contract: Contract) -> pa.Table:
    judged = [
        judge(piece.tables[contract.stream.object], contract, encoding=piece.encoding, epoch=piece.epoch).changes
        for piece in pieces
        if contract.stream.object in piece.tables
    ]
    return pa.concat_tables(judged)


def shown(judged: pa.Table, columns: Sequence[Column]) -> dict[str, dict[str, str | None]]:
    """By column and key, the value as the warehouse writes it in text."""
    quoted = {column.name: column.name.replace('"', '""') for column in columns}
    casts = [f'cast(cast("{quoted[column.name]}" as {column.type.duckdb}) as varchar)' for column in columns]
    with duckdb.connect() as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.register("judged", judged.filter(pa.compute.equal(judged["_kind"], "image")))
        rows = warehouse.execute(f"select _key, {', '.join(casts)} from judged").fetchall()
    return {name: {key: values[at] for key, *values in rows} for at, name in enumerate(quoted)}


def faults(judged: pa.Table) -> list[str]:
    return [fault for fault in judged["_fault"].to_pylist() if fault is not None]


def test_a_value_is_the_same_whether_it_was_read_logged_or_read_again(database: str) -> None:
    with session(database) as shop:
        shop.execute(f"{gallery()}; {rows(range(len(VALUES)))}")
    follower = Follower(database, {"gallery": "public.gallery"})
    read = follower.run()
    (described,) = follower.source.describe()
    with session(database) as shop:
        shop.execute(f"truncate gallery; {rows(range(len(VALUES)))}")
    logged = follower.run()
    keys = tuple(f'["{at}"]' for at in range(len(VALUES)))
    with follower.source.reread({"gallery": keys}) as told:
        reread = list(told)

    contract = contract_of(described)

    assert {piece.encoding for piece in logged} == {"text"}
    expected = [(f'["{at}"]', type_, value) for at, (type_, _, value) in enumerate(VALUES)]
    for pieces in (read, logged, reread):
        judged = judged_of(pieces, contract)
        by_name = shown(judged, described.columns)
        held = {type_: by_name[column_of(type_)] for type_, _, _ in VALUES}
        assert faults(judged) == []
        assert [(key, type_, held[type_][key]) for key, type_, _ in expected] == expected
        assert sum(value is not None for column in held.values() for value in column.values()) == len(VALUES)


@pytest.mark.parametrize(("type_", "value"), UNHOLDABLE)
def test_what_the_warehouse_cannot_hold_is_a_fault_of_its_row_and_never_another_value(
    type_: str, value: str, database: str
) -> None:
    with session(database) as shop:
        shop.execute(f"create table gallery (id int primary key, v {type_})")
        shop.execute(f"insert into gallery values (1, {value}), (2, null)")
    follower = Follower(database, {"gallery": "public.gallery"})
    read = follower.run()
    (described,) = follower.source.describe()
    with session(database) as shop:
        shop.execute(f"truncate gallery; insert into gallery values (1, {value}), (2, null)")

    logged = follower.run()

    for pieces in (read, logged):
        judged = judged_of(pieces, contract_of(described))
        (fault,) = faults(judged)
        assert value.strip("'").removesuffix("+00") in fault
        assert set(judged["v"].to_pylist()) == {None}
        assert judged.filter(pa.compute.is_valid(judged["_fault"]))["_key"].to_pylist() == ['["1"]']


def test_a_key_of_any_type_is_found_again_by_its_text(database: str) -> None:
    tables = {f"k{at}": (type_, value) for at, (type_, value) in enumerate(KEYS)}
    with session(database) as shop:
        shop.execute(TYPES_MADE)
        for table, (type_, value) in tables.items():
            shop.execute(
                f"create table {table} (id {type_} primary key, v int); insert into {table} values ({value}, 1)"
            )
    follower = Follower(database, {table: f"public.{table}" for table in tables})
    read = follower.run()
    contracts = {described.object: contract_of(described) for described in follower.source.describe()}
    with session(database) as shop:
        for table, (_, value) in tables.items():
            shop.execute(f"update {table} set v = 2; delete from {table}; insert into {table} values ({value}, 3)")
    logged = follower.run()
    keys = {table: judged_of(read, contract)["_key"][0].as_py() for table, contract in contracts.items()}

    with follower.source.reread({table: (key,) for table, key in keys.items()}) as told:
        again = list(told)
    with session(database) as shop:
        shop.execute("; ".join(f"delete from {table}" for table in tables))
    with follower.source.reread({table: (key,) for table, key in keys.items()}) as told:
        gone = list(told)

    for table, contract in contracts.items():
        expected = [(kind, keys[table]) for kind in ("image", "delete", "image")]
        assert [row[:2] for row in rows_of(logged, contract)][-3:] == expected, tables[table]
        assert rows_of(again, contract) == [("image", keys[table], 3)], tables[table]
        assert [row[:2] for row in rows_of(gone, contract)] == [("delete", keys[table])], tables[table]


def rows_of(pieces: Iterable[Captured], contract: Contract) -> list[tuple[str, str, int | None]]:
    rows = judged_of(pieces, contract).select(["_kind", "_key", "v"]).to_pylist()
    return [(row["_kind"], row["_key"], row["v"]) for row in rows]


def test_a_row_of_columns_whose_type_has_changed_since_is_a_fault(database: str) -> None:
    with session(database) as shop:
        shop.execute("create type pair as (a int, b text); create table gallery (id int primary key, v pair)")
    follower = Follower(database, {"gallery": "public.gallery"})
    follower.run()
    (described,) = follower.source.describe()
    with session(database) as shop:
        shop.execute("insert into gallery values (1, row(1, 'x'))")
        shop.execute("alter type pair drop attribute b")
    follower.restart()

    judged = judged_of(follower.run(), contract_of(described))

    assert faults(judged) == ["undecodable: column v is (1,x), which its type does not explain"]
    assert judged["_key"].to_pylist() == ['["1"]']
