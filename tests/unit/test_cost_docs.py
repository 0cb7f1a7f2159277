"""The page of costs, held against what the command says of each brief."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tieout.run.costing.estimate import estimate
from tieout.run.costing.prices import shipped
from tieout.run.costing.volumes import load_volumes
from tieout.ui.cli import answered

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operate" / "cost.md").read_text(encoding="utf-8")
BRIEFS = sorted((ROOT / "examples" / "costs").glob("*.yaml"))
BUDGETS = {"revops": 35_000, "acme-retail": 18_000, "acmecloud": 18_000, "shoppulse": 18_000, "insightloop": 15_000}


@pytest.mark.parametrize("path", BRIEFS, ids=lambda path: path.stem)
def test_the_page_says_what_the_command_says(path: Path) -> None:
    volumes = load_volumes(path)
    made = estimate(volumes, shipped())
    assert volumes.budget_usd is not None
    verdict = made.verdict(volumes.budget_usd)
    usd = f"{made.usd.likely:,.0f} | {made.usd.least:,.0f} to {made.usd.most:,.0f}"

    row = f"| `{path.stem}` | {volumes.budget_usd:,.0f} | {usd} | **{verdict}** | {made.dominant.what} |"

    assert row in PAGE, row


def test_each_brief_with_a_budget_has_its_file() -> None:
    assert {path.stem: load_volumes(path).budget_usd for path in BRIEFS} == BUDGETS


def test_what_would_bring_shoppulse_within_its_budget(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "costs" / "shoppulse.yaml").read_text(encoding="utf-8")
    seldom = text.replace("freshness: 2m", "freshness: 2m\n    merge_every: 5m")
    path = tmp_path / "seldom.yaml"
    path.write_text(re.sub(r"^readers:.*\n", "", seldom, flags=re.MULTILINE), encoding="utf-8")

    made = estimate(load_volumes(path), shipped())

    assert f"it comes to {round(made.usd.likely, -2):,.0f}, which likely holds" in PAGE
    assert made.verdict(18_000) == "likely met"


def test_every_pace_that_is_assumed_is_told() -> None:
    assert not [key for key in shipped().paces if f"`{key}`" not in PAGE]


def test_the_command_tells_in_json_and_by_its_exit_whether_a_budget_holds(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "examples" / "costs" / "revops.yaml")

    held = answered(["cost", "--volumes", path, "--json"], as_json=True)
    told = json.loads(capsys.readouterr().out)
    broken = answered(["cost", "--volumes", path, "--budget", "10", "--json"], as_json=True)
    told_then = json.loads(capsys.readouterr().out)

    assert (held, told["budget"]) == (0, {"usd": 35000, "verdict": "met"})
    assert (broken, told_then["budget"]) == (3, {"usd": 10, "verdict": "not met"})
    assert sum(line["usd"]["likely"] for line in told["lines"]) == pytest.approx(told["usd"]["likely"], abs=0.01)
    assert told["prices"]["usd"]["credit_enterprise"]["source"]


def test_people_are_told_what_dominates_and_what_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "examples" / "costs" / "shoppulse.yaml")

    answered(["cost", "--volumes", path], as_json=False)

    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "What dominates: Snowflake: merges" in shown
    assert "a budget of 18,000 USD is likely not met." in shown
