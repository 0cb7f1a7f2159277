"""The law of the merge where its short ways meet: few keys, said again and again, several batches merged at once."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_merge import CONTRACT, NAMES, REQUIRED, TURN, latest_of, reading, rule_after
from tests.telling import NOON, Say, batch_of, dear
from tieout.base.order import Class
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.rule import is_shown
from tieout.merge.warehouse import Side

KINDS = ["image"] * 12 + ["delete"] * 4 + ["patch", "undelete", "gap", "truncate", "sweep", "gap_all"]
"""Mostly what the merge writes as it stands, or would if nothing stood beside it."""


@st.composite
def says(draw: st.DrawFn) -> Say:
    kind = draw(st.sampled_from(KINDS))
    position, minor = draw(st.integers(1, 5)), draw(st.integers(0, 1))
    class_ = Class.READ if kind == "sweep" else draw(st.sampled_from([Class.EVENT, Class.EVENT, Class.READ]))
    if kind in ("truncate", "sweep", "gap_all"):
        return Say("gap" if kind == "gap_all" else kind, None, position, {}, class_, minor)
    fields: dict[str, Any] = {"a": str(draw(st.integers(0, 2))), "b": draw(st.sampled_from(["x", None])), "c": None}
    if kind != "image":
        fields = {name: value for name, value in fields.items() if draw(st.integers(0, 2)) == 0}
    if draw(st.integers(0, 19)) == 0:
        fields["c"] = "not a number"
    return Say(kind, draw(st.sampled_from(["k1", "k2"])), position, fields, class_, minor)


histories = st.lists(says(), min_size=1, max_size=20)


def merged_in_groups(said: list[Say], dice: random.Random) -> DuckDBWarehouse:
    """The changes in another order and some twice, in batches of which several are merged at once."""
    told = said + dice.sample(said, dice.randint(0, len(said)))
    dice.shuffle(told)
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(CONTRACT, Side.LIVE, turn=TURN)
    while told:
        group = []
        for _ in range(dice.randint(1, 3)):
            size = dice.randint(1, 6)
            if told[:size]:
                group.append(batch_of(told[:size], CONTRACT))
            told = told[size:]
        merged_at = dict.fromkeys((batch.name for batch in group), NOON)
        warehouse.merge(CONTRACT, group, turn=TURN, merged_at=merged_at, side=Side.LIVE)
    return warehouse


@dear(2)
@given(histories, st.randoms(use_true_random=False))
def test_every_way_through_the_merge_holds_the_registers_of_the_rule(said: list[Say], dice: random.Random) -> None:
    warehouse = merged_in_groups(said, dice)

    rows, state = latest_of(warehouse), rule_after(said)

    assert rows.keys() == state.rows.keys()
    for key, expected in state.rows.items():
        row, patch = rows[key], dict(rows[key]["_patch"] or {})
        assert row["_deleted"] is not is_shown(expected, state, required=REQUIRED)
        assert (row["_life"] or "", row["_alive"], row["_born"]) == (expected.life, expected.alive, expected.born)
        assert (row["_base"] or "", row["_gap"] or "") == (expected.image, expected.gap)
        for name in NAMES:
            assert (patch.get(name) or row["_base"] or "", row[name]) == expected.fields.get(name, ("", None)), name


@dear(4)
@given(histories, st.randoms(use_true_random=False))
def test_no_change_is_kept_or_booked_twice(said: list[Say], dice: random.Random) -> None:
    warehouse, alone = merged_in_groups(said, dice), merged_in_groups(said, random.Random(0))

    kept = warehouse.query("select count(*) n, count(distinct _cid) ids from raw.erp__account").to_pylist()[0]
    accounts, of_alone = reading(warehouse).accounts(), reading(alone).accounts()

    assert kept["n"] == kept["ids"]
    assert accounts.get("accepted") == of_alone.get("accepted")
    assert accounts.get("quarantined") == of_alone.get("quarantined")
    assert (kept["n"] and accounts["accepted"].count) == kept["n"]
