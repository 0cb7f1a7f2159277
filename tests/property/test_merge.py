"""The law of the merge: the state is a function of the set of changes, and the SQL says the same as the rule."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.telling import NOON, Say, batch_of, captured_of, contract_of, dear
from tieout.base.order import Class
from tieout.contract.contract import Contract
from tieout.contract.judge import judge
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.readings import StreamReading
from tieout.merge.rule import State, fold, is_shown, object_gap_is_open, open_reasons
from tieout.merge.told import changes_of
from tieout.merge.warehouse import Side, Turn

CONTRACT = contract_of(required=["a"], a="integer", b="text", c="decimal(9,2)")
NAMES = frozenset(column.name for column in CONTRACT.fields)
REQUIRED = frozenset({"a"})
TURN = Turn("erp", 1)

_values = {
    "a": st.integers(0, 9).map(str),
    "b": st.sampled_from(["x", "y", None]),
    "c": st.sampled_from(["1.50", "2.25", None]),
}
_some_fields = st.fixed_dictionaries({}, optional=_values)
_all_fields = st.fixed_dictionaries(_values)


@st.composite
def says(draw: st.DrawFn) -> Say:
    kind = draw(
        st.sampled_from(
            ["image"] * 5 + ["patch"] * 3 + ["delete"] * 2 + ["undelete", "gap", "truncate", "sweep", "gap_all"]
        )
    )
    position = draw(st.integers(1, 12))
    minor = draw(st.integers(-1, 2))
    of_order = Class.READ if kind == "sweep" else draw(st.sampled_from([Class.EVENT, Class.EVENT, Class.READ]))
    if kind in ("truncate", "sweep", "gap_all"):
        return Say("gap" if kind == "gap_all" else kind, None, position, {}, of_order, minor)
    key = draw(st.sampled_from(["k1", "k2", "k3"]))
    fields: dict[str, Any] = {}
    if kind == "image":
        fields = draw(st.one_of(_all_fields, _all_fields, _some_fields))
    elif kind in ("patch", "undelete", "delete", "gap"):
        fields = draw(_some_fields)
    if draw(st.integers(0, 9)) == 0:
        fields = {**fields, "c": "not a number"}
    return Say(kind, key, position, fields, of_order, minor)


histories = st.lists(says(), min_size=1, max_size=14)


def grouped(said: list[Say], dice: random.Random) -> list[list[Say]]:
    """The same changes in another order, some of them twice, cut into batches anew."""
    said = said + dice.sample(said, dice.randint(0, len(said)))
    dice.shuffle(said)
    batches: list[list[Say]] = [[]]
    for say in said:
        if batches[-1] and dice.random() < 0.3:
            batches.append([])
        batches[-1].append(say)
    return batches


def warehouse_after(groups: list[list[Say]], contract: Contract = CONTRACT) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(contract, Side.LIVE, turn=TURN)
    for group in groups:
        batch = batch_of(group, contract)
        warehouse.merge(contract, [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)
    return warehouse


def rule_after(said: list[Say]) -> State:
    return fold(State(), changes_of(batch_of(said, CONTRACT).changes), fields=NAMES)


def reading(warehouse: DuckDBWarehouse) -> StreamReading:
    return StreamReading(warehouse, CONTRACT)


def latest_of(warehouse: DuckDBWarehouse) -> dict[str, dict[str, Any]]:
    """By key; `=`, the short form of the row's newest token, written out."""
    rows = warehouse.query("select * from latest.erp__account").to_pylist()
    assert len({row["_key"] for row in rows}) == len(rows), "one row a key"
    for row in rows:
        row |= {name: row["_order"] for name in ("_life", "_base") if row[name] == "="}
    return {row["_key"]: row for row in rows}


