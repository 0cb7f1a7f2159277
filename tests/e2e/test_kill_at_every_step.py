"""A worker killed with SIGKILL at any step of the route loses nothing and books nothing twice (faults 43 to 50, 57)."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.killed import kill_at, run_once
from tieout.base.step import Step
from tieout.base.stream import Stream
from tieout.contract import odcs
from tieout.merge.duckdb import DuckDBReader
from tieout.merge.readings import StreamReading
from tieout.run.project import load_project

ROUTE = [step for step in Step if step not in (Step.SHADOWED, Step.SWAPPED)]


def project_in(root: Path) -> Path:
    """Two files of two streams each: images, patches and deletes of a few keys, and a line that nobody can read."""
    (root / "inbox").mkdir(parents=True)
    (root / "tieout.yaml").write_text("project: kills\nsources:\n  erp: {type: changes, path: ./inbox}\n")
    for file in range(2):
        lines = [_line("account" if n % 3 else "contact", file * 100 + n) for n in range(60)]
        (root / "inbox" / f"part-{file}.ndjson").write_text("\n".join([*lines, f"not a line of {file}"]) + "\n")
    return root


def _line(object_: str, position: int) -> str:
    kind = ("image", "image", "patch", "delete")[position % 4]
    change: dict[str, Any] = {
        "stream": f"erp.{object_}",
        "key": {"id": f"K{position % 7}"},
        "kind": kind,
        "order": {"position": position},
    }
    if kind != "delete":
        change["fields"] = {"name": f"name {position}"} | ({"n": position} if kind == "image" else {})
    return json.dumps(change)


def truth_of(root: Path) -> dict[str, Any]:
    """What outsiders see: per stream its state hash, and its accepted and quarantined rows."""
    project = load_project(root, environ=os.environ)
    reader = DuckDBReader(project.warehouse)
    seen: dict[str, Any] = {}
    for object_ in ("account", "contact"):
        stream = Stream("erp", object_)
        reading = StreamReading(reader, odcs.load(odcs.find(root, stream), stream))
        accounts = reading.accounts()
        seen[object_] = (reading.state_hash(), accounts["accepted"], accounts.get("quarantined"), reading.live_rows())
    reader.close()
    return seen


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = project_in(tmp_path_factory.mktemp("undisturbed"))
    run_once(root)
    return truth_of(root)


@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("step", ROUTE)
def test_a_worker_killed_at_a_step_loses_nothing(
    step: Step, nth: int, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    root = project_in(tmp_path)

    died = kill_at(root, step, nth)
    outcomes = run_once(root)

    assert died in ({-signal.SIGKILL} if nth == 1 else {-signal.SIGKILL, 0})
    assert [outcome.outcome for outcome in outcomes] == ["complete"]
    assert truth_of(root) == undisturbed


def test_killed_again_and_again_it_still_arrives(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    root = project_in(tmp_path)

    deaths = [kill_at(root, step, 1) for step in ROUTE]
    run_once(root)

    assert deaths.count(-signal.SIGKILL) >= 5
    assert truth_of(root) == undisturbed


def test_without_its_ledger_it_comes_back_to_the_same_state(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    root = project_in(tmp_path)
    run_once(root)
    for file in (root / ".tieout").glob("ledger.sqlite*"):
        file.unlink()

    (outcome,) = run_once(root)

    assert (outcome.outcome, outcome.received) == ("complete", 0)
    assert truth_of(root) == undisturbed


def test_without_its_warehouse_it_comes_back_to_the_same_state(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    root = project_in(tmp_path)
    run_once(root)
    (root / ".tieout" / "warehouse.duckdb").unlink()

    run_once(root)

    assert truth_of(root) == undisturbed


def test_with_yesterdays_ledger_it_comes_back_to_the_same_state(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    root = project_in(tmp_path)
    late = root / "inbox" / "part-1.ndjson"
    held_back = late.read_bytes()
    late.unlink()
    run_once(root)
    yesterday = {file: file.read_bytes() for file in (root / ".tieout").glob("ledger.sqlite*")}
    late.write_bytes(held_back)
    run_once(root)
    for file in (root / ".tieout").glob("ledger.sqlite*"):
        file.unlink()
    for file, content in yesterday.items():
        file.write_bytes(content)

    (outcome,) = run_once(root)

    assert (outcome.outcome, outcome.received) == ("complete", 0)
    assert truth_of(root) == undisturbed
