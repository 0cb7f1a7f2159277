"""The comparison in the warehouse's engine: what the rule shows against what the tables hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.telling import NOON, Say, batch_of, contract_of, judged_of
from tieout.base.errors import Broken
from tieout.base.order import Class
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.warehouse import Side, Turn
from tieout.quality import telling as telling_module
from tieout.quality.certificate import Comparison, Difference, Finding
from tieout.quality.compare import Comparing
from tieout.quality.telling import Telling

CONTRACT = contract_of(required=["a"], a="integer", b="text", c="decimal(9,2)", u="uuid", j="json")
UUID = "00000000-0000-0000-0000-00000000000"


def image(key: str, position: int, a: int, b: str | None = None, of: Class = Class.EVENT) -> Say:
    return Say("image", key, position, {"a": str(a), "b": b, "c": "1.50", "u": f"{UUID}{a % 10}", "j": '{"n": 1}'}, of)


def merged(said: Sequence[Say], contract: Contract = CONTRACT) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(contract, Side.LIVE, turn=Turn("erp", 1))
    batch = batch_of(said, contract)
    warehouse.merge(contract, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)
    return warehouse


def compared(warehouse: DuckDBWarehouse, changes: Sequence[Say] = (), rows: Sequence[Say] = ()) -> Comparison:
    with warehouse.aside() as aside:
        telling = Telling(aside, CONTRACT, 0)
        if changes:
            telling.tell_changes(judged_of(changes, CONTRACT).changes)
        if rows:
            telling.tell_rows(judged_of(rows, CONTRACT).changes)
        telling.end()
        return Comparing(telling, [], {}).compare()


HISTORY = [
    image("k1", 1, 1, "x"),
    Say("patch", "k1", 2, {"b": "y"}),
    Say("patch", "k1", 3, {"b": None}),
    image("k2", 1, 2),
    Say("delete", "k2", 4),
    Say("patch", "k3", 4, {"b": "unborn"}),
    image("k4", 5, 4),
    image("k5", 8, 5),
    Say("truncate", None, 6),
    image("k6", 7, 6, "z"),
]


def test_what_the_rule_makes_of_all_changes_is_what_stands_here() -> None:
    assert compared(merged(HISTORY), changes=HISTORY) == Comparison(2, 2)


def test_changes_that_do_not_fit_in_memory_are_folded_share_by_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling_module, "_FOLD_ROWS_MAX", 2)

    assert compared(merged(HISTORY), changes=HISTORY) == Comparison(2, 2)


def test_a_change_that_was_never_merged_is_found() -> None:
    later = [*HISTORY, Say("patch", "k6", 9, {"b": "newer"}), Say("delete", "k5", 10), image("k7", 11, 7)]

    findings = compared(merged(HISTORY), changes=later).findings

    assert findings == {
        Difference.STALE: Finding(1, 0, ('["k6"]',)),
        Difference.GHOST: Finding(1, 0, ('["k5"]',)),
        Difference.MISSING: Finding(1, 0, ('["k7"]',)),
    }


ROWS = [image("k1", 9, 1, "x", Class.READ), image("k2", 9, 2, None, Class.READ)]


@pytest.fixture
def warehouse() -> Iterator[DuckDBWarehouse]:
    patches = [Say("patch", "k1", 2, {"b": "v"}), Say("patch", "k1", 3, {"b": "x"})]
    warehouse = merged([image("k1", 1, 1, "w"), *patches, image("k2", 1, 2)])
    yield warehouse
    warehouse.close()


def by_hand(warehouse: DuckDBWarehouse, statement: str) -> None:
    with warehouse.aside() as aside:
        aside.connection.execute(statement)


def test_rows_that_are_the_state_agree(warehouse: DuckDBWarehouse) -> None:
    assert compared(warehouse, rows=ROWS) == Comparison(2, 2)


def test_a_row_as_it_was_after_a_patch_is_stale(warehouse: DuckDBWarehouse) -> None:
    by_hand(warehouse, "update latest.erp__account set b = 'v' where id = 'k1'")

    assert compared(warehouse, rows=ROWS).findings == {Difference.STALE: Finding(1, 0, ('["k1"]',))}


@pytest.mark.parametrize(
    "change", ["b = 'V'", "b = null", "b = ''", "id = 'K1'", "c = 1.51", "u = null", "j = '{\"n\":1}'", "a = -1"]
)
def test_any_other_value_in_any_column_is_diverged(warehouse: DuckDBWarehouse, change: str) -> None:
    by_hand(warehouse, f"update latest.erp__account set {change} where id = 'k1'")

    assert compared(warehouse, rows=ROWS).findings == {Difference.DIVERGED: Finding(1, 0, ('["k1"]',))}


def test_a_row_that_the_contract_cannot_read_differs_and_is_known(warehouse: DuckDBWarehouse) -> None:
    unreadable = Say("image", "k1", 9, {"a": None, "b": "x", "c": "1.50", "u": None, "j": None}, Class.READ)

    found = compared(warehouse, rows=[unreadable, ROWS[1]])

    assert (found.source_rows, found.unreadable) == (2, 1)
    assert found.findings == {Difference.STALE: Finding(1, 1, ('["k1"]',))}


def test_a_source_that_tells_a_key_twice_is_refused(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(Broken, match="twice"):
        compared(warehouse, rows=[ROWS[0], image("k1", 9, 3, "x", Class.READ)])


def test_a_comparison_leaves_nothing_behind(warehouse: DuckDBWarehouse) -> None:
    before = warehouse.query("select table_name from duckdb_tables() order by 1").to_pylist()

    compared(warehouse, rows=ROWS)

    assert warehouse.query("select table_name from duckdb_tables() order by 1").to_pylist() == before
