"""The same old rows beside the same live ones differ alike in every warehouse, at the edges of every type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conformance.test_checks import Tables, merged
from tests.conformance.test_checks_alike import VALUES
from tests.snowflake import connect, own_database, session, snowflake_server
from tests.telling import contract_of
from tieout.base.errors import Misconfigured
from tieout.base.sql import literal
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.quality.migration import Comparison, Side
from tieout.run.migration import Column, Legacy, Moved
from tieout.run.pairing import Pairing
from tieout.run.pairing_snowflake import SnowflakePairing
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_server"]

OF = {f"of_{''.join(letter for letter in type_ if letter.isalnum())}": type_ for type_ in VALUES}
OTHERS = VALUES | {"double": [value for value in VALUES["double"] if value != "-0.0"]}
"""Without minus zero, which is zero, but shown otherwise: the stand-in's TRY_CAST has no sign for it."""
EDGES = contract_of("erp.edges", **OF)
DEALS = contract_of(
    "erp.deals",
    money="decimal(18,2)", whole="bigint", half="double", single="real", day="date", hour="time", moment="timestamp",
    instant="timestamptz", said="text", was="text", flag="boolean", digits="numeric",
)  # fmt: skip
LIVE_DEAL = {
    "money": "45000.10", "whole": "7", "half": "0.1", "single": "0.1", "day": "2026-11-20", "hour": "10:00:00.5",
    "moment": "2026-11-20 10:00:00", "instant": "2026-11-20T10:00:00Z", "said": "12.50", "was": "2026-11-20 10:00:00",
    "flag": "true", "digits": "7",
}  # fmt: skip
OLD_DEALS = """
create table old.deals as
select
    'same' as id, 45000.1::double as money, 7::double as whole, 0.1::double as half, '0.1' as single
    , timestamp '2026-11-20 00:00:00' as day, timestamp '2026-11-20 10:00:00.5' as hour, date '2026-11-20' as moment
    , timestamp '2026-11-20 10:00:00' as instant, 12.50::decimal(18,2) as said
    , timestamp '2026-11-20 10:00:00' as was, true as flag, 7::decimal(18,0) as digits;
insert into old.deals
select 'other', 1e17::double, -1e30::double, 1e300::double, '0.10000001', timestamp '2026-11-21 23:00:00'
    , timestamp '2026-11-20 10:00:00.25', date '2026-11-22', timestamp '2026-11-20 10:00:00.000001'
    , 12.55::decimal(18,2), timestamp '2026-11-20 10:00:00.5', false, 8::decimal(18,0);
insert into old.deals
select 'edges', -0.005::double, 2.6::double, null, 'x', null, null, null, null, null, null, null, null;
"""


def live_edges() -> dict[str, dict[str, Any]]:
    """Each value in one row, and a row without any."""
    return {"none": {}} | {f"k{at}": _row(at) for at in range(max(map(len, VALUES.values())))}


def _row(at: int) -> dict[str, Any]:
    return {name: VALUES[type_][at] for name, type_ in OF.items() if at < len(VALUES[type_])}


def old_edges() -> Iterator[tuple[str | None, dict[str, Any]]]:
    """As text. Every third value is another one of its type, and every fifth none at all; one key is there twice, one
    is only there, and one is empty."""
    for at, (key, live) in enumerate(live_edges().items()):
        row = dict(live)
        for place, name in enumerate(OF):
            if (at + place) % 3 == 0:
                row[name] = OTHERS[OF[name]][place % len(OTHERS[OF[name]])]
            elif (at + place) % 5 == 0:
                row[name] = "N?"
        yield key, row
    yield "k1", dict.fromkeys(OF)
    yield 'it\'s "é"\\ 😀', _row(0)
    yield None, _row(0)


def statements() -> Iterator[str]:
    yield "create schema old"
    yield f"create table old.edges (id varchar, {', '.join(f'{name} varchar' for name in OF)})"
    for key, row in old_edges():
        values = (None if value is None else str(value) for value in (key, *(row.get(name) for name in OF)))
        yield f"insert into old.edges select {', '.join(map(_said, values))}"
    yield from filter(str.strip, OLD_DEALS.split(";"))


def _said(value: str | None) -> str:
    """In both engines: to Snowflake a backslash within quotes is the beginning of something else."""
    return "null" if value is None else " || chr(92) || ".join(literal(part) for part in value.split("\\"))


