"""The law of evolution: tables that followed their contract are what a rebuild under the last one would make."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_merge import TURN, grouped, histories
from tests.telling import NOON, Say, batch_of, captured_of, contract_of, dear
from tieout.base.batch import Batch, Footer
from tieout.contract.contract import Contract
from tieout.contract.judge import judge
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.readings import StreamReading
from tieout.merge.warehouse import Side

TOLD = contract_of(a="text", b="text", c="text")
"""What the source tells of every row."""
CONTRACTS = [
    contract_of(a="integer"),
    contract_of(),
    contract_of(a="integer", b="text"),
    contract_of(a="integer", c="decimal(9,2)"),
    contract_of(a="bigint", b="text", c="decimal(9,2)"),
    contract_of(required=["a"], a="bigint", b="text", c="decimal(12,2)"),
    contract_of(a="numeric", b="text", c="decimal(13,3)"),
    contract_of(required=["c"], b="text", c="decimal(13,3)"),
]


def told_under(said: list[Say], contract: Contract, encoding: str) -> Batch:
    """A batch of a source that tells all columns, judged by a contract that knows some of them."""
    captured = captured_of(said, TOLD)
    if encoding == "json":
        for name in ("id", "a", "b", "c"):
            texts = [None if text is None else f'"{text}"' for text in captured.column(name).to_pylist()]
            covered = [f'"{name}"' in cover for cover in captured.column("_cover").to_pylist()]
            texts = ["null" if text is None and is_told else text for text, is_told in zip(texts, covered, strict=True)]
            at = captured.schema.get_field_index(name)
            captured = captured.set_column(at, name, pa.array(texts, pa.string()))
    judged = judge(captured, contract, encoding=encoding, epoch=1)
    like = batch_of([], contract)
    footer = Footer(
        contract.stream, like.footer.span, judged.received, 0, judged.positions, contract.digest, NOON, encoding
    )
    return Batch(like.name, footer, judged.changes)


def tables_of(warehouse: DuckDBWarehouse, contract: Contract) -> dict[str, Any]:
    named = ", ".join(f'"{column.name}"' for column in contract.columns)
    raw = f"select {named}, _key, _kind, _cover, _order, _extra from raw.erp__account order by _order, _cid, _key"
    unfit = "select key, field, max(token) token from tieout.unfit group by all order by all"
    reading = StreamReading(warehouse, contract)
    return {
        "raw": warehouse.query(raw).to_pylist(),
        "state": reading.state_hash(),
        "open": reading.obligations(limit=1000),
        "unfit": warehouse.query(unfit).to_pylist(),
    }


def only_grows(contracts: list[Contract]) -> bool:
    """A column that was read back and is dropped then stays in its column of `raw`; a rebuild leaves it in `_extra`."""
    named = [{column.name for column in contract.columns} for contract in contracts]
    return all(one <= other for one, other in itertools.pairwise(named))


@dear(4)
@given(
    histories,
    st.lists(st.sampled_from(range(len(CONTRACTS))), min_size=2, max_size=4).map(sorted),
    st.sampled_from(["text", "json"]),
    st.randoms(use_true_random=False),
)
def test_tables_that_followed_their_contract_are_what_a_rebuild_makes(
    said: list[Say], steps: list[int], encoding: str, dice: random.Random
) -> None:
    contracts = [CONTRACTS[step] for step in steps]
    under = [(group, dice.choice(range(len(contracts)))) for group in grouped(said, dice)]
    under.sort(key=lambda pair: pair[1])
    batches = [(told_under(group, contracts[at], encoding), at) for group, at in under]
    live, anew = DuckDBWarehouse(None), DuckDBWarehouse(None)

    for at, contract in enumerate(contracts):
        live.prepare(contract, Side.LIVE, turn=TURN)
        for batch in [batch for batch, of in batches if of == at]:
            live.merge(contract, [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)
    anew.prepare(contracts[-1], Side.LIVE, turn=TURN)
    for batch in dice.sample([batch for batch, _ in batches], len(batches)):
        anew.merge(contracts[-1], [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)

    followed, made = tables_of(live, contracts[-1]), tables_of(anew, contracts[-1])
    assert (followed["state"], followed["open"]) == (made["state"], made["open"])
    if only_grows(contracts):
        assert followed == made
