"""A comparison by counts: what both sides count and sum, which days are looked into, and which keys are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pyarrow as pa
import pytest

from tests.telling import NOON, Say, batch_of, contract_of
from tieout.capture.counts import COUNTED, Countable
from tieout.contract.contract import Contract
from tieout.merge.aside import Aside
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.warehouse import Side, Turn
from tieout.quality.counts import CountsHere, Unlike, countable_by
from tieout.quality.proof import Counted, Proof
from tieout.quality.telling import Telling

CONTRACT = contract_of(made="timestamptz", stamp="timestamptz", amount="decimal(18,2)", note="text")
BY = Countable("made", "stamp", ("amount",), ("id", "made", "stamp", "amount", "note"))
START = datetime(2026, 1, 30, 22, tzinfo=UTC)
Row = tuple[str, datetime, datetime, str | None]
"""Key, made, last changed, amount."""


def rows(number: int) -> list[Row]:
    """One each five hours, changed a day and a half later."""
    dice = Random(1)
    made = [START + at * timedelta(hours=5) for at in range(number)]
    amounts = [None if at % 7 == 0 else f"{dice.randrange(10**11) / 100:.2f}" for at in range(number)]
    return [(f"k{at:04}", made[at], made[at] + timedelta(hours=36), amounts[at]) for at in range(number)]


def counted(told: Sequence[Row]) -> pa.Table:
    """As an org would: numbers are summed in floating numbers, in no order that anybody knows."""
    by_day: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in Random(2).sample(list(told), len(told)):
        by_day["made", row[1].date()].append(row)
        by_day["stamp", row[2].date()].append(row)
    entries: list[tuple[str, date, str, str | None]] = []
    for (by, day), of in by_day.items():
        last = max(row[1 if by == "made" else 2] for row in of)
        entries += [(by, day, "", str(len(of))), (by, day, by, str(int(last.timestamp())))]
        amounts = [float(row[3]) for row in of if row[3] is not None]
        entries += [(by, day, "amount", repr(sum(amounts)) if amounts else None)] if by == "made" else []
    return pa.Table.from_pylist([dict(zip(COUNTED.names, one, strict=True)) for one in entries], schema=COUNTED)


def listed(told: Sequence[Row]) -> pa.Table:
    columns = {"id": 0, "made": 1, "stamp": 2, "amount": 3}
    texts = [
        [f"{row[at]:%Y-%m-%dT%H:%M:%S.000Z}" if at in (1, 2) else row[at] for row in told] for at in columns.values()
    ]
    return pa.table([pa.array(column, pa.string()) for column in texts], names=list(columns))


def within(unlike: Unlike, told: Sequence[Row]) -> list[Row]:
    """Those of the days that are looked into."""
    made, stamp = unlike.days.get("made", ()), unlike.days.get("stamp", ())
    return [row for row in told if row[1].date() in made or row[2].date() in stamp]


@pytest.fixture
def aside() -> Iterator[Aside]:
    """With the rows, in a session far from UTC."""
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(CONTRACT, Side.LIVE, turn=Turn("erp", 1))
    said = [
        Say("image", key, 1, {"made": f"{made:%F %T+00}", "stamp": f"{stamp:%F %T+00}", "amount": amount, "note": "n"})
        for key, made, stamp, amount in rows(200)
    ]
    batch = batch_of(said, CONTRACT)
    warehouse.merge(CONTRACT, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)
    with warehouse.aside() as aside:
        aside.connection.execute("set TimeZone = 'Pacific/Kiritimati'")
        yield aside


def here(aside: Aside, *moved: str) -> CountsHere:
    telling = Telling(aside, CONTRACT, 0)
    telling.leave_out([f'["{key}"]' for key in moved])
    return CountsHere(telling, BY)


def test_rows_that_are_alike_are_counted_and_summed_alike(aside: Aside) -> None:
    unlike = here(aside).unlike(counted(rows(200)), newest_rows=0)

    assert (unlike.days, unlike.rows, unlike.windows_read) == ({}, 0, 0)
    assert unlike.windows == len({row[1].date() for row in rows(200)}) + len({row[2].date() for row in rows(200)})


def test_a_cent_is_seen_on_its_day_and_in_its_key(aside: Aside) -> None:
    told = rows(200)
    key, made, stamp, amount = told[50]
    told[50] = (key, made, stamp, f"{float(amount or 0) + 0.01:.2f}")
    ours = here(aside)

    unlike = ours.unlike(counted(told), newest_rows=0)

    assert unlike.days == {"made": [made.date()]}
    of_day = [row for row in told if row[1].date() == made.date()]
    assert (unlike.rows, ours.keys(unlike, listed(of_day))) == (len(of_day), [f'["{key}"]'])


def test_what_lacks_on_either_side_and_what_is_stale_is_among_the_keys(aside: Aside) -> None:
    told = rows(200)
    missing, stale, ghost = ("k9999", told[10][1], told[10][2], "1.00"), told[20], told[30]
    told[20] = (stale[0], stale[1], stale[2] + timedelta(days=3), stale[3])
    told = [row for row in told if row is not ghost] + [missing]
    ours = here(aside)

    unlike = ours.unlike(counted(told), newest_rows=0)
    keys = ours.keys(unlike, listed(within(unlike, told)))

    assert {"made", "stamp"} == set(unlike.days)
    assert keys == [f'["{key}"]' for key in ("k0020", "k0030", "k9999")]


def test_what_moved_is_counted_on_no_side(aside: Aside) -> None:
    told = [row for row in rows(200) if row[0] != "k0030"]
    ours = here(aside, "k0030")

    unlike = ours.unlike(counted(told), newest_rows=0)

    assert unlike.days == {}
    assert (ours.keys(unlike, None), ours.beside()) == ([], 199)


def test_the_last_days_of_changes_are_looked_into_anyway(aside: Aside) -> None:
    told = rows(200)
    last = max(row[2] for row in told).date()
    of_last = sum(row[2].date() == last for row in told)

    unlike = here(aside).unlike(counted(told), newest_rows=of_last)

    assert (unlike.days, unlike.rows) == ({"stamp": [last]}, of_last)


def test_a_row_of_no_day_and_a_key_that_stands_here_twice_are_compared(aside: Aside) -> None:
    aside.connection.execute("update latest.erp__account set made = null where id = 'k0001'")
    aside.connection.execute("insert into latest.erp__account from latest.erp__account where id = 'k0002'")
    ours, told = here(aside), rows(200)

    unlike = ours.unlike(counted(told), newest_rows=0)

    assert ours.keys(unlike, listed(within(unlike, told))) == ['["k0001"]', '["k0002"]']


@pytest.mark.parametrize(
    ("contract", "sums"),
    [
        (contract_of(made="timestamptz", stamp="timestamptz", amount="decimal(18,2)"), ("amount",)),
        (contract_of(made="timestamptz", stamp="timestamptz", amount="bigint"), ("amount",)),
        (contract_of(made="timestamptz", stamp="timestamptz", amount="numeric"), ()),
        (contract_of(made="timestamptz", stamp="timestamptz", amount="double"), ()),
        (contract_of(made="timestamptz", stamp="timestamptz"), ()),
        (contract_of(made="timestamptz", amount="decimal(18,2)"), None),
        (contract_of(made="date", stamp="timestamptz"), None),
    ],
)
def test_what_can_be_counted_is_a_matter_of_the_contract(contract: Contract, sums: tuple[str, ...] | None) -> None:
    found = countable_by(contract, BY)

    assert (None if found is None else found.sums) == sums


@pytest.mark.parametrize(
    ("proof", "how"),
    [
        (
            Proof(0, counted=Counted(("CreatedDate", "SystemModstamp"), 3_652, 0, 4, 0, 15)),
            "by counts of 3,652 days of CreatedDate and SystemModstamp and sums of 4 columns, 0 rows read",
        ),
        (
            Proof(1, counted=Counted(("CreatedDate", "SystemModstamp"), 2, 1, 0, 7, 9), moved=2),
            "by counts of 2 days of CreatedDate and SystemModstamp, ids within 1 day, 1 row read, but for 2 rows that"
            " changed meanwhile",
        ),
    ],
)
def test_it_says_what_it_is_and_that_is_not_exact(proof: Proof, how: str) -> None:
    assert proof.how == how
    assert proof.since_json() is None  # it is of the whole stream