@dear(2)
@given(histories, st.randoms(use_true_random=False))
def test_sql_holds_the_same_registers_as_the_rule(said: list[Say], dice: random.Random) -> None:
    warehouse = warehouse_after(grouped(said, dice))

    rows, state = latest_of(warehouse), rule_after(said)

    assert rows.keys() == state.rows.keys()
    for key, expected in state.rows.items():
        row = rows[key]
        held = {name: (row["_patch"] and dict(row["_patch"]).get(name)) or row["_base"] for name in NAMES}
        assert row["_deleted"] is not is_shown(expected, state, required=REQUIRED)
        assert (row["_life"] or "", row["_alive"]) == (expected.life, expected.alive)
        assert (row["_base"] or "", row["_gap"] or "") == (expected.image, expected.gap)
        for name in NAMES:
            token, value = expected.fields.get(name, ("", None))
            assert (held[name] or "", row[name]) == (token, value), name


@dear(2)
@given(histories, st.randoms(use_true_random=False))
def test_any_order_doubling_and_grouping_gives_one_state(said: list[Say], dice: random.Random) -> None:
    first, second = warehouse_after([said]), warehouse_after(grouped(said, dice))

    assert reading(first).state_hash() == reading(second).state_hash()
    assert reading(first).accounts().get("accepted") == reading(second).accounts().get("accepted")
    assert reading(first).superseded() == reading(second).superseded()
    assert reading(first).ambiguous() == reading(second).ambiguous()


@dear(2)
@given(histories)
def test_sql_finds_the_same_obligations_as_the_rule(said: list[Say]) -> None:
    warehouse, state = warehouse_after([said]), rule_after(said)

    _, found = reading(warehouse).obligations(limit=100)

    expected = {
        (key, reason.value) for key, row in state.rows.items() for reason in open_reasons(row, state, required=REQUIRED)
    }
    if object_gap_is_open(state):
        expected.add((None, "gap"))
    assert {(open_.key, open_.reason) for open_ in found if open_.reason != "quarantined"} == expected


@dear(2)
@given(histories, st.randoms(use_true_random=False))
def test_the_books_of_every_batch_balance(said: list[Say], dice: random.Random) -> None:
    groups = grouped(said, dice)
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(CONTRACT, Side.LIVE, turn=TURN)
    batches = [batch_of(group, CONTRACT) for group in groups]

    warehouse.merge(
        CONTRACT, batches, turn=TURN, merged_at=dict.fromkeys((b.name for b in batches), NOON), side=Side.LIVE
    )

    for batch in batches:
        booked = warehouse.query(
            "select sum(count)::bigint n, (sum(high) % 18446744073709551616)::ubigint high, "
            "(sum(low) % 18446744073709551616)::ubigint low from tieout.books where batch = $1",
            [batch.name],
        ).to_pylist()[0]
        received = batch.footer.received
        assert (booked["n"], booked["high"], booked["low"]) == (received.count, received.high, received.low)


def test_a_late_image_does_not_lose_a_newer_patch() -> None:
    said = [
        Say("image", "k1", 10, {"a": "1", "b": "x", "c": None}),
        Say("patch", "k1", 30, {"b": "y"}),
        Say("image", "k1", 25, {"a": "2", "b": "x", "c": None}),
    ]

    warehouse = warehouse_after([[said[0]], [said[1]], [said[2]]])

    row = latest_of(warehouse)['["k1"]']
    assert (row["a"], row["b"]) == (2, "y")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_sweep_kills_what_it_did_not_mention_in_whatever_order_it_arrives(order: tuple[int, int, int]) -> None:
    said = [
        Say("image", "k1", 5, {"a": "1", "b": None, "c": None}),
        Say("image", "k2", 9, {"a": "1", "b": None, "c": None}, Class.READ),
        Say("sweep", None, 9, {}, Class.READ),
    ]

    warehouse = warehouse_after([[said[at]] for at in order])

    rows = latest_of(warehouse)
    assert {key: row["_deleted"] for key, row in rows.items()} == {'["k1"]': True, '["k2"]': False}


def test_a_quarantined_row_of_a_sweep_still_keeps_its_key_alive() -> None:
    said = [
        Say("image", "k1", 5, {"a": "1", "b": None, "c": None}),
        Say("image", "k1", 9, {"a": "many", "b": None, "c": None}, Class.READ),
        Say("sweep", None, 9, {}, Class.READ),
    ]

    warehouse = warehouse_after([said])

    assert latest_of(warehouse)['["k1"]']["_deleted"] is False


