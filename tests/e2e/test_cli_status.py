"""`tieout status`: before, between and after; it tells what is missing, and never fails for telling it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command import image, project, promise


def test_before_anything_has_run_a_stream_with_a_contract_is_new(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    promise(tmp_path, "erp.account", 'name: amount, logicalType: number, physicalType: "decimal(18,2)"')

    report = books.json("status")

    assert [(one["stream"], one["state"]) for one in report["streams"]] == [("erp.account", "new")]
    assert [(one["lane"], one["outcome"]) for one in report["lanes"]] == [("erp", "new")]


def test_a_stream_is_complete_when_all_that_landed_is_merged_and_known(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("A", 2, amount="2.00"), image("A", 2, amount="2.00"))
    books.tieout("run", "--once")

    account = books.status()

    assert (account["state"], account["reason"]) == ("complete", "")
    assert account["books"] == {
        "received": 3, "accepted": 2, "duplicate": 1, "quarantined": 0, "erased": 0, "filtered": 0, "control": 0,
        "pending": 0, "superseded": 1, "ambiguous": 0, "balanced": True, "checksum": account["books"]["checksum"],
    }  # fmt: skip
    assert account["coverage"]["tracks"] == 1
    assert account["coverage"]["cursors"][0]["track"] == "1.ndjson"


def test_without_its_warehouse_everything_is_pending_and_still_balances(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, amount="2.00"))
    books.tieout("run", "--once")
    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()

    account = books.status()

    assert account["state"] == "partial"
    assert (account["books"]["pending"], account["books"]["balanced"]) == (2, True)
    assert account["state_hash"] is None


def test_an_open_obligation_is_named(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    gap = {"stream": "erp.account", "key": {"id": "A"}, "kind": "gap", "order": {"position": 2}}
    books.drop("1.ndjson", image("A", 1, amount="1.00"), gap)
    books.tieout("run", "--once")

    account = books.status()

    assert account["state"] == "partial"
    assert account["obligations"] == {"open": 1, "keys": [{"key": '["A"]', "reason": "gap"}]}


def test_a_contract_that_was_broken_fails_its_stream_and_no_other(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, stream="erp.order", amount="2.00"))
    books.tieout("run", "--once")
    (tmp_path / "contracts" / "erp" / "account.yaml").write_text("kind: Nonsense\n")

    states = {one["stream"]: one["state"] for one in books.json("status")["streams"]}

    assert states == {"erp.account": "failed", "erp.order": "complete"}


def test_a_column_that_the_tables_have_yet_to_gain_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    path = tmp_path / "contracts" / "erp" / "account.yaml"
    path.write_text(path.read_text() + "  - {name: later, logicalType: string}\n")

    before = books.status()
    books.tieout("run", "--once")
    after = books.status()

    assert (before["state"], before["reason"]) == ("partial", "Its tables have yet to gain later, at the next run.")
    assert (before["current_rows"], before["books"]["accepted"]) == (1, 1)
    assert (after["state"], after["current_rows"]) == ("complete", 1)


def test_a_stream_that_nobody_knows_is_a_wrong_wish(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)

    assert books.json("status", "--stream", "erp.nothing", code=2)["error"]["kind"] == "misconfigured"


def test_people_get_a_verdict_and_the_next_command(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), "no json")
    books.tieout("run", "--once")

    overview, detail = books.tieout("status"), books.tieout("status", "--stream", "erp.account")

    assert (overview.code, detail.code) == (0, 0)
    assert "1 of 1 stream is partial." in overview.out
    assert "Next: tieout quarantine list" in overview.out
    assert "2 received = 1 accepted + 1 quarantined" in detail.out


def test_a_long_name_is_cut_off_nowhere(tmp_path: Path) -> None:
    books, stream = project(tmp_path, within=True), f"erp.{'orders_of_a_year' * 6}"
    books.drop("1.ndjson", image("A", 1, stream=stream, amount="1.00"))
    books.tieout("run", "--once")

    detail = books.tieout("status", "--stream", stream).out

    assert stream in "".join(detail.split())
    assert "…" not in detail + books.tieout("status").out
    assert "of 1 event, merged within the last day" in detail


def test_a_source_that_is_away_is_tried_again_before_it_is_certified(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    (tmp_path / "inbox").rename(tmp_path / "elsewhere")
    run = books.tieout("run", "--once")

    shown = books.tieout("status").out

    assert "\n→ Create it" in run.out
    assert "Next: tieout run --once" in shown


def test_a_first_run_that_failed_is_told_with_its_reason(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    before = books.tieout("status").out
    (tmp_path / "inbox").rmdir()
    run = books.json("run", "--once", code=2)

    shown = books.tieout("status").out

    assert "Next: tieout run --once" in before
    assert f"erp: {run['lanes'][0]['reason']}" in " ".join(shown.split())
    assert "✗ failed" in shown
    assert "Next: tieout doctor" in shown


def test_a_source_whose_run_failed_for_one_stream_is_not_simply_complete(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, stream="erp.order", amount="2.00"))
    books.tieout("run", "--once")
    before = books.tieout("status").out
    (tmp_path / "contracts" / "erp" / "account.yaml").write_text("")
    books.drop("2.ndjson", image("A", 2, amount="3.00"))

    (lane,) = books.json("run", "--once", code=2)["lanes"]
    shown = books.tieout("status")

    assert lane["outcome"] == "failed"
    assert "complete, but for" not in before
    assert "✗ complete, but for 1 stream" in shown.out
    assert books.json("status")["lanes"][0]["outcome"] == "complete"
    assert "complete, but for" not in books.tieout("status", "--stream", "erp.order").out


def test_backfills_of_a_stream_that_nobody_knows_are_a_wrong_wish(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    error = books.json("backfill", "list", "--stream", "erp.acount", code=2)["error"]

    assert "erp.acount" in error["message"]
    assert "erp.account" in error["hint"]
    assert books.json("backfill", "list", "--stream", "erp.account") == {"backfills": []}
