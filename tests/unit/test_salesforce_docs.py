"""The page and the runbooks of Salesforce, held against the code: it says what they quote, counts what they count."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_reference_docs import keys_of, rows, section
from tieout.capture.aged import Aged
from tieout.capture.hole import Hole, Unread
from tieout.capture.salesforce import describe
from tieout.capture.salesforce.budget import Budget, Work
from tieout.capture.salesforce.checkup.cost import TIME_CALLS, cost
from tieout.capture.salesforce.soql import _HEAD_BYTES, URI_BYTES_MAX
from tieout.capture.salesforce.tracks.job import Job
from tieout.capture.salesforce.wanted import Wanted
from tieout.run import org_config
from tieout.sim.org.events import GAPS, OVERFLOW

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "salesforce.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
RUNBOOKS = {
    path.stem: path.read_text() for path in (ROOT / "docs" / "operate" / "runbooks" / "salesforce").glob("*.md")
}
PAGES = RUNBOOKS | {"reference": REFERENCE}
HEADINGS = ["What you see", "What tieout does", "Look here", "Mend", "When it is over"]

SOURCES = [
    *(ROOT / "src" / "tieout" / "capture" / "salesforce").rglob("*.py"),
    ROOT / "src" / "tieout" / "capture" / "hole.py",
    *(ROOT / "src" / "tieout" / "run" / name for name in ("outcome.py", "status.py", "mend.py")),
]
ORG_SAYS = {
    "TotalRequests Limit exceeded",
    "ConcurrentRequests Limit exceeded",
    "user hasn't approved this consumer",
    "user is inactive",
    "Session expired or invalid",
    "The requested resource does not exist",
    "No such column 'Amount' on entity 'Opportunity'",
    "No such column 'Region__c' on entity 'Opportunity'",
    "InternalServerError: Retried more than 15 times",
    "the day's jobs are used",
    "The org has delivered all.",
    "...",
}
"""Words of the org's own, which a message of ours passes on."""
NAMES = {"opportunity", "invalid_grant", "inactive_user"}


