"""What waits in quarantine without a key explains something until a later sweep or truncation has told all about it."""

from __future__ import annotations

import pytest

from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.order import Class, Order, sweep_floor
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.readings import StreamReading
from tieout.merge.warehouse import Side, Turn

CONTRACT = contract_of(a="text")
SWEEP = Say("sweep", None, 10, kind_of_order=Class.READ)
TRUNCATE = Say("truncate", None, 10, minor=2)


def event(position: int, minor: int = 0) -> Say:
    return Say("image", None, position, {"a": "x"}, minor=minor)


def read(position: int) -> Say:
    return Say("image", None, position, {"a": "x"}, Class.READ)


def held_back(position: int) -> Say:
    return Say("sweep", None, position, kind_of_order=Class.READ, fault="sweep_not_certified: told")


def merged(*said: Say) -> StreamReading:
    """Each in a batch of its own."""
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(CONTRACT, Side.LIVE, turn=Turn("erp", 1))
    for say in said:
        batch = batch_of([say], CONTRACT)
        warehouse.merge(CONTRACT, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)
    return StreamReading(warehouse, CONTRACT)


OVERTAKEN = {
    "an event before the sweep": (event(9), SWEEP),
    "a read at the very moment of the sweep": (read(10), SWEEP),
    "a sweep held back before": (held_back(9), SWEEP),
    "a sweep held back at the same moment": (held_back(10), SWEEP),
    "an event before a truncation in one transaction": (event(10, minor=1), TRUNCATE),
}
STANDING = {
    "an event at the moment of the sweep": (event(10), SWEEP),
    "a read after the sweep": (read(11), SWEEP),
    "a sweep held back after": (held_back(11), SWEEP),
    "an event after a truncation in one transaction": (event(10, minor=3), TRUNCATE),
    "a sweep held back before another one": (held_back(9), held_back(10)),
}


@pytest.mark.parametrize("case", OVERTAKEN)
def test_overtaken_in_whatever_order_they_come(case: str) -> None:
    for reading in (merged(*OVERTAKEN[case]), merged(*reversed(OVERTAKEN[case]))):
        (cid,) = reading.overtaken()

        assert reading.keyless() == ()
        assert (reading.overtaken([cid]), reading.overtaken(["another"])) == ((cid,), ())


@pytest.mark.parametrize("case", STANDING)
def test_standing_in_whatever_order_they_come(case: str) -> None:
    for reading in (merged(*STANDING[case]), merged(*reversed(STANDING[case]))):
        assert reading.overtaken() == ()
        assert len(reading.keyless()) == 1


def test_a_row_with_a_key_is_not_among_them() -> None:
    reading = merged(Say("image", "k", 9, {"a": "x"}, fault="undecodable: told"), SWEEP)

    assert (reading.keyless(), reading.overtaken()) == ((), ())


def test_a_read_that_ended_with_a_sweep_held_back_overtakes_what_is_older_and_not_itself() -> None:
    reading = merged(event(9), held_back(9), read(10), held_back(10), event(11))
    (sweeps,) = (one for one in reading.keyless() if one.reason == "sweep_not_certified")
    newest = sweep_floor(Order(1, 10, Class.READ).token("0" * 16))

    by = sweep_floor(sweeps.sweep or "")

    assert (sweeps.count, by) == (2, newest)
    assert len(reading.overtaken(by=by)) == 2
