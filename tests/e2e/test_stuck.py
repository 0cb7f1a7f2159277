"""A stream that cannot be merged is stuck alone: the others are merged, and are told as what they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Project, image, project
from tests.e2e.test_cli_rebuild import write_contract

_SECONDS = 30.0


def streams(books: Project) -> dict[str, dict[str, Any]]:
    return {one["stream"]: one for one in books.json("status")["streams"]}


def ran(books: Project, *options: str, code: int) -> Any:
    (lane,) = books.json("run", "--once", *options, code=code)["lanes"]
    return lane


@pytest.fixture
def retyped(tmp_path: Path) -> Project:
    """Two streams that are merged; then the contract of one gives a column another type, and both have news."""
    books = project(tmp_path)
    write_contract(tmp_path, amount="text")
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("O", 1, stream="erp.order", total="1"))
    assert books.tieout("run", "--once").code == 0
    write_contract(tmp_path, amount="decimal(18,3)")
    books.drop("2.ndjson", image("B", 1, amount="2.00"), image("P", 1, stream="erp.order", total="2"))
    return Project(tmp_path, within=True)


def test_a_stream_that_asks_for_a_rebuild_fails_alone_and_the_run_names_it(retyped: Project) -> None:
    lane = ran(retyped, code=2)
    found = streams(retyped)

    assert (lane["outcome"], lane["merged"]) == ("failed", 1)
    assert lane["reason"].startswith("erp.account cannot be merged: ")
    assert lane["hint"].startswith("Run `tieout rebuild erp.account`")
    assert (found["erp.order"]["state"], found["erp.order"]["current_rows"]) == ("complete", 2)
    assert (found["erp.account"]["state"], found["erp.account"]["books"]["pending"]) == ("failed", 1)
    assert "amount is VARCHAR in the warehouse" in found["erp.account"]["reason"]
    assert "tieout rebuild erp.account" in found["erp.account"]["reason"]
    shown = retyped.tieout("status").out
    assert "1 of 2 streams is failed." in shown
    assert "erp.account: erp.account:" not in shown
    assert "Next:" not in shown, "the reason names the mend, and a run would not"


def test_a_run_of_another_stream_does_not_make_it_well(retyped: Project) -> None:
    ran(retyped, code=2)
    retyped.drop("3.ndjson", image("Q", 1, stream="erp.order", total="3"))

    lane = ran(retyped, "--stream", "erp.order", code=0)

    assert lane["merged"] == 1
    assert {stream: one["state"] for stream, one in streams(retyped).items()} == {
        "erp.account": "failed",
        "erp.order": "complete",
    }


def test_it_is_free_again_after_its_rebuild(retyped: Project) -> None:
    ran(retyped, code=2)

    retyped.json("rebuild", "erp.account", code=3)

    assert {one["state"] for one in streams(retyped).values()} == {"complete"}


def test_it_is_free_again_after_its_contract_was_taken_back(retyped: Project) -> None:
    ran(retyped, code=2)
    write_contract(retyped.root, amount="text")

    lane = ran(retyped, code=0)

    assert lane["merged"] == 1
    assert {one["state"] for one in streams(retyped).values()} == {"complete"}


def test_a_worker_goes_on_with_the_other_streams(retyped: Project) -> None:
    beside = Project(retyped.root)
    with beside.worker() as worker:
        beside.drop("3.ndjson", image("Q", 1, stream="erp.order", total="3"), image("C", 1, amount="3.00"))
        end = time.monotonic() + _SECONDS
        # Its rows can be read a moment before the book says that they are merged.
        while (found := streams(beside))["erp.order"]["current_rows"] < 3 or found["erp.order"]["state"] == "partial":
            assert time.monotonic() < end, found
            assert worker.poll() is None, found
        while not (found := streams(beside))["erp.account"]["reason"]:
            assert time.monotonic() < end, found
            assert worker.poll() is None, found

    assert (found["erp.order"]["state"], found["erp.account"]["state"]) == ("complete", "failed")


def test_the_others_are_certified(retyped: Project) -> None:
    told = retyped.json("certify", code=3)
    shown = retyped.tieout("certify")

    assert [(one["stream"], one["state"]) for one in told["streams"]] == [("erp.order", "complete")]
    (uncertified,) = told["uncertified"]
    assert uncertified["stream"] == "erp.account"
    assert "amount is VARCHAR in the warehouse" in uncertified["reason"]
    assert uncertified["hint"].startswith("Run `tieout rebuild erp.account`")
    assert told["certificate"] == "broken"
    assert "erp.account: not compared, as it cannot be merged: " in shown.out
    assert "→ Run `tieout rebuild erp.account`" in shown.out
    assert retyped.json("certify", "erp.order", code=0)["uncertified"] == []


def test_quarantine_of_the_others_is_settled(retyped: Project) -> None:
    retyped.drop("3.ndjson", image("Q", 1, stream="erp.order", total={"of": 3}))
    ran(retyped, code=2)

    released = retyped.json("quarantine", "release", "--stream", "erp.order", code=3)
    assert released == {"streams": [{"stream": "erp.order", "released": 0, "waiting": 1}]}
    (waiting,) = retyped.json("quarantine", "list", "--rows", "--stream", "erp.order")["rows"]
    retyped.json("quarantine", "discard", waiting["id"], "--reason", "a test")
    assert retyped.json("quarantine", "list", "--rows", "--stream", "erp.order")["rows"] == []
