"""Freshness through the command line: through when a stream is complete, what holds it back, and the metrics of it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.command import Project, image, project
from tests.e2e.cramped import HastyClock
from tests.e2e.test_cli_rebuild import write_contract
from tests.prometheus import Families, parsed
from tieout.ledger.facts import Ran
from tieout.run.house import opened
from tieout.run.metrics import metrics as read_metrics
from tieout.run.project import load_project
from tieout.run.serve import PatientReader
from tieout.run.worker import Worker

GAP = {"stream": "erp.account", "key": {"id": "A"}, "kind": "gap", "order": {"position": 2}}


def at(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def promise(root: Path, *promised: str) -> None:
    path = root / "contracts" / "erp" / "account.yaml"
    path.write_text(path.read_text() + "slaProperties:\n" + "".join(f"  - {{{one}}}\n" for one in promised))


def complete(books: Project) -> dict[str, Any]:
    found: dict[str, Any] = books.status()["complete"]
    return found


def metrics(books: Project) -> Families:
    return parsed(books.tieout("metrics").out)


def test_a_gap_holds_a_stream_back_until_it_is_closed(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    begun = datetime.now(UTC)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    first = complete(books)
    books.drop("2.ndjson", GAP)
    books.tieout("run", "--once")
    held = complete(books)
    books.drop("3.ndjson", image("A", 3, amount="2.00"))
    books.tieout("run", "--once")
    closed = complete(books)

    assert begun <= at(first["through"]) <= at(first["through"]) + timedelta(seconds=first["age_seconds"])
    assert (first["held_by"], first["unknown"]) == ([], "")
    assert held["through"] == first["through"]
    assert at(held["read_through"]) > at(held["through"])
    assert [(one["reason"], one["count"]) for one in held["held_by"]] == [("gap", 1)]
    assert at(held["held_by"][0]["since"]) > at(held["through"])
    assert at(closed["through"]) > at(held["read_through"])
    assert closed["held_by"] == []


def test_a_stream_that_cannot_be_merged_stands_still_and_its_neighbour_goes_on(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    write_contract(tmp_path, amount="text")
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("O", 1, stream="erp.order", total="1"))
    books.tieout("run", "--once")
    before = complete(books)
    write_contract(tmp_path, amount="decimal(18,3)")
    books.drop("2.ndjson", image("B", 1, amount="2.00"), image("P", 1, stream="erp.order", total="2"))
    books.tieout("run", "--once")
    stuck, order = books.status()["complete"], books.status("erp.order")["complete"]

    assert stuck["through"] == before["through"]
    assert {(one["reason"], one["count"]) for one in stuck["held_by"]} == {("stuck", 0), ("pending", 1)}
    assert at(order["through"]) > at(before["through"])
    assert stuck["read_through"] == order["through"]
    assert "stuck since" in books.tieout("status", "--stream", "erp.account").out


def test_what_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    write_contract(tmp_path, amount="text")
    promise(tmp_path, "property: latency, value: 5, unit: min")

    new = books.status()
    books.drop("1.ndjson", {**GAP, "order": {"position": 1}})
    books.tieout("run", "--once")
    held = books.status()
    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()
    lost = complete(books)

    assert (new["complete"]["through"], new["complete"]["unknown"]) == (None, "Nothing of it has landed yet.")
    assert new["promises"] == [{"promise": "latency", "seconds": 300.0, "found_seconds": None, "holds": None}]
    assert held["complete"]["through"] is None
    assert "never proven complete" in held["complete"]["unknown"]
    assert held["promises"][0]["holds"] is None
    assert (lost["through"], [one["reason"] for one in lost["held_by"]]) == (None, ["pending"])
    assert "through unknown" in books.tieout("status", "--stream", "erp.account").out


def test_a_source_whose_clock_is_ahead_is_told_and_gives_no_negative_latency(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    now = datetime.now(UTC)
    late, early = (now - timedelta(seconds=100)).isoformat(), (now + timedelta(seconds=1000)).isoformat()
    books.drop(
        "1.ndjson",
        {**image("A", 1, amount="1.00"), "observed_at": late},
        {**image("B", 2, amount="1.00"), "observed_at": early},
    )
    books.tieout("run", "--once")
    promise(tmp_path, "property: latency, value: 50, unit: s", "property: frequency, value: 1, unit: d")
    books.tieout("certify")

    account = books.status()
    fresh, stages = account["freshness"], account["freshness"]["stages"]

    assert (fresh["events"], fresh["ahead"]) == (2, 1)
    assert 900 < fresh["ahead_seconds"] <= 1000
    assert {name: one["events"] for name, one in stages.items()} == {
        "landed": 1, "merged": 2, "readable": 1, "certified": 2,
    }  # fmt: skip
    assert 100 <= stages["landed"]["p50_seconds"] < stages["readable"]["p99_seconds"] < 160
    assert 0 < stages["certified"]["p50_seconds"] < 60
    assert fresh["share_within"] == 0.0
    assert [(one["promise"], one["holds"]) for one in account["promises"]] == [("latency", True), ("frequency", True)]
    assert "its clock is ahead" in " ".join(books.tieout("status", "--stream", "erp.account").out.split())


def test_metrics_are_the_figures_of_the_status(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("A", 1, amount="1.00"), GAP)
    books.drop("2.ndjson", "no json")
    books.tieout("run", "--once")
    promise(tmp_path, "property: latency, value: 1, unit: d", "property: latency, value: 2, unit: d")

    before, found = metrics(books), books.status()
    books.drop("3.ndjson", image("A", 3, amount="2.00"))
    books.tieout("run", "--once")
    books.tieout("certify")
    told = metrics(books)
    account = (("stream", "erp.account"),)

    assert before["tieout_received_changes_total"][2][account] == found["books"]["received"] == 3
    assert before["tieout_duplicate_changes_total"][2][account] == 1
    assert before["tieout_open_obligations_by_reason"][2][(("reason", "gap"), *account)] == 1
    assert "tieout_complete_through_timestamp_seconds" not in before
    assert before["tieout_complete_known"][2][account] == 0
    assert "tieout_certificate_state" not in before
    assert told["tieout_complete_known"][2][account] == 1
    assert told["tieout_complete_through_timestamp_seconds"][2][account] == pytest.approx(
        at(complete(books)["through"]).timestamp()
    )
    assert told["tieout_promise_seconds"][2] == {(("promise", "latency"), *account): 86400.0}
    assert told["tieout_certificate_state"][2][(("state", "complete"), *account)] == 1
    assert told["tieout_certificate_age_seconds"][2][account] < 60
    assert told["tieout_lane_outcome"][2][(("lane", "erp"), ("outcome", "complete"))] == 1
    assert told["tieout_quarantined_changes"][2][(("stream", "erp._unreadable"),)] == 1
    assert told["tieout_quarantine_oldest_age_seconds"][2][(("stream", "erp._unreadable"),)] < 60
    assert told["tieout_latency_events"][2][(("stage", "readable"), *account)] == 2


def test_the_page_tells_of_every_metric_with_its_labels(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), GAP)
    books.tieout("run", "--once")
    promise(tmp_path, "property: frequency, value: 1, unit: d")
    books.tieout("certify")
    page = (Path(__file__).parents[2] / "docs" / "operate" / "freshness.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(tieout_\w+)` \| (.*?) \|", page, re.MULTILINE)

    with opened(load_project(tmp_path, environ=os.environ), HastyClock()) as house:
        families = read_metrics(house, PatientReader(house.project.warehouse, house.tools.clock))

    on_page = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert list(on_page) == [family.name for family in families]
    assert all(set(one.labels) == on_page[family.name] for family in families for one in family.samples)


def test_metrics_are_written_all_at_once_or_not_at_all(tmp_path: Path) -> None:
    books = project(tmp_path / "books", within=True)
    file = tmp_path / "tieout.prom"

    said = books.tieout("metrics", "--out", str(file))
    written = file.read_text(encoding="utf-8")
    (tmp_path / "books" / "tieout.yaml").write_text("no project\n")
    refused = books.tieout("metrics", "--out", str(file))

    assert (said.code, refused.code) == (0, 2)
    assert parsed(written)["tieout_info"][0] == "gauge"
    assert file.read_text(encoding="utf-8") == written
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["tieout.prom"]
    assert books.json("metrics", "--out", str(tmp_path / "no" / "x.prom"), code=2)["error"]["kind"] == "misconfigured"


@pytest.mark.parametrize(("promised", "proofs"), [("", 3), ("property: latency, value: 30, unit: s", 12)])
def test_a_worker_that_has_nothing_to_do_goes_on_proving_it(tmp_path: Path, promised: str, proofs: int) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    if promised:
        promise(tmp_path, promised)
    clock = HastyClock()
    end = clock.now() + timedelta(seconds=125)

    with opened(load_project(tmp_path, environ=os.environ), clock) as house:
        Worker(house, only=None, dice=Random(1)).forever(lambda: clock.now() >= end)
        ran = [entry.fact for entry in house.tools.ledger.entries(Ran)][1:]

    through = [fact.through for fact in ran if isinstance(fact, Ran) and fact.through is not None]
    assert len(ran) == len(through) == pytest.approx(proofs, abs=1)
    assert through == sorted(through)
    assert end - through[-1] < timedelta(seconds=62)