def said_by(path: Path) -> Iterator[re.Pattern[str] | str]:
    """Each text of a module: as it stands, or as a pattern with a group for each value that is put into it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            if any(part is not None and str(part).strip() for part in parts):
                yield re.compile("".join("(.*?)" if part is None else re.escape(str(part)) for part in parts))


SAID = [text for path in SOURCES for text in said_by(path)]
CONSTANTS = {text for text in SAID if isinstance(text, str)}
PATTERNS = [text for text in SAID if isinstance(text, re.Pattern)]


def is_said(text: str, depth: int = 5) -> bool:
    """Whether the code can say it: as it stands, or with what it may put in."""
    if text in CONSTANTS:
        return True
    matches = (pattern.fullmatch(text) for pattern in PATTERNS) if depth else ()
    return any(match and all(is_filled(group, depth - 1) for group in match.groups()) for match in matches)


def is_filled(text: str, depth: int) -> bool:
    """A value of the moment, words of the org's, or what the code says elsewhere. A lower-case word is the code's."""
    if not text or text in ORG_SAYS | NAMES or re.fullmatch(r"[\w,%/:-]*[A-Z0-9%][\w,%/:-]*", text):
        return True
    return is_said(text, depth)


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


QUOTED = [
    (name, line)
    for name, page in sorted(PAGES.items())
    for block in blocks(page, "text")
    for line in block.splitlines()
    if "86,400" not in line
]


@pytest.mark.parametrize(("name", "line"), QUOTED)
def test_what_a_page_quotes_the_code_says(name: str, line: str) -> None:
    assert is_said(line), line


def test_another_words_are_not_taken_for_the_codes() -> None:
    assert not is_said("querying waits: the org has made 8 of its 9 calls of the day, and it is tired.")
    assert not is_said("Changes from 1 to 2 were not told (boredom)")


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_each_runbook_has_its_five_headings_and_quotes_what_is_seen(name: str) -> None:
    assert re.findall(r"^## (.*)$", RUNBOOKS[name], re.MULTILINE) == HEADINGS
    assert blocks(section(RUNBOOKS[name], "## What you see"), "text")


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_each_command_of_a_runbook_is_one_of_the_command_line(name: str) -> None:
    lines = [line for block in blocks(RUNBOOKS[name], "sh") for line in block.splitlines()]
    options = [(line, option) for line in lines for option in re.findall(r"--[\w-]+", line)]

    assert lines
    assert all(f"\n## {command_of(line)}\n" in CLI for line in lines)
    assert [(line, option) for line, option in options if not knows(line, option)] == []


def command_of(line: str) -> str:
    return re.match(r"tieout(?: [a-z]+)+", line)[0]  # type: ignore[index]


def knows(line: str, option: str) -> bool:
    return option == "--json" or f"`{option}" in section(CLI, f"## {command_of(line)}")


def test_each_runbook_that_a_hint_leads_to_is_there() -> None:
    led = {name for path in SOURCES for name in re.findall(r"runbooks/salesforce/([\w-]+)\.md", path.read_text())}

    assert led
    assert led <= RUNBOOKS.keys()


def test_each_page_leads_to_files_that_are_there() -> None:
    folder = ROOT / "docs" / "operate" / "runbooks" / "salesforce"
    links = [link for page in RUNBOOKS.values() for link in re.findall(r"\]\(([\w./-]+\.md)", page)]

    assert [link for link in links if not (folder / link).is_file()] == []
    assert "runbooks/salesforce/" in REFERENCE


AT = datetime(2026, 11, 22, tzinfo=UTC)
SHAPES: dict[str, Any] = {
    "unread": Unread(0.0, (Hole("1", "2", "reason"),)).to_json(),
    "budget": Budget().to_json(AT),
    "aged": Aged(("Risk__c",), AT).to_json(),
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_each_shape_that_is_shown_is_the_codes(name: str) -> None:
    for block in blocks(PAGES[name], "json"):
        shown = json.loads(block)
        for key, shape in SHAPES.items():
            if key in shown:
                assert shown[key].keys() == shape.keys()
        if "locator" in shown:
            assert Job.from_json(shown) is not None
    if name == "api-limit":
        assert Budget().to_json(AT)["spent"].keys() == {work.value for work in Work}


def test_every_setting_has_its_row_with_its_default() -> None:
    told = {key: rest.split(" | ")[0] for key, rest in rows(section(REFERENCE, "## Settings")).items()}
    defaults = keys_of(org_config._SalesforceForm)

    assert told == {
        key: "required" if text is None else f"`{text}`" if text else "none" for key, text in defaults.items()
    }


def test_every_kind_of_event_has_its_row() -> None:
    table = section(REFERENCE, "## What becomes of each event")

    assert [kind for kind in (*GAPS, *GAPS.values(), OVERFLOW) if f"`{kind}`" not in table] == []


def test_every_type_that_is_no_text_has_its_row_and_what_is_left_out_is_named() -> None:
    read = section(REFERENCE, "## What is read")
    known = describe._KINDS.keys() | describe._NUMBERS
    told = {
        word for words in re.findall(r"^\| (`[a-z`, ]+`) \|", read, re.MULTILINE) for word in words.split("`")[1::2]
    }

    assert told == known
    assert all(f"`{name}`" in read for name in describe._LEFT_OUT_TYPES | describe.LEFT_OUT)
    assert all(f"`{name}`" in REFERENCE for name in describe._UNTOLD)


def test_the_calls_of_a_day_are_those_that_the_doctor_counts() -> None:
    table = re.findall(r"^\| ((?:as they are|`every).*?) \| ([\d,]+) \|$", REFERENCE, re.MULTILINE)
    counted = {
        "as they are": cost(Wanted("A")),
        "`every: 5m`, `deleted_every: 1h`": cost(Wanted("A", 300, 3_600)),
        "`every: 10m`, `deleted_every: 1h`, `derived_every: 7d`": cost(Wanted("A", 600, 3_600, 7 * 86_400)),
    }

    assert {words: int(calls.replace(",", "")) for words, calls in table} == {
        words: one.calls for words, one in counted.items()
    }


def test_the_calls_for_the_orgs_time_are_told() -> None:
    assert f"{TIME_CALLS:,} calls a\nday at most" in REFERENCE


def test_where_each_kind_of_work_stops_is_told() -> None:
    budget = Budget(reserve=0.2)
    told = re.findall(r"^\| `(\w+)`: .* \| (\d+) % \|$", REFERENCE, re.MULTILINE)

    assert {word: int(share) for word, share in told} == {
        work.value: round(100 * budget.ceiling(work)) for work in Work
    }


def test_the_bound_of_an_address_is_told() -> None:
    assert f"{URI_BYTES_MAX - _HEAD_BYTES:,} bytes" in REFERENCE