def test_a_table_that_is_all_key_merges_too() -> None:
    only_key = contract_of()

    warehouse = warehouse_after([[Say("image", "k1", 1), Say("image", "k2", 1)], [Say("delete", "k1", 2)]], only_key)

    assert {key: row["_deleted"] for key, row in latest_of(warehouse).items()} == {'["k1"]': True, '["k2"]': False}


NAMES_OF_OURS = [
    "account",
    "image",
    "life",
    "newest",
    "gap",
    "base",
    "cid",
    "fault",
    "extra",
    "key_text",
    "p1",
    "v1",
    "is_keyed",
]


def test_a_column_may_bear_any_name_that_the_statements_use_themselves() -> None:
    contract = contract_of(**dict.fromkeys(NAMES_OF_OURS, "text"))
    fields = {name: f"value of {name}" for name in NAMES_OF_OURS}

    warehouse = warehouse_after([[Say("image", "k1", 1, fields)], [Say("patch", "k1", 2, {"life": "new"})]], contract)

    row = latest_of(warehouse)['["k1"]']
    assert {name: row[name] for name in NAMES_OF_OURS} == fields | {"life": "new"}


def test_names_that_differ_in_case_alone_stay_apart() -> None:
    contract = contract_of(amount="text")
    captured = captured_of([Say("image", "k1", 1, {"amount": "2", "Amount": "1"})], contract)
    captured = captured.append_column("Amount", pa.array(["1"]))

    (row,) = judge(captured, contract, encoding="text", epoch=1).changes.to_pylist()

    assert (row["amount"], row["_extra"], row["_fault"]) == ("2", '{"Amount":"1"}', None)


def test_a_row_that_nobody_could_read_is_not_shown_as_one_of_nulls() -> None:
    lenient = contract_of(a="integer", b="text")
    poison = Say("image", "k1", 9, {"a": "many", "b": "x"}, Class.READ)

    warehouse = warehouse_after([[poison, Say("image", "k2", 9, {"a": "1", "b": None}, Class.READ)]], lenient)
    before = latest_of(warehouse)
    batch = batch_of([Say("image", "k1", 10, {"a": "7", "b": "x"})], lenient)
    warehouse.merge(lenient, [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)

    assert {key: row["_deleted"] for key, row in before.items()} == {'["k1"]': True, '["k2"]': False}
    assert latest_of(warehouse)['["k1"]']["_deleted"] is False


def test_a_column_that_a_contract_gains_takes_late_changes_as_a_rebuild_would() -> None:
    narrow, wide = contract_of(a="integer"), contract_of(a="integer", b="text")
    groups = [
        [Say("image", "k1", 10, {"a": "1"}), Say("image", "k2", 10, {"a": "1"})],
        [Say("patch", "k1", 5, {"b": "late"}), Say("image", "k2", 12, {"a": "2", "b": "new"})],
        [Say("image", "k1", 8, {"a": "0", "b": "older"})],
    ]
    batches = [batch_of(groups[0], narrow), *(batch_of(group, wide) for group in groups[1:])]
    merged_at = dict.fromkeys((batch.name for batch in batches), NOON)
    grown, anew = warehouse_after([], narrow), warehouse_after([], wide)
    grown.merge(narrow, batches[:1], turn=TURN, merged_at=merged_at, side=Side.LIVE)

    grown.prepare(wide, Side.LIVE, turn=TURN)
    grown.merge(wide, batches[1:], turn=TURN, merged_at=merged_at, side=Side.LIVE)
    anew.merge(wide, batches, turn=TURN, merged_at=merged_at, side=Side.LIVE)

    assert {key: (row["a"], row["b"]) for key, row in latest_of(grown).items()} == {
        '["k1"]': (1, "older"),
        '["k2"]': (2, "new"),
    }
    assert StreamReading(grown, wide).state_hash() == StreamReading(anew, wide).state_hash()
