"""Pages that name the test of each thing they promise: every line has one, and it exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.listing import ROOT

HARD_DAYS, POSTGRES = Path("docs/operate/hard-days.md"), Path("docs/reference/postgres.md")
COMPLAINTS = Path("docs/why/complaints.md")
OPEN = "*not proven yet*"
OPEN_LINES: set[int] = set()
"""Lines of PostgreSQL's checklist that still lack their test; each bears the marker."""


def rows(page: Path) -> list[list[str]]:
    """The cells of each line of the page's tables, headings left out."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[-1] not in ("proof |", "proof")]


def named_in(cell: str) -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", cell)


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.is_file() and re.search(rf"^ *def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


@pytest.mark.parametrize("page", [HARD_DAYS, POSTGRES, COMPLAINTS], ids=str)
def test_each_test_that_a_page_names_exists(page: Path) -> None:
    named = [test for row in rows(page) for test in named_in(row[-1])]

    assert named
    assert not [test for test in named if not exists(test)]


def test_each_hard_day_has_its_proof() -> None:
    days = rows(HARD_DAYS)

    assert {len(row) for row in days} == {4}
    assert not [row[0] for row in days if not named_in(row[-1])]


def test_each_complaint_has_its_proof() -> None:
    complaints = rows(COMPLAINTS)

    assert {len(row) for row in complaints} == {3}
    assert not [row[0] for row in complaints if not named_in(row[-1])]


def test_each_line_of_the_checklist_has_its_proof_or_is_known_to_lack_it() -> None:
    lines = {int(row[0]): row[-1].strip("| ") for row in rows(POSTGRES)}

    assert list(lines) == list(range(1, 26))
    assert {number for number, proof in lines.items() if proof == OPEN} == OPEN_LINES
    assert not [number for number, proof in lines.items() if proof != OPEN and not named_in(proof)]
