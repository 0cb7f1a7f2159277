"""The reference of the changes format runs: its examples are read, its faulty lines are refused."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.reading import rows_of
from tieout.capture.changes.table import captured

PAGE = (Path(__file__).parents[2] / "docs/reference/changes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```ndjson\n(.*?)```", PAGE, re.DOTALL)
FAULTS = re.findall(r"^\| `(\w+)` \| .* \| `(\{.*\})` \|$", PAGE, re.MULTILINE)


def faults_of(text: str) -> list[str | None]:
    rows = rows_of(text.encode().splitlines())
    tables = [captured(some, origin="page", now=datetime(2026, 1, 1, tzinfo=UTC)) for some in rows.values()]
    return [fault for table in tables for fault in table["_fault"].to_pylist()]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_reference_are_read(example) -> None:
    assert faults_of(example) == [None] * len(example.splitlines())


def test_the_sweep_of_the_reference_is_certified() -> None:
    sweep = next(example for example in EXAMPLES if '"sweep"' in example)

    rows = rows_of(sweep.encode().splitlines())

    assert [row.said.kind for row in rows["account"]] == ["mark", "image", "image", "sweep"]


@pytest.mark.parametrize(("reason", "line"), FAULTS)
def test_the_faulty_lines_of_the_reference_have_the_reason_beside_them(reason, line) -> None:
    (fault,) = faults_of(line)

    assert str(fault).startswith(f"{reason}: ")


def test_the_reference_names_every_reason_that_the_code_gives() -> None:
    code = Path(__file__).parents[2] / "src/tieout/capture/changes"
    given = {
        reason
        for path in code.glob("*.py")
        for reason in re.findall(r'"((?:bad|wrong|reserved|key|sweep)_\w+|undecodable): ', path.read_text())
    }

    assert given == set(
        re.findall(r"^\| `(\w+)` \| .* \|.*\|$", PAGE.split("## What goes wrong")[1].split("## ")[0], re.M)
    )
