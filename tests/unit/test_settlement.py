"""Settlements in the merge: in whatever order, each quarantined change is settled once and the books balance."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.telling import NOON, Say, batch_of, contract_of, judged_of
from tieout.base.batch import Batch, Tally
from tieout.base.codec import sha256_hex
from tieout.contract.judge import batch_schema, tallied
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.readings import StreamReading
from tieout.merge.warehouse import Side, Turn
from tieout.quality.quarantine import discarded, released, signed

STRICT = contract_of(required=["a"], a="integer", b="text")
LENIENT = contract_of(a="integer", b="text")

FAULTY = [
    Say("image", "k1", 5, {"a": None, "b": "kept"}),
    Say("image", "k2", 5, {"a": None, "b": "unwanted"}),
]
GOOD = [Say("image", "k1", 4, {"a": "1", "b": "old"}), Say("patch", "k1", 6, {"a": "7"})]


def quarantined_cids() -> list[str]:
    cids: list[str] = judged_of(FAULTY, STRICT).changes["_cid"].to_pylist()
    return cids


def release_batch() -> Batch:
    (cid, _) = quarantined_cids()
    return _batch(signed(released(judged_of(FAULTY[:1], LENIENT).changes, [cid]), by="bob"))


def discard_batch() -> Batch:
    (_, cid) = quarantined_cids()
    return _batch(discarded(batch_schema(LENIENT), [cid], reason="a test row", by="ann"))


def _batch(changes: object) -> Batch:
    judged = tallied(changes)
    like = batch_of([], LENIENT)
    footer = type(like.footer)(
        like.footer.stream, like.footer.span, judged.received, judged.keyless, judged.positions, LENIENT.digest, NOON
    )
    return Batch(sha256_hex(repr(judged.received).encode()), footer, judged.changes)


def batches() -> list[Batch]:
    return [batch_of(FAULTY, STRICT), batch_of(GOOD, STRICT), release_batch(), discard_batch()]


def merged(ordered: Sequence[Batch]) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(LENIENT, Side.LIVE, turn=Turn("erp", 1))
    for batch in ordered:
        warehouse.merge(LENIENT, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)
    return warehouse


def test_the_judge_keeps_the_order_of_the_rows() -> None:
    said = [Say("image", f"k{n % 100}", n, {"a": str(n) if n % 3 else "many", "b": None}) for n in range(5_000)]

    judged = judged_of(said, STRICT).changes

    assert judged["_position"].to_pylist() == [say.position for say in said]


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2), (2, 3, 0, 1)])
def test_state_accounts_and_settlements_do_not_depend_on_the_order(order: tuple[int, ...]) -> None:
    straight, shuffled = merged(batches()), merged([batches()[at] for at in order])

    first, second = StreamReading(straight, LENIENT), StreamReading(shuffled, LENIENT)

    assert first.state_hash() == second.state_hash()
    assert first.accounts() == second.accounts()
    assert second.obligations(limit=9) == (0, ())


def test_the_books_say_what_became_of_each_row() -> None:
    warehouse = merged(batches())

    accounts = StreamReading(warehouse, LENIENT).accounts()

    assert {account: tally.count for account, tally in accounts.items()} == {
        "accepted": 3, "quarantined": 0, "control": 3, "filtered": 1
    }  # fmt: skip
    assert accounts["quarantined"] == Tally()
    received = sum((batch.footer.received for batch in batches()), start=Tally())
    assert sum(accounts.values(), start=Tally()) == received
    assert warehouse.query("select b, a from latest.erp__account").to_pylist() == [{"b": "kept", "a": 7}]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_who_settled_what_and_why_is_told_afterwards(order: tuple[int, ...]) -> None:
    kept, unwanted = quarantined_cids()
    warehouse = merged([batches()[at] for at in order])

    told = StreamReading(warehouse, LENIENT).settled("", limit=9)

    assert {(one.row.cid, one.how, one.reason, one.who, one.at) for one in told} == {
        (kept, "released", "", "bob", NOON),
        (unwanted, "discarded", "a test row", "ann", NOON),
    }


def test_nobody_is_named_where_a_run_settled_it() -> None:
    (_, cid) = quarantined_cids()
    warehouse = merged([batches()[0], _batch(discarded(batch_schema(LENIENT), [cid], reason="superseded", by=""))])

    (told,) = StreamReading(warehouse, LENIENT).settled(cid[:8], limit=9)

    assert (told.how, told.who) == ("discarded", None)


def test_every_batch_balances_by_itself() -> None:
    landed = batches()

    rows = merged(landed).query("select batch, count, high, low from tieout.books").to_pylist()

    booked = {batch.name: Tally() for batch in landed}
    for row in rows:
        booked[row["batch"]] += Tally(row["count"], row["high"], row["low"])
    assert booked == {batch.name: batch.footer.received for batch in landed}


def test_a_change_that_is_settled_twice_moves_once() -> None:
    once = StreamReading(merged(batches()), LENIENT).accounts()
    (_, cid) = quarantined_cids()
    again = _batch(discarded(batch_schema(LENIENT), [cid], reason="said again", by=""))

    twice = StreamReading(merged([*batches(), again]), LENIENT).accounts()

    assert twice["quarantined"] == once["quarantined"]
    assert twice["filtered"] == once["filtered"]
    assert twice["control"] == once["control"] + again.footer.received