def moved(name: str, contract: Contract, legacy: Legacy | None = None) -> Moved:
    columns = tuple(Column(column.name, column.name, None) for column in contract.columns)
    return Moved(name, contract.stream, ("id",), columns, legacy)


@pytest.fixture(scope="module")
def both(snowflake_server: SnowflakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Pairing]]:
    file = tmp_path_factory.mktemp("alike") / "warehouse.duckdb"
    with closing(DuckDBWarehouse(file)) as here:
        merge_both(here)
    with duckdb.connect(file) as connection:
        for statement in statements():
            connection.execute(statement)
    with (
        own_database(snowflake_server) as database,
        closing(SnowflakeWarehouse(partial(session, snowflake_server, database), mark="alike")) as there,
        closing(DuckDBWarehouse(file)) as here,
    ):
        merge_both(there)
        with connect(snowflake_server, database=database) as hand:
            for statement in statements():
                hand.cursor().execute(statement)
        yield Pairing(here, "old"), SnowflakePairing(there, "old")


def merge_both(warehouse: Tables) -> None:
    merged(warehouse, live_edges(), EDGES)
    merged(warehouse, dict.fromkeys(("same", "other", "edges"), LIVE_DEAL), DEALS)


def alike(both: Sequence[Pairing], one: Moved, contract: Contract, *, limit: int = 100) -> Comparison:
    here, there = (pairing.compared(one, contract, limit=limit) for pairing in both)

    assert [each.to_json() for each in there.named] == [each.to_json() for each in here.named]
    assert there == here
    return there


def fields_of(found: Comparison, key: str) -> Mapping[str, tuple[str | None, str | None]]:
    (named,) = (one for one in found.named if one.key == f'["{key}"]')
    return {field.name: (field.legacy, field.current) for field in named.fields}


def test_an_export_of_text_differs_alike_and_is_shown_alike(both: Sequence[Pairing]) -> None:
    found = alike(both, moved("edges", EDGES), EDGES)

    assert (found.duplicates, found.nameless, found.counts[Side.ONLY_CURRENT]) == (1, 1, 0)
    assert [one.key for one in found.named if one.side is Side.ONLY_LEGACY] == ['["it\'s \\"é\\"\\\\ 😀"]']
    assert all(found.columns.values())
    shown = {field.legacy for one in found.named for field in one.fields}
    assert "N?" in shown


def test_old_types_that_are_not_the_contracts_differ_alike(both: Sequence[Pairing]) -> None:
    found = alike(both, moved("deals", DEALS), DEALS)

    assert fields_of(found, "same") == {"moment": ("2026-11-20 00:00:00", "2026-11-20 10:00:00")}
    assert fields_of(found, "other")["instant"] == ("2026-11-20 10:00:00.000001+00", "2026-11-20 10:00:00+00")


def test_the_first_keys_are_the_same_ones(both: Sequence[Pairing]) -> None:
    found = alike(both, moved("edges", EDGES), EDGES, limit=2)

    assert len([one for one in found.named if one.side is Side.DIFFERS]) == 2


def test_a_file_beside_the_program_is_compared_with_tables_elsewhere(both: Sequence[Pairing], tmp_path: Path) -> None:
    file = tmp_path / "deals.csv"
    names = ["id", *LIVE_DEAL]
    rows = [["same", *LIVE_DEAL.values()], ["other", *(f"{value}9" for value in LIVE_DEAL.values())]]
    file.write_text("\n".join(",".join(row) for row in [names, *rows]))

    found = alike(both, moved("deals", DEALS, Legacy(None, file, "csv")), DEALS)

    assert (found.counts[Side.DIFFERS], found.counts[Side.ONLY_CURRENT]) == (1, 1)


def test_what_is_not_there_is_told_alike(both: Sequence[Pairing]) -> None:
    lacking, others = contract_of("erp.deals", moneys="decimal(18,2)"), contract_of("erp.others", money="text")
    for pairing in both:
        with pytest.raises(Misconfigured, match=r"the old table has no moneys\. Did you mean money"):
            pairing.compared(moved("deals", lacking), lacking, limit=1)
        with pytest.raises(Misconfigured, match=r"there is no old table old\.nothing"):
            pairing.compared(moved("nothing", DEALS), DEALS, limit=1)
        with pytest.raises(Misconfigured, match=r"nothing of erp\.others has been merged yet"):
            pairing.compared(moved("deals", others), others, limit=1)
