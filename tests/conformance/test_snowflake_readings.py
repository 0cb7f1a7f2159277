"""Whatever a warehouse is asked of a stream, Snowflake answers as DuckDB does after the same history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.property.test_rulehouse import (
    CONTRACT,
    MIDDLE,
    VALUES,
    asked,
    batches_by,
    read_at_one_moment,
    said_by,
    sealed,
)
from tests.property.test_rulehouse import settlement as settlement_by
from tests.snowflake import own_database, session, snowflake_server
from tests.telling import NOON, Say, judged_of
from tieout.base.batch import Batch
from tieout.contract.judge import batch_schema, tallied
from tieout.ledger.ledger import Passage
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.reading import Latencies, Limit, Quantiles
from tieout.merge.readings import StreamReading
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn, Warehouse
from tieout.quality.quarantine import discarded
from tieout.sim.snowflake.server import SnowflakeServer
from tieout.sim.world.chance import Chance

__all__ = ["snowflake_server"]

SEEDS = (39, 56)
OF = {column.name: column for column in CONTRACT.columns}
KEYLESS = [Say("image", None, 9, dict.fromkeys(VALUES)), Say("image", None, 2, dict.fromkeys(VALUES))]
"""One that waits, and one that a sweep or truncation of a later moment may have overtaken."""
UNWANTED = Say("image", "k14", 9, {**dict.fromkeys(VALUES), "c": "not a number"})
LIVING = [
    Say("image", key, 3, {"a": a, "b": "y", "c": "1.50", "d": "2026-11-20T12:00:00Z"})
    for key, a in (("k10", "2"), ("k11", "2"), ("k12", "4"), ("k13", None))
]
"""Keys of which nobody says anything more, in the history in which no sweep or truncation goes over them."""
# Of several columns none is null where it counts: they are a key's.
LIMITS = {
    "one column": [Limit((OF["a"],), "<=", ("2",))],
    "several columns, of which the first counts first": [Limit((OF["id"], OF["a"]), ">", ("k10", "1"))],
    "all signs": [
        Limit((OF["id"], OF["a"]), "<=", ("k12", "3")),
        Limit((OF["id"], OF["a"]), ">=", ("k10", "2")),
        Limit((OF["id"], OF["a"], OF["c"]), "<", ("k12", "4", "1.50")),
        Limit((OF["d"],), "<", ("2030-01-01T00:00:00Z",)),
    ],
    "a value that is none of its column's type": [Limit((OF["a"],), ">", ("many",)), Limit((OF["b"],), ">", ("x",))],
    "none": [],
}


def history(seed: int) -> list[Batch]:
    chance = Chance(seed)
    said = [said_by(chance) for _ in range(24)] + KEYLESS
    if seed == SEEDS[-1]:
        said = [one for one in said if one.kind not in ("truncate", "sweep")] + LIVING
    faulty = [row["_cid"] for row in judged_of(said, CONTRACT).changes.to_pylist() if row["_fault"] is not None]
    settled = [settlement_by(cid, chance) for cid in faulty[::2] for _ in range(2)]
    (unwanted,) = (row["_cid"] for row in judged_of([UNWANTED], CONTRACT).changes.to_pylist())
    settled.append(sealed(tallied(discarded(batch_schema(CONTRACT), [unwanted], reason="unwanted", by="ann"))))
    return chance.shuffled([*batches_by(chance, [*said, UNWANTED]), read_at_one_moment(chance), *settled])


@pytest.fixture(scope="module")
def snowflake(snowflake_server: SnowflakeServer) -> Iterator[SnowflakeWarehouse]:
    with own_database(snowflake_server) as database:
        warehouse = SnowflakeWarehouse(lambda: session(snowflake_server, database), mark="asked")
        yield warehouse
        warehouse.close()


def merged(warehouse: Warehouse, batches: list[Batch], side: Side) -> None:
    warehouse.drop(CONTRACT.stream, side, turn=Turn("erp", 1))
    warehouse.prepare(CONTRACT, side, turn=Turn("erp", 1))
    half = len(batches) // 2
    for at, group in enumerate((batches[:half], batches[half:])):
        merged_at = {batch.name: NOON + timedelta(seconds=10 * at + place) for place, batch in enumerate(group)}
        warehouse.merge(CONTRACT, group, turn=Turn("erp", 1), merged_at=merged_at, side=side)


def more(batches: list[Batch], cids: list[str]) -> dict[str, Callable[[StreamReading], Any]]:
    """What only people ask for, and what takes more than one value."""
    names = [batch.name for batch in batches]
    passages = [
        Passage(
            batch=name,
            landed_at=NOON + timedelta(seconds=place - 2),
            merged_at=NOON + timedelta(seconds=3 * place),
            certified_at=None if place % 3 else NOON + timedelta(seconds=90),
        )
        for place, name in enumerate(names)
    ]
    questions: dict[str, Callable[[StreamReading], Any]] = {
        "state": lambda one: one.state_hash(),
        "exists": lambda one: (one.exists(), one.lacking()),
        "latencies": lambda one: rounded(one.latencies(passages, within=4.0)),
        "some latencies": lambda one: rounded(one.latencies(passages[::3], within=None)),
        "no latencies": lambda one: one.latencies([], within=1.0),
        "open since": lambda one: [replace(each, batches=tuple(sorted(each.batches))) for each in one.open_since()],
        "quarantined": lambda one: one.quarantined(limit=99),
        "settled": lambda one: one.settled("", limit=99),
        "reasons": lambda one: one.quarantine_reasons(),
        "discarded for any reason": lambda one: one.discarded(but=""),
        "open of none": lambda one: one.open_keys([], after="", limit=9),
    }
    for cid in cids:
        questions |= {
            f"quarantined as {cid}": lambda one, cid=cid: one.quarantined_as(cid[:9], limit=9),  # type: ignore[misc]
            f"settled as {cid}": lambda one, cid=cid: one.settled(cid[:9], limit=9),  # type: ignore[misc]
        }
    for told, limits in LIMITS.items():
        questions[f"unmentioned, {told}"] = lambda one, limits=limits: one.unmentioned(  # type: ignore[misc]
            limits, floor="9", after="", limit=99
        )
        questions[f"some unmentioned, {told}"] = lambda one, limits=limits: one.unmentioned(  # type: ignore[misc]
            limits, floor=MIDDLE, after='["k1"]', limit=1
        )
    return questions


def rounded(latencies: Latencies) -> Latencies:
    """To the microsecond: seconds are floating numbers, which no two engines sum alike."""

    def one(said: Quantiles) -> Quantiles:
        return Quantiles(
            *(None if each is None else round(each, 6) for each in (said.p50, said.p95, said.p99)), said.of
        )

    ahead = None if latencies.ahead_seconds is None else round(latencies.ahead_seconds, 6)
    stages = {name: one(getattr(latencies, name)) for name in ("landed", "merged", "readable", "certified")}
    return replace(latencies, ahead_seconds=ahead, **stages)


@pytest.mark.parametrize(("seed", "side"), list(zip(SEEDS, Side, strict=True)))
def test_both_warehouses_answer_alike(snowflake: SnowflakeWarehouse, seed: int, side: Side) -> None:
    batches, duckdb = history(seed), DuckDBWarehouse(None)
    for one in (snowflake, duckdb):
        one.prepare(CONTRACT, Side.LIVE, turn=Turn("erp", 1))
        merged(one, batches, side)
    ours, theirs = snowflake.reading(CONTRACT, side), duckdb.reading(CONTRACT, side)
    waiting = [row.cid for row in theirs.quarantine_page((), after="", limit=99)]
    left = [one.row.cid for one in theirs.settled("", limit=99)]

    answers: dict[str, Any] = {}
    questions = asked(waiting[::2], [batch.name for batch in batches[::2]], CONTRACT) | more(
        batches, [*waiting[:1], *left[:1]]
    )
    for question, ask in questions.items():
        answers[question] = ask(theirs)
        assert ask(ours) == answers[question], question
    duckdb.close()

    assert answers["latencies"].events


def told_by(seed: int) -> set[str]:
    """The questions to which this history has an answer."""
    duckdb, batches = DuckDBWarehouse(None), history(seed)
    duckdb.prepare(CONTRACT, Side.LIVE, turn=Turn("erp", 1))
    merged(duckdb, batches, Side.LIVE)
    reading = duckdb.reading(CONTRACT)
    waiting = [row.cid for row in reading.quarantine_page((), after="", limit=99)]
    questions = asked(waiting, [batch.name for batch in batches], CONTRACT) | more(batches, [])
    found = {question for question, ask in questions.items() if ask(reading)}
    duckdb.close()
    return found


def test_these_histories_have_an_answer_to_every_question() -> None:
    """Or two warehouses that say nothing would agree."""
    questions = set(asked([], [], CONTRACT)) | set(more([], []))

    assert questions - set().union(*(told_by(seed) for seed in SEEDS)) == {"open of none"}
