"""The law of both warehouses while a contract gains columns and wider types: batches also come when it has gone on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.property.test_evolving import CONTRACTS, told_under
from tests.property.test_rulehouse import SEEDS, Both, agree, said_by
from tests.telling import Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.errors import Retyped
from tieout.merge.warehouse import Side
from tieout.sim.world.chance import Chance

GROWING = [CONTRACTS[at] for at in (0, 2, 4, 5, 6, 7)]
"""No column of them comes back after it was lost."""


def told_by(chance: Chance) -> Say:
    said = said_by(chance)
    return replace(said, fields={name: value for name, value in said.fields.items() if name in "abc"})


def batches_under(said: list[Say], at: int, chance: Chance, encoding: str) -> list[Batch]:
    batches = []
    while said:
        size = chance.between(1, 4)
        batches.append(told_under(said[:size], GROWING[at], encoding))
        said = said[size:]
    return batches


@pytest.mark.parametrize("seed", SEEDS)
def test_both_follow_a_contract_alike(seed: int) -> None:
    chance, both, waiting = Chance(seed), Both(), list[Batch]()
    encoding = chance.pick(["text", "json"])

    for at in sorted(chance.below(len(GROWING)) for _ in range(chance.between(2, 4))):
        contract, said = GROWING[at], [told_by(chance) for _ in range(chance.between(0, 5))]
        waiting += batches_under(said, at, chance, encoding)
        end = both.do(lambda warehouse, contract=contract: warehouse.prepare(contract, Side.LIVE, turn=both.turn))
        assert end in (None, Retyped)
        if end is Retyped:
            both.rebuild(contract, both.merged)
        now = [batch for batch in waiting if chance.happens(0.7)]
        waiting = [batch for batch in waiting if batch not in now]
        for batch in now:
            both.merge(contract, [batch])
        agree(both, contract)


def test_a_column_that_is_spelled_in_another_case_waits_for_a_rebuild() -> None:
    both, small, large = Both(), contract_of(amount="text"), contract_of(Amount="text")
    both.do(lambda warehouse: warehouse.prepare(small, Side.LIVE, turn=both.turn))
    both.merge(small, [batch_of([Say("image", "k1", 1, {"amount": "2"})], small)])

    end = both.do(lambda warehouse: warehouse.prepare(large, Side.LIVE, turn=both.turn))
    both.rebuild(large, both.merged)

    assert end is Retyped
    agree(both, large)
    assert both.rule.reading(large).rows() == {'["k1"]': {"id": "k1", "Amount": None}}
