"""A stream that is paused, and what else is asked for meanwhile: of it, and of the streams beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Project
from tests.e2e.test_drift import CONTRACT, contract_at, execute

ROWS = 200
ITEMS = 6_000
"""Enough for three chunks of a backfill."""


@pytest.fixture
def paused(tmp_path: Path, database: str) -> Project:
    """The table `account`, of which its contract takes no row, and the table `item`, with which all is well."""
    tables = "[public.account, public.item]"
    source = f"{{type: postgres, url: '{database}', tables: {tables}}}"
    (tmp_path / "tieout.yaml").write_text(f"project: books\nsources:\n  erp: {source}\n")
    contract_at(tmp_path, CONTRACT)
    execute(
        database,
        "create table account (id text primary key, amount numeric)",
        f"insert into account select n::text, 1.005 from generate_series(1, {ROWS}) as n",
        "create table item (id bigint primary key, note text)",
        f"insert into item select n, 'note ' || n from generate_series(1, {ITEMS}) as n",
        "analyze",
    )
    books = Project(tmp_path, within=True)
    books.json("run", "--once", code=3)
    return books


def backfill_of(books: Project, stream: str) -> dict[str, Any]:
    (found,) = books.json("backfill", "list", "--stream", stream)["backfills"]
    return found


def test_a_backfill_of_a_paused_stream_waits_and_says_so(paused: Project) -> None:
    ran = paused.json("backfill", "start", "erp.account", "--yes", code=3)
    paused.json("run", "--once", code=3)
    waits = backfill_of(paused, "erp.account")

    contract_at(paused.root, CONTRACT.replace("decimal(9,2)", "decimal(12,3)"))
    paused.json("run", "--once")
    done = backfill_of(paused, "erp.account")

    assert "is paused" in ran["reason"], ran
    assert (waits["state"], waits["chunks"]) == ("asked", 0)
    assert (done["state"], done["rows"]) == ("done", ROWS)
    assert {one["state"] for one in paused.json("certify")["streams"]} == {"complete"}


def test_a_backfill_goes_on_to_its_end_beside_a_stream_that_is_paused(paused: Project) -> None:
    done = paused.json("backfill", "start", "erp.item", "--yes")

    assert (done["state"], done["rows"]) == ("done", ITEMS)


def test_a_certificate_of_a_lane_with_a_stream_that_was_never_merged(paused: Project) -> None:
    found = {one["stream"]: one for one in paused.json("certify", "--repair", "--yes", code=3)["streams"]}

    assert found["erp.item"]["state"] == "complete"
    assert found["erp.account"]["state"] == "partial"
    assert any("It is paused: 200 of 200" in reason for reason in found["erp.account"]["reasons"]), found["erp.account"]
