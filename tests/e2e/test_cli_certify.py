"""`tieout certify`, and the way out of quarantine: until the two sides agree, the exit code says that they do not."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command import Project, image, project, promise

AMOUNT = 'name: amount, logicalType: number, physicalType: "decimal(4,2)"'


def with_a_row_set_aside(root: Path) -> Project:
    """Its second row does not fit the contract."""
    books = project(root, within=True)
    promise(root, "erp.account", AMOUNT)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, amount="12345.67"))
    books.tieout("run", "--once")
    return books


def test_what_agrees_is_certified_with_exit_0(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))

    certified = books.json("certify")

    assert certified["certificate"] == "complete"
    assert [(one["stream"], one["source_rows"], one["current_rows"]) for one in certified["streams"]] == [
        ("erp.account", 1, 1)
    ]
    assert books.status()["certificate"]["state"] == "complete"


def test_its_cost_is_said_before_and_a_dry_run_compares_nothing(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    told = books.json("certify", "--dry-run")

    unknown = {"rows": None, "bytes": None, "calls": None}
    assert told == {"streams": [{"stream": "erp.account", "way": "told", **unknown}]}
    assert books.json("certificates", code=3) == {"streams": [], "certificate": None}
    assert "erp.account: rows are read from the source." in books.tieout("certify", "erp.account").err


def test_a_row_in_quarantine_keeps_the_certificate_from_being_complete(tmp_path: Path) -> None:
    books = with_a_row_set_aside(tmp_path)

    assert books.json("certify", "erp.account", code=3)["certificate"] == "partial"


def test_a_row_is_released_when_its_contract_was_mended(tmp_path: Path) -> None:
    books = with_a_row_set_aside(tmp_path)

    too_early = books.json("quarantine", "release", code=3)["streams"]
    shown = books.tieout("quarantine", "release").out
    promise(tmp_path, "erp.account", AMOUNT.replace("decimal(4,2)", "decimal(18,2)"))
    assert books.json("rebuild")["streams"][0]["equal"]
    released = books.json("quarantine", "release")["streams"]

    assert too_early == [{"stream": "erp.account", "released": 0, "waiting": 1}]
    assert "Nothing was released: what waits is refused as before." in shown
    assert "Next: tieout quarantine list --rows" in shown
    assert released == [{"stream": "erp.account", "released": 1, "waiting": 0}]
    assert books.query("select id, amount from latest.erp__account order by id") == [["A", "1.00"], ["B", "12345.67"]]
    assert books.json("certify")["certificate"] == "complete"


def test_a_row_is_given_up_with_a_reason_that_outlives_the_warehouse(tmp_path: Path) -> None:
    books = with_a_row_set_aside(tmp_path)
    (row,) = books.json("quarantine", "list", "--rows")["rows"]

    discarded = books.json("quarantine", "discard", row["id"][:10], "--reason", "a test of theirs")["streams"]
    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()
    books.tieout("run", "--once")

    assert discarded == [{"stream": "erp.account", "discarded": 1, "waiting": 0}]
    assert books.json("quarantine", "list") == {"streams": []}
    assert books.query("select reason from tieout.settlements") == [["a test of theirs"]]
    assert books.status()["state"] == "complete"
