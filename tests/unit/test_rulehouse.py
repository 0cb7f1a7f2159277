"""The warehouse that is the rule: its transactions, what outlives a process, and how it follows a contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.errors import Broken, Fenced, Misconfigured, Retyped, Transient
from tieout.base.step import Step
from tieout.contract.contract import Contract
from tieout.merge.aligned import aligned
from tieout.merge.rule import State, fold, is_shown
from tieout.merge.told import changes_of
from tieout.merge.warehouse import Side, Turn
from tieout.sim.world.machine.rulehouse import RuleStore, RuleWarehouse

CONTRACT = contract_of(a="integer", at="timestamptz")
TURN = Turn("erp", 3)


class Killed(BaseException):
    """A process is no more."""


def batch(key: str, value: str = "1") -> Batch:
    return batch_of([Say("image", key, 1, {"a": value, "at": "2026-11-20T12:00:00Z"})], CONTRACT)


def merge(warehouse: RuleWarehouse, *batches: Batch, turn: Turn = TURN, contract: Contract = CONTRACT) -> None:
    merged_at: dict[str, datetime] = dict.fromkeys((one.name for one in batches), NOON)
    warehouse.merge(contract, batches, turn=turn, merged_at=merged_at, side=Side.LIVE)


@pytest.fixture
def store() -> RuleStore:
    store = RuleStore()
    RuleWarehouse(store).prepare(CONTRACT, Side.LIVE, turn=TURN)
    return store


def test_another_process_finds_what_was_merged(store: RuleStore) -> None:
    merge(RuleWarehouse(store), batch("k1"))

    found = RuleWarehouse(store).reading(CONTRACT)

    assert found.rows() == {'["k1"]': {"id": "k1", "a": 1, "at": NOON}}
    assert RuleWarehouse(store).fence_of("erp") == 3


def test_a_kill_before_the_commit_leaves_nothing_and_one_after_it_all(store: RuleStore) -> None:
    def killing(at: Step) -> RuleWarehouse:
        def passing(step: Step) -> None:
            if step is at:
                raise Killed

        return RuleWarehouse(store, passing=passing)

    rows = {}
    for step in (Step.MERGING, Step.MERGED_UNCOMMITTED, Step.MERGED):
        with pytest.raises(Killed):
            merge(killing(step), batch("k1"))
        rows[step] = RuleWarehouse(store).reading(CONTRACT).live_rows()

    assert rows == {Step.MERGING: 0, Step.MERGED_UNCOMMITTED: 0, Step.MERGED: 1}


def test_a_commit_whose_answer_was_lost_is_found(store: RuleStore) -> None:
    def reach(point: str) -> None:
        if point == "warehouse.commit.after":
            raise Transient("the answer was lost.")

    one = batch("k1")
    with pytest.raises(Transient):
        merge(RuleWarehouse(store, reach=reach), one)

    merge(RuleWarehouse(store), one)

    assert RuleWarehouse(store).reading(CONTRACT).accounts()["accepted"] == one.footer.received


def test_of_two_that_write_at_once_the_later_is_turned_away(store: RuleStore) -> None:
    def passing(step: Step) -> None:
        if step is Step.MERGED_UNCOMMITTED:
            merge(RuleWarehouse(store), batch("k2"))

    with pytest.raises(Transient):
        merge(RuleWarehouse(store, passing=passing), batch("k1"))

    assert RuleWarehouse(store).reading(CONTRACT).rows().keys() == {'["k2"]'}


def test_a_worker_that_was_overtaken_changes_nothing(store: RuleStore) -> None:
    merge(RuleWarehouse(store), batch("k1"))
    before = store.content

    with pytest.raises(Fenced):
        merge(RuleWarehouse(store), batch("k2"), turn=Turn("erp", 2))

    assert store.content is before


def test_what_was_read_before_stays_as_it_was(store: RuleStore) -> None:
    merge(RuleWarehouse(store), batch("k1"))
    ((_, table),) = store.content.tables.items()

    merge(RuleWarehouse(store), batch_of([Say("patch", "k1", 2, {"a": "7"}), Say("truncate", None, 3)], CONTRACT))

    assert (table.state.rows['["k1"]'].fields["a"][1], table.state.floor, len(table.history)) == (1, "", 1)


def test_a_column_of_another_type_waits_for_a_rebuild(store: RuleStore) -> None:
    warehouse, one = RuleWarehouse(store), batch("k1")
    merge(warehouse, one)
    retyped = contract_of(a="text", at="timestamptz")

    with pytest.raises(Retyped):
        warehouse.prepare(retyped, Side.LIVE, turn=TURN)
    warehouse.prepare(retyped, Side.SHADOW, turn=TURN)
    warehouse.merge(retyped, [one], turn=TURN, merged_at={one.name: NOON}, side=Side.SHADOW)
    warehouse.swap(retyped, turn=TURN)

    assert warehouse.reading(retyped).rows()['["k1"]']["a"] == "1"
    assert warehouse.applied(retyped.stream, Side.SHADOW) == {}


def test_a_column_that_is_gained_has_what_was_told_before(store: RuleStore) -> None:
    warehouse, wide = RuleWarehouse(store), contract_of(a="integer", at="timestamptz", b="text")
    told = batch_of([Say("image", "k1", 1, {"a": "1", "at": None, "b": "x"})], wide)
    narrow = replace(told, changes=told.changes.drop(["b"]))
    extra = narrow.changes.schema.get_field_index("_extra")
    merge(warehouse, replace(narrow, changes=narrow.changes.set_column(extra, "_extra", [['{"b":"x"}']])))

    warehouse.prepare(wide, Side.LIVE, turn=TURN)

    assert warehouse.reading(wide).rows()['["k1"]']["b"] == "x"


def test_a_key_is_not_exchanged(store: RuleStore) -> None:
    merge(RuleWarehouse(store), batch("k1"))

    with pytest.raises(Misconfigured):
        RuleWarehouse(store).prepare(replace(CONTRACT, key=("a",)), Side.LIVE, turn=TURN)


def test_tables_that_were_never_prepared_are_told_of() -> None:
    warehouse = RuleWarehouse(RuleStore())

    assert not warehouse.reading(CONTRACT).exists()
    with pytest.raises(Misconfigured):
        warehouse.reading(CONTRACT).live_rows()
    with pytest.raises(Broken):
        merge(warehouse, batch("k1"))


def test_the_rule_passes_over_what_a_contract_has_lost_since() -> None:
    narrow, told = contract_of(a="integer"), batch("k1")

    state = fold(State(), changes_of(aligned(told, narrow)), fields=frozenset({"a"}))

    (row,) = state.rows.values()
    assert is_shown(row, state, required=frozenset({"a"}))
    assert row.fields.keys() == {"a"}
