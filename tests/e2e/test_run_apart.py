"""Sources that are scheduled apart: one is run or certified by itself, and gives backfills no more than their share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.backfilling import ORDERS, Shop, filled, shop
from tests.e2e.command import Project, image, project

TWO = "project: books\nsources:\n  erp: {type: changes, path: ./inbox}\n  crm: {type: changes, path: ./crm}\n"


@pytest.fixture
def books(tmp_path: Path) -> Project:
    """Two sources, each with a change that nobody has read."""
    made = project(tmp_path, within=True)
    (made.root / "tieout.yaml").write_text(TWO)
    made.drop("1.ndjson", image(1, 10, name="Acme"))
    (made.root / "inbox").rename(made.root / "erp")
    (made.root / "inbox").mkdir()
    made.drop("1.ndjson", image(1, 10, stream="crm.case", name="Late"))
    (made.root / "inbox").rename(made.root / "crm")
    (made.root / "erp").rename(made.root / "inbox")
    return made


def test_one_source_is_run_and_certified_by_itself(books: Project) -> None:
    ran = books.json("run", "--once", "--source", "crm")
    certified = books.json("certify", "--source", "crm")

    assert [(lane["lane"], lane["merged"]) for lane in ran["lanes"]] == [("crm", 1)]
    assert [one["stream"] for one in certified["streams"]] == ["crm.case"]
    assert [lane["merged"] for lane in books.json("run", "--once")["lanes"]] == [0, 1]


@pytest.mark.parametrize("command", [("run", "--once"), ("certify",)])
def test_a_source_that_there_is_not_is_answered_with_those_that_there_are(
    books: Project, command: tuple[str, ...]
) -> None:
    error = books.json(*command, "--source", "erq", code=2)["error"]

    assert error["message"] == "erq is no source of this project."
    assert error["hint"] == "Sources are: crm, erp."


def test_a_run_that_ends_leaves_certifying_to_others(books: Project) -> None:
    with (books.root / "tieout.yaml").open("a") as file:
        file.write("certify: {every: 1h}\n")

    books.json("run", "--once")

    assert books.json("certificates", code=3)["streams"] == []


def test_a_run_gives_backfills_their_share_and_ends_complete(tmp_path: Path, database: str) -> None:
    orders = backfilling(tmp_path, database)

    orders.do("update orders set note = 'live' where id = 1")
    ran = orders.project.json("run", "--once", "--backfill-minutes", "0")
    (one,) = orders.listed()
    orders.do("update orders set note = 'live' where id = 2")
    orders.project.json("run", "--once", "--backfill-minutes", "0")
    (two,) = orders.listed()
    orders.project.json("run", "--once")
    (whole,) = orders.listed()

    assert ran["outcome"] == "complete"
    assert (one["state"], one["chunks"], two["chunks"]) == ("running", 1, 2)
    assert (whole["state"], whole["rows"]) == ("done", 3000)
    assert orders.ours() == orders.theirs()


def backfilling(root: Path, database: str) -> Shop:
    """A table of several chunks, of which a backfill was asked for."""
    made = shop(root, database)
    made.do(ORDERS, filled(3000), "analyze orders")
    made.run()
    made.start("--detach")
    return made
