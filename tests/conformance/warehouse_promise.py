"""What every warehouse promises. A new warehouse is the adapter, a fixture `open_warehouse`, and a class that inherits
this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.errors import Fenced, Misconfigured, Retyped
from tieout.base.step import Step, unobserved
from tieout.contract.contract import Contract
from tieout.merge.readings import StreamReading
from tieout.merge.warehouse import CertificateNote, CheckNote, Side, Turn, Warehouse

CONTRACT = contract_of(required=["a"], a="integer", b="text")
WIDER = contract_of(required=["a"], a="text", b="text")
FIRST, SECOND = Turn("erp", 1), Turn("erp", 2)
NOTE = CertificateNote(1, "h", NOON, "complete", "{}")
CHECK = CheckNote("shop.order", NOON, "x", "block", "passed", 1.5, "it's \\ told")

OpenWarehouse = Callable[..., Warehouse]
"""Opens the one warehouse of a test once more, as another worker would; where one process alone can, it is that one
again. May be given a `passing`."""


def image(key: str, position: int, a: str = "1") -> Say:
    return Say("image", key, position, {"a": a, "b": "x"})


def batch(*said: Say, contract: Contract = CONTRACT) -> Batch:
    return batch_of(said, contract)


def merge(
    warehouse: Warehouse,
    *batches: Batch,
    turn: Turn = FIRST,
    contract: Contract = CONTRACT,
    side: Side = Side.LIVE,
) -> None:
    warehouse.prepare(contract, side, turn=turn)
    merged_at = dict.fromkeys((one.name for one in batches), NOON)
    warehouse.merge(contract, batches, turn=turn, merged_at=merged_at, side=side)


def reading(warehouse: Warehouse, contract: Contract = CONTRACT, side: Side = Side.LIVE) -> StreamReading:
    told = warehouse.reading(contract, side)
    assert isinstance(told, StreamReading)
    return told


def told(warehouse: Warehouse, contract: Contract = CONTRACT, side: Side = Side.LIVE) -> dict[str, Any]:
    """All that is there of one side."""
    said = reading(warehouse, contract, side)
    return {
        "applied": warehouse.applied(contract.stream, side),
        "hash": said.state_hash(),
        "books": said.posted(),
        "open": said.obligations(limit=9),
        "in quarantine": said.quarantined(limit=9),
        "settled": said.settled("", limit=9),
    }


class Stopped(Exception):
    """What a test raises within a merge."""


class WarehousePromise:
    def test_a_batch_that_is_merged_twice_is_merged_once(self, open_warehouse: OpenWarehouse) -> None:
        one, (first, second) = batch(image("k1", 1)), (open_warehouse(), open_warehouse())
        merge(first, one)
        before = told(first)

        merge(second, one)

        assert told(second) == before
        assert second.applied(CONTRACT.stream, Side.LIVE) == {one.name: NOON}
        assert before["books"][0]["accepted"].count == 1

    def test_batches_are_noted_with_the_moments_that_are_given(self, open_warehouse: OpenWarehouse) -> None:
        warehouse, first, second = open_warehouse(), batch(image("k1", 1)), batch(image("k2", 2))
        at = {first.name: NOON, second.name: NOON + timedelta(microseconds=1)}
        warehouse.prepare(CONTRACT, Side.LIVE, turn=FIRST)

        warehouse.merge(CONTRACT, [first, second], turn=FIRST, merged_at=at, side=Side.LIVE)

        assert warehouse.applied(CONTRACT.stream, Side.LIVE) == at
        assert warehouse.applied(CONTRACT.stream, Side.SHADOW) == {}

    def test_a_worker_that_was_overtaken_changes_nothing(self, open_warehouse: OpenWarehouse) -> None:
        late, first, second = open_warehouse(), batch(image("k1", 1)), batch(image("k2", 1))
        merge(late, second, side=Side.SHADOW)
        merge(open_warehouse(), second, turn=SECOND)
        before, shadow, gained = told(late), told(late, side=Side.SHADOW), contract_of(required=["a"], a="integer")

        for act in (
            lambda: merge(late, first),
            lambda: late.prepare(gained, Side.LIVE, turn=FIRST),
            lambda: late.drop(CONTRACT.stream, Side.SHADOW, turn=FIRST),
            lambda: late.swap(CONTRACT, turn=FIRST),
            lambda: late.note_certificates(CONTRACT.stream, [NOTE], turn=FIRST),
        ):
            with pytest.raises(Fenced):
                act()

        assert told(late) == before
        assert told(late, side=Side.SHADOW) == shadow
        assert not late.is_noted(CONTRACT.stream, NOTE.hash)
        assert (late.fence_of("erp"), late.fence_of("crm")) == (2, 0)

    def test_a_merge_that_comes_to_nothing_leaves_nothing(self, open_warehouse: OpenWarehouse) -> None:
        def stop(step: Step) -> None:
            if step is Step.MERGED_UNCOMMITTED:
                raise Stopped

        stopped, one = open_warehouse(passing=stop), batch(image("k1", 1), Say("image", "k9", 1, {"a": None, "b": "x"}))
        with pytest.raises(Stopped):
            merge(stopped, one)

        after = open_warehouse(passing=unobserved)
        assert after.applied(CONTRACT.stream, Side.LIVE) == {}
        merge(after, one)
        assert {name: tally.count for name, tally in reading(after).accounts().items()} == {
            "accepted": 1,
            "quarantined": 1,
        }

    def test_a_certificate_is_kept_once_and_only_until_the_tables_are_others(
        self, open_warehouse: OpenWarehouse
    ) -> None:
        warehouse, other = open_warehouse(), contract_of("erp.order", a="text")
        for stream in (CONTRACT.stream, CONTRACT.stream, other.stream):
            warehouse.note_certificates(stream, [NOTE], turn=FIRST)

        assert [warehouse.is_noted(CONTRACT.stream, hash_) for hash_ in ("h", "g")] == [True, False]
        assert warehouse.query("select count(*) as n from tieout.certificates").to_pylist() == [{"n": 2}]

        merge(warehouse, batch(image("k1", 1)))
        merge(warehouse, batch(image("k1", 1)), side=Side.SHADOW)
        warehouse.swap(CONTRACT, turn=FIRST)

        assert not warehouse.is_noted(CONTRACT.stream, "h")
        assert warehouse.is_noted(other.stream, "h")

    def test_what_came_of_a_stream_at_one_moment_is_kept_once(self, open_warehouse: OpenWarehouse) -> None:
        kept = open_warehouse()
        first = [CHECK, CheckNote("shop.order", NOON, "y", "block", "passed", None, "")]
        later = CheckNote("shop.order", NOON + timedelta(microseconds=1), "x", "warn", "failed", float("inf"), "why")

        for notes in (first, [], [*first, later], [*first, later]):
            kept.note_checks(notes)

        rows = kept.query("select stream, name, outcome, measured, told from tieout.checks order by checked_at, name")
        found = [tuple(row.values()) for row in rows.to_pylist()]
        assert found == [(one.stream, one.name, one.outcome, one.measured, one.told) for one in [*first, later]]

    def test_what_checks_came_to_stays_where_the_merge_beside_them_comes_to_nothing(
        self, open_warehouse: OpenWarehouse
    ) -> None:
        def note(step: Step) -> None:
            if step is Step.MERGED_UNCOMMITTED:
                noting.note_checks([CHECK])
                raise Stopped

        noting = open_warehouse(passing=note)
        with pytest.raises(Stopped):
            merge(noting, batch(image("k1", 1)))

        assert noting.query("select told from tieout.checks").to_pylist() == [{"told": CHECK.told}]
        assert noting.applied(CONTRACT.stream, Side.LIVE) == {}

    def test_after_a_swap_the_tables_are_what_the_rebuild_has_made(self, open_warehouse: OpenWarehouse) -> None:
        warehouse = open_warehouse()
        faulty = Say("image", "k9", 1, {"a": None, "b": "x"})
        merge(warehouse, batch(image("k1", 1), image("k2", 1), faulty, Say("truncate", None, 5)))
        merge(warehouse, batch(image("k1", 9), Say("gap", "k2", 3), faulty), batch(image("k3", 1)), side=Side.SHADOW)
        shadow, others = told(warehouse, side=Side.SHADOW), contract_of("erp.order", a="text")
        merge(warehouse, batch(Say("image", "o1", 1, {"a": "1"}), contract=others), contract=others)
        beside = told(warehouse, others)

        warehouse.swap(CONTRACT, turn=FIRST)

        assert told(warehouse) == shadow
        assert told(warehouse, others) == beside
        assert reading(warehouse).live_rows() == 2
        assert warehouse.applied(CONTRACT.stream, Side.SHADOW) == {}
        merge(warehouse, batch(image("k4", 1)))
        assert reading(warehouse).live_rows() == 3

    def test_a_column_of_another_type_comes_with_a_rebuild(self, open_warehouse: OpenWarehouse) -> None:
        warehouse = open_warehouse()
        merge(warehouse, batch(image("k1", 1)))
        with pytest.raises(Retyped):
            warehouse.prepare(WIDER, Side.LIVE, turn=FIRST)
        assert reading(warehouse).live_rows() == 1

        merge(warehouse, batch(image("k1", 2, a="one"), contract=WIDER), contract=WIDER, side=Side.SHADOW)
        shadow = told(warehouse, WIDER, Side.SHADOW)
        warehouse.swap(WIDER, turn=FIRST)

        assert told(warehouse, WIDER) == shadow
        assert warehouse.query("select a from latest.erp__account").to_pylist() == [{"a": "one"}]
        merge(warehouse, batch(image("k2", 1, a="two"), contract=WIDER), contract=WIDER)
        assert reading(warehouse, WIDER).live_rows() == 2

    def test_one_side_is_dropped_and_the_other_stays(self, open_warehouse: OpenWarehouse) -> None:
        warehouse, one = open_warehouse(), batch(image("k1", 1))
        merge(warehouse, one)
        merge(warehouse, batch(image("k2", 1)), side=Side.SHADOW)
        live = told(warehouse)

        for _ in range(2):
            warehouse.drop(CONTRACT.stream, Side.SHADOW, turn=FIRST)

        assert told(warehouse) == live
        assert warehouse.applied(CONTRACT.stream, Side.SHADOW) == {}
        with pytest.raises(Misconfigured):
            told(warehouse, side=Side.SHADOW)

        warehouse.drop(CONTRACT.stream, Side.LIVE, turn=FIRST)
        assert not reading(warehouse).exists()
        merge(warehouse, one)
        assert told(warehouse) == live

    def test_the_tables_gain_what_the_contract_gains(self, open_warehouse: OpenWarehouse) -> None:
        warehouse, before = open_warehouse(), contract_of(a="integer")
        merge(warehouse, batch(Say("image", "k1", 1, {"a": "1"}), contract=before), contract=before)
        assert reading(warehouse).lacking() == ("b",)

        merge(warehouse, batch(image("k2", 1)))

        assert reading(warehouse).lacking() == ()
        assert (reading(warehouse).exists(), reading(warehouse).live_rows()) == (True, 2)

    def test_who_only_asks_cannot_write(self, open_warehouse: OpenWarehouse) -> None:
        warehouse = open_warehouse()
        for statement in ("create table t (a int)", "-- a note\ndelete from tieout.books", "drop table tieout.books"):
            with pytest.raises(Misconfigured):
                warehouse.query(statement)
        assert warehouse.answers()
