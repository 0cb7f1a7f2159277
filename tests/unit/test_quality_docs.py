"""The page of checks, held against the code that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.test_reference_docs import example, rows, section
from tieout.base.stream import Stream
from tieout.contract import odcs, rules
from tieout.contract.checks import OPERATORS, PENDING_SECONDS
from tieout.contract.quality import SEVERITIES, TYPES, load_checks
from tieout.quality.measuring import QUERY_SECONDS
from tieout.quality.outcome import State

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")


def test_the_contract_on_the_page_loads_and_shows_every_metric(tmp_path: Path) -> None:
    path, stream = tmp_path / "orders.yaml", Stream("shop", "orders")
    path.write_text(example(PAGE), encoding="utf-8")

    checks = load_checks(path, odcs.load(path, stream))

    assert {check.rule.metric for check in checks} == {*rules.METRICS, "sql"}
    assert [check.name for check in checks if check.implied] == ["amount.required", "code.unique"]


def test_every_metric_has_its_row_and_no_other() -> None:
    told = [*rows(section(PAGE, "## Metrics of the library")), *rows(section(PAGE, "## Metrics of ours"))]

    assert told == list(rules.METRICS)


def test_every_key_word_and_outcome_is_told() -> None:
    entry = section(PAGE, "## An entry")
    severities = dict(re.findall(r"^\| (\w+) \| .* \| (.*) \|$", entry, re.MULTILINE))
    named = {level: re.findall(r"`(\w+)`", told.partition(";")[0]) for level, told in severities.items()}
    words = {word: level for level, words in named.items() for word in words}

    assert {word for word in (*OPERATORS, *TYPES) if f"`{word}`" not in entry} == set()
    assert words == {word: severity.value for word, severity in SEVERITIES.items()}
    assert list(rows(section(PAGE, "## What comes of it"))) == list(State)


def test_the_defaults_are_told() -> None:
    told = rows(section(PAGE, "## Metrics of ours"))
    weeks = f"`weeks` ({rules.WEEKS}), `weeksMin` ({rules.WEEKS_MIN}), `tolerance` ({rules.VOLUME_TOLERANCE})"
    days = f"`days` ({rules.DAYS}), `daysMin` ({rules.DAYS_MIN}), `tolerance` ({rules.RATE_TOLERANCE})"

    assert (weeks in told["volume"], days in told["nullRate"]) == (True, True)
    assert ("left out `1d`" in told["reference"], PENDING_SECONDS) == (True, 86_400)
    assert f"broken off after {QUERY_SECONDS:.0f} seconds" in PAGE
