"""`tieout rebuild`: the tables made anew from the landing are those that were there, or we are told."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.e2e.command import image, project, promise


def write_contract(root: Path, *, amount: str) -> None:
    promise(root, "erp.account", f'name: amount, logicalType: string, physicalType: "{amount}"')


def test_a_rebuild_merges_what_is_pending_and_finds_both_sides_equal(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, stream="erp.order", total="2.00"))
    books.tieout("run", "--once")
    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()

    streams = books.json("rebuild")["streams"]

    assert [(one["stream"], one["equal"], one["rows"]) for one in streams] == [
        ("erp.account", True, 1),
        ("erp.order", True, 1),
    ]
    assert books.status()["state_hash"] == streams[0]["state_hash"]


def test_an_edit_behind_our_back_is_told_and_undone(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    before = books.status()["state_hash"]
    with duckdb.connect(str(tmp_path / ".tieout" / "warehouse.duckdb")) as warehouse:
        warehouse.execute("update latest.erp__account set amount = '9.99'")

    (rebuilt,) = books.json("rebuild", "erp.account", code=3)["streams"]

    assert (rebuilt["equal"], rebuilt["state_hash"]) == (False, before)
    assert rebuilt["reason"] == "The tables were not what the landing says; now they are."
    assert books.query("select amount from latest.erp__account") == [["1.00"]]


def test_a_column_that_changed_its_type_is_made_anew(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    write_contract(tmp_path, amount="text")
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    write_contract(tmp_path, amount="decimal(18,3)")
    books.drop("2.ndjson", image("B", 1, amount="2.00"))

    refused = books.json("run", "--once", code=2)
    (rebuilt,) = books.json("rebuild", code=3)["streams"]

    assert refused["lanes"][0]["hint"].startswith("Run `tieout rebuild erp.account`")
    assert not rebuilt["equal"]
    assert "amount is VARCHAR in the warehouse" in rebuilt["reason"]
    assert books.query("select id, amount from latest.erp__account order by id") == [["A", "1.000"], ["B", "2.000"]]
    assert books.json("run", "--once")["outcome"] == "complete"
    assert books.json("rebuild")["streams"][0]["equal"]


def test_whole_numbers_become_decimals_that_have_room_for_them(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    write_contract(tmp_path, amount="bigint")
    books.drop("1.ndjson", image("A", 1, amount=45000))
    books.tieout("run", "--once")

    write_contract(tmp_path, amount="decimal(4,2)")
    refused = books.json("rebuild", code=2)
    write_contract(tmp_path, amount="decimal(7,2)")
    shown = books.tieout("rebuild").out

    assert "what landed as amount does not fit its contract" in refused["error"]["message"]
    assert "erp.account: amount is BIGINT in the warehouse" in shown
    assert "erp.account: erp.account:" not in shown
    assert books.query("select id, amount from latest.erp__account") == [["A", "45000.00"]]


def test_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)

    assert books.json("rebuild") == {"streams": []}
    assert books.json("rebuild", "erp.account", code=2)["error"]["kind"] == "misconfigured"
