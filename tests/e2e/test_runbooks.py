"""The runbooks: each cause has a page of five headings, its commands can be typed as they stand, and they mend it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.e2e.command import Project, contract_file, image, project
from tests.e2e.command import promise as promised
from tieout.quality.incident import SEVERITIES, Cause

PAGES = Path(__file__).parents[2] / "docs" / "operate" / "runbooks"
HEADINGS = ["What you see", "What it means", "Look here", "Mend", "Never do"]
STREAM = "erp.account"
LONG_AGO = "2026-01-02T03:04:05Z"
ROWS_TO_PAUSE = 200


def page(cause: Cause) -> str:
    return (PAGES / f"{cause}.md").read_text()


def commands(cause: Cause, heading: str) -> list[list[str]]:
    """The lines of the page's code under this heading, as words behind `tieout`."""
    section = page(cause).split(f"## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def causes(books: Project) -> list[str]:
    said = books.tieout("incidents", "--json")
    found = [one["id"] for one in said.document["incidents"]]
    assert said.code == (3 if found else 0)
    return found


def away(books: Project) -> Callable[[], None]:
    folder = books.root / "inbox"
    folder.rename(books.root / "elsewhere")
    books.tieout("run", "--once")
    return lambda: (books.root / "elsewhere").rename(folder) and None


def damaged(books: Project) -> Callable[[], None]:
    """And met by a worker, whose pass fails for it: that is no trouble of the source."""
    file = books.root / ".tieout" / "warehouse.duckdb"
    file.write_bytes(b"no warehouse any more" * 1000)
    books.tieout("run", "--once")
    return lambda: file.rename(file.with_suffix(".aside")) and None


def stuck(books: Project) -> Callable[[], None]:
    promise(books.root, "amount: decimal(18,3)")
    books.drop("2.ndjson", image("C", 1, amount="2.00"))
    books.tieout("run", "--once")
    return lambda: None


def paused(books: Project) -> Callable[[], None]:
    promise(books.root, "amount: text", "extra: decimal(4,2)")
    rows = [image(f"P{number}", 1, amount="1", extra="much") for number in range(ROWS_TO_PAUSE)]
    books.drop("2.ndjson", *rows)
    books.tieout("run", "--once")
    return lambda: None


def unbalanced(books: Project) -> Callable[[], None]:
    by_hand(books, "update tieout.books set count = count + 1")
    return lambda: None


def edited(books: Project) -> Callable[[], None]:
    by_hand(books, "update latest.erp__account set amount = 'mine'")
    books.tieout("certify")
    return lambda: None


def waits(books: Project) -> Callable[[], None]:
    promise(books.root, "amount: text", "extra: decimal(4,2)")
    books.drop("2.ndjson", image("Q", 1, amount="1", extra="much"))
    books.tieout("run", "--once")
    assert causes(books) == []
    by_hand(books, f"update tieout.applied set merged_at = '{LONG_AGO}'")
    return lambda: None


def gated(books: Project) -> Callable[[], None]:
    with (books.root / "tieout.yaml").open("a") as file:
        file.write(f"gates:\n  revenue: {{needs: [{STREAM}]}}\n")
    return lambda: None


def promise(root: Path, *columns: str) -> None:
    """The contract of the stream: its key, and these columns of their types."""
    words = [column.split(": ") for column in columns]
    promised(root, STREAM, *(f'name: {name}, logicalType: string, physicalType: "{type_}"' for name, type_ in words))


def demanded(books: Project) -> Callable[[], None]:
    """Of a stream that is certified and that a gate needs: the gate closes for the check, which is told once."""
    books.tieout("certify")
    gated(books)
    file = contract_file(books.root, STREAM)
    bare = file.read_text()
    file.write_text(bare + "    quality:\n      - {metric: rowCount, mustBeGreaterThan: 100}\n")
    books.tieout("check")
    return lambda: file.write_text(bare + "    quality:\n      - {metric: rowCount, mustBeGreaterThan: 1}\n") and None


def by_hand(books: Project, statement: str) -> None:
    with duckdb.connect(str(books.root / ".tieout" / "warehouse.duckdb")) as connection:
        connection.execute(statement)


BROUGHT_ABOUT = {
    Cause.WAREHOUSE: damaged,
    Cause.SOURCE: away,
    Cause.STUCK: stuck,
    Cause.PAUSED: paused,
    Cause.BOOKS: unbalanced,
    Cause.DIFFERS: edited,
    Cause.QUARANTINE: waits,
    Cause.CHECK: demanded,
    Cause.UNPROVEN: gated,
}


@pytest.fixture
def books(tmp_path: Path) -> Project:
    books = project(tmp_path, within=True)
    promise(tmp_path, "amount: text")
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, amount="2.00"))
    books.tieout("run", "--once")
    return books


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_its_page_of_five_headings(cause: Cause) -> None:
    assert re.findall(r"^## (.*)$", page(cause), re.MULTILINE) == HEADINGS
    assert cause in SEVERITIES
    assert len(list(PAGES.glob("*.md"))) == len(Cause)


@pytest.mark.parametrize("cause", Cause)
def test_a_cause_is_told_once_and_the_commands_of_its_page_mend_it(cause: Cause, books: Project) -> None:
    where = {Cause.SOURCE: "erp", Cause.WAREHOUSE: "project"}.get(cause, STREAM)
    assert causes(books) == []

    mend_outside = BROUGHT_ABOUT[cause](books)

    assert causes(books) == [f"{cause}:{where}"]
    typed(books, commands(cause, "Look here"))
    mend_outside()
    typed(books, commands(cause, "Mend"))
    assert causes(books) == []


def typed(books: Project, lines: list[list[str]]) -> None:
    """Exit 2 would say that they cannot be typed so; of `doctor`, that there is something to mend."""
    for line in lines:
        words = [filled(books, word) for word in line]
        said = books.tieout(*words)
        assert said.code in (0, 3) or words[0] == "doctor", (words, said)


def filled(books: Project, word: str) -> str:
    if word == "ID":
        return str(books.json("quarantine", "list", "--rows")["rows"][0]["id"])
    return {"STREAM": STREAM, "SOURCE": "erp"}.get(word, word)


def test_what_follows_from_a_cause_is_no_incident_of_its_own(books: Project) -> None:
    gated(books)
    paused(books)

    (incident,) = books.json("incidents", code=3)["incidents"]

    assert incident["id"] == f"paused:{STREAM}"
    assert incident["severity"] == "warn"
    assert "refused" in incident["what"] or "wrong_type" in incident["what"]
