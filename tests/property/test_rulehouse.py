"""The law of both warehouses: the one of dictionaries and that of SQL say the same after everything that may come."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from tests.telling import NOON, Say, batch_of, captured_of, contract_of, judged_of
from tieout.base.batch import Batch
from tieout.base.change import TIMESTAMP
from tieout.base.errors import Fenced, TieoutError
from tieout.base.order import Class, Order
from tieout.contract.contract import Contract
from tieout.contract.judge import Judged, batch_schema, judge, tallied
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.reading import Freshness, Limit
from tieout.merge.warehouse import Side, Turn, Warehouse
from tieout.quality.quarantine import discarded, released, signed
from tieout.sim.world.chance import Chance
from tieout.sim.world.machine import shown
from tieout.sim.world.machine.rulehouse import RuleStore, RuleWarehouse

SEEDS = range(int(os.environ.get("TIEOUT_SEED", "0")), int(os.environ.get("TIEOUT_SEEDS_END", "8")))
CONTRACT = contract_of(required=["a"], a="integer", b="text", c="decimal(9,2)", d="timestamptz")
KINDS = ["image"] * 6 + ["patch"] * 3 + ["delete"] * 2
KINDS += ["undelete", "gap", "truncate", "sweep", "gap_all", "held", "keyless"]
OPEN = ["gap", "incomplete", "patched_after_death", "unfit", "quarantined"]
KEYS = ["k1", "k2", "k3", 'q"uote']
VALUES: dict[str, list[Any]] = {
    "a": ["1", "2", "3", None],
    "b": ["x", "y", None],
    "c": ["1.50", "2.25", None, "not a number"],
    "d": ["2026-11-20T12:00:00Z", None],
}
MIDDLE = Order(1, 5, Class.READ).place.ljust(73, "0")
ACTS = ["merge"] * 6 + ["again", "settle", "settle", "moment", "late", "takeover", "rebuild"]


def said_by(chance: Chance) -> Say:
    kind, position, minor = chance.pick(KINDS), chance.between(1, 8), chance.between(-1, 1)
    is_read = kind in ("sweep", "held") or chance.happens(0.33)
    class_ = Class.READ if is_read else Class.EVENT
    if kind == "held":
        return Say("sweep", None, position, {}, class_, minor, "sweep_not_certified: told")
    if kind in ("truncate", "sweep", "gap_all"):
        return Say("gap" if kind == "gap_all" else kind, None, position, {}, class_, minor)
    fields = {name: chance.pick(values) for name, values in VALUES.items()}
    if kind not in ("image", "keyless") or chance.happens(0.25):
        fields = {name: value for name, value in fields.items() if chance.happens(0.5)}
    key = None if kind == "keyless" else chance.pick(KEYS)
    return Say("image" if kind == "keyless" else kind, key, position, fields, class_, minor)


@dataclass
class Both:
    """Two warehouses to which the same happens, and which are asked the same."""

    database: DuckDBWarehouse = field(default_factory=lambda: DuckDBWarehouse(None))
    rule: RuleWarehouse = field(default_factory=lambda: RuleWarehouse(RuleStore()))
    merged: list[Batch] = field(default_factory=list)
    fence: int = 1

    @property
    def turn(self) -> Turn:
        return Turn("erp", self.fence)

    def do(self, act: Callable[[Warehouse], None]) -> type[TieoutError] | None:
        """What it came to, which is the same in both."""
        ends = [_end(act, warehouse) for warehouse in (self.database, self.rule)]
        assert ends[0] == ends[1]
        return ends[0]

    def merge(self, contract: Contract, batches: list[Batch], *, fence: int = 0, side: Side = Side.LIVE) -> None:
        at = NOON + timedelta(seconds=len(self.merged) - 2)
        merged_at, turn = dict.fromkeys((batch.name for batch in batches), at), Turn("erp", fence or self.fence)
        end = self.do(lambda warehouse: warehouse.merge(contract, batches, turn=turn, merged_at=merged_at, side=side))
        assert end in (None, Fenced)
        self.merged += [batch for batch in batches if end is None and batch not in self.merged]

    def rebuild(self, contract: Contract, batches: list[Batch]) -> None:
        assert self.do(lambda warehouse: warehouse.drop(contract.stream, Side.SHADOW, turn=self.turn)) is None
        assert self.do(lambda warehouse: warehouse.prepare(contract, Side.SHADOW, turn=self.turn)) is None
        self.merge(contract, batches, side=Side.SHADOW)
        assert self.do(lambda warehouse: warehouse.swap(contract, turn=self.turn)) is None


def _end(act: Callable[[Warehouse], None], warehouse: Warehouse) -> type[TieoutError] | None:
    try:
        act(warehouse)
    except TieoutError as error:
        return type(error)
    return None


def _sorted(answers: tuple[Any, ...]) -> list[Any]:
    return sorted(answers, key=str)


def _rounded(freshness: Freshness) -> tuple[Any, ...]:
    seconds = (freshness.p50_seconds, freshness.p95_seconds)
    return (*(None if one is None else round(one, 6) for one in seconds), freshness.newest_event)


def asked(cids: list[str], batches: list[str], contract: Contract) -> dict[str, Callable[[Any], Any]]:
    """All that there is to ask; ids and batches serve as the ones that are named."""
    limit_a = [Limit((one,), ">=", ("2",)) for one in contract.columns if one.name == "a"]
    limit_key = Limit((contract.key_columns[0],), "<", ("k3",))
    return {
        "posted": lambda one: one.posted(),
        "accounts": lambda one: one.accounts(),
        "obligations": lambda one: one.obligations(limit=99),
        "some obligations": lambda one: one.obligations(limit=2),
        "open keys": lambda one: one.open_keys(OPEN[:4], after="", limit=99),
        "some open keys": lambda one: one.open_keys(OPEN, after='["k1"]', limit=1),
        "quarantined in": lambda one: one.quarantined_in(batches),
        "superseded": lambda one: one.superseded(),
        "ambiguous": lambda one: one.ambiguous(),
        "live rows": lambda one: one.live_rows(),
        "applied": lambda one: one.applied(),
        "freshness": lambda one: _rounded(one.freshness()),
        "page": lambda one: one.quarantine_page((), after="", limit=99),
        "some of a page": lambda one: one.quarantine_page(cids, after=min(cids, default=""), limit=1),
        "keyless": lambda one: _sorted(one.keyless()),
        "some keyless": lambda one: _sorted(one.keyless(cids)),
        "overtaken": lambda one: one.overtaken(),
        "some overtaken": lambda one: one.overtaken(cids, by=MIDDLE),
        "discarded": lambda one: one.discarded(but="superseded"),
        "unmentioned": lambda one: one.unmentioned([], floor=MIDDLE, after="", limit=99),
        "unmentioned within": lambda one: one.unmentioned([*limit_a, limit_key], floor=MIDDLE, after="", limit=2),
    }


def agree(both: Both, contract: Contract) -> None:
    ours, theirs = both.rule.reading(contract), both.database.reading(contract)
    cids = [row.cid for row in ours.quarantine_page((), after="", limit=99)]
    for question, ask in asked(cids[::2], [batch.name for batch in both.merged[::2]], contract).items():
        assert ask(ours) == ask(theirs), question
    assert ours.rows() == shown.rows(both.database, contract)
    assert ours.registers() == shown.registers(both.database, contract)
    for side in Side:
        assert both.rule.applied(contract.stream, side) == both.database.applied(contract.stream, side)
    assert both.rule.fence_of("erp") == both.database.fence_of("erp")


def sealed(judged: Judged) -> Batch:
    like = batch_of([], CONTRACT)
    footer = replace(like.footer, received=judged.received, keyless=judged.keyless, positions=judged.positions)
    return Batch(like.name, footer, judged.changes)


def settlement(cid: str, chance: Chance) -> Batch:
    """A mark, or a row as it is read today."""
    by = chance.pick(["", "ann"])
    if chance.happens(0.5):
        reason = chance.pick(["superseded", "unwanted"])
        return sealed(tallied(discarded(batch_schema(CONTRACT), [cid], reason=reason, by=by)))
    judged = judged_of([said_by(chance)], CONTRACT)
    return sealed(tallied(signed(released(judged.changes, [cid]), by=by)))


def read_at_one_moment(chance: Chance) -> Batch:
    position = chance.between(1, 8)
    rows = [{"a": chance.pick(["1", "2"]), "b": None, "c": None, "d": None} for _ in range(3)]
    said = [Say("image", key, position, row, Class.READ) for key, row in zip(KEYS[:3], rows, strict=True)]
    return sealed(judge(captured_of(said, CONTRACT), CONTRACT, encoding="text", epoch=1, at_one_moment=True))


def batches_by(chance: Chance, said: list[Say]) -> list[Batch]:
    """The changes in another order, some of them twice."""
    left, batches = chance.shuffled([*said, *(one for one in said if chance.happens(0.3))]), []
    while left:
        size = chance.between(1, 4)
        batches.append(batch_of(left[:size], CONTRACT))
        left = left[size:]
    return batches


@pytest.mark.parametrize("seed", SEEDS)
def test_both_say_the_same_after_whatever_comes(seed: int) -> None:
    chance, both, landed = Chance(seed), Both(), list[Batch]()
    said = [said_by(chance) for _ in range(chance.between(1, 16))]
    waiting = batches_by(chance, said)
    faulty = [row["_cid"] for row in judged_of(said, CONTRACT).changes.to_pylist() if row["_fault"] is not None]
    both.do(lambda warehouse: warehouse.prepare(CONTRACT, Side.LIVE, turn=both.turn))

    while waiting:
        act = chance.pick(ACTS)
        if act == "merge":
            size = chance.between(1, 3)
            landed += waiting[:size]
            both.merge(CONTRACT, waiting[:size])
            waiting = waiting[size:]
        elif act == "again" and landed:
            both.merge(CONTRACT, chance.shuffled(landed)[:2])
        elif act == "settle" and faulty:
            settling = [settlement(chance.pick(faulty), chance) for _ in range(chance.between(1, 3))]
            landed += settling
            both.merge(CONTRACT, settling)
        elif act == "moment":
            landed.append(read_at_one_moment(chance))
            both.merge(CONTRACT, landed[-1:])
        elif act == "late":
            both.merge(CONTRACT, [batch_of(said[:2], CONTRACT)], fence=both.fence - 1)
        elif act == "takeover":
            both.fence += 1
        elif act == "rebuild" and landed:
            both.rebuild(CONTRACT, chance.shuffled(landed))

    agree(both, CONTRACT)


def test_both_tell_of_the_side_that_is_asked_about() -> None:
    both, one, other = Both(), batch_of([Say("image", "k1", 1)], CONTRACT), batch_of([Say("gap", None, 2)], CONTRACT)
    for side, batch in ((Side.LIVE, one), (Side.SHADOW, other)):
        both.do(lambda warehouse, side=side: warehouse.prepare(CONTRACT, side, turn=both.turn))
        both.merge(CONTRACT, [batch], side=side)

    for question, ask in asked([], [one.name], CONTRACT).items():
        ours, theirs = (warehouse.reading(CONTRACT, Side.SHADOW) for warehouse in (both.rule, both.database))
        assert ask(ours) == ask(theirs), question


def test_an_event_of_which_nobody_said_when_it_happened_is_not_fresh() -> None:
    both, told = Both(), batch_of([Say("image", "k1", 1)], CONTRACT)
    at = told.changes.schema.get_field_index("_observed_at")
    unknown = told.changes.set_column(at, told.changes.schema.field(at), pa.nulls(1, TIMESTAMP))
    both.do(lambda warehouse: warehouse.prepare(CONTRACT, Side.LIVE, turn=both.turn))

    both.merge(CONTRACT, [replace(told, changes=unknown)])

    agree(both, CONTRACT)
    assert both.database.reading(CONTRACT).freshness() == Freshness(None, None, None)


EVERY_TYPE = {
    "boolean": "true",
    "smallint": "7",
    "integer": "-5",
    "bigint": "9223372036854775807",
    "decimal(18,2)": "-3.10",
    "numeric": "1e3",
    "real": "0.1",
    "double": "0.1",
    "text": "a|b",
    "date": "2026-11-20",
    "time": "10:11:12.5",
    "timestamp": "2026-11-20 12:00:00.5",
    "timestamptz": "2026-11-20T12:00:00.123456Z",
    "uuid": "5C3E3F3E-0000-0000-0000-000000000001",
    "json": '{"x": 1.0}',
    "bytea": "\\xDEad",
}


def test_values_of_every_type_are_the_same_in_both() -> None:
    names = {f"f{at}": type_ for at, type_ in enumerate(EVERY_TYPE)}
    contract, both = contract_of(**names), Both()
    full = Say("image", "k1", 1, {name: EVERY_TYPE[type_] for name, type_ in names.items()})
    both.do(lambda warehouse: warehouse.prepare(contract, Side.LIVE, turn=both.turn))
    both.merge(contract, [batch_of([full, Say("image", "k2", 1, dict.fromkeys(names))], contract)])

    agree(both, contract)

    ours, theirs = both.rule.reading(contract).rows(), shown.rows(both.database, contract)
    assert [type(value) for value in ours['["k1"]'].values()] == [type(value) for value in theirs['["k1"]'].values()]
    assert None not in ours['["k1"]'].values()
