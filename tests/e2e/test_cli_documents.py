"""The documents on the page of the command line are those that the commands write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.command import Project, image

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^## tieout ([a-z ]+)\n|^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OPEN = {"state", "keys"}
"""Members whose insides differ from source to source, or from case to case."""


def documents() -> dict[str, list[Any]]:
    """Those on the page, by command, in their order."""
    found: dict[str, list[Any]] = {}
    command = ""
    for heading, block in BLOCKS:
        command = heading or command
        found.setdefault(command, []).extend([json.loads(block)] if block else [])
    return found


def members(value: Any, path: str = "") -> Iterator[str]:
    """The places of a document: `streams[].books.received`."""
    yield path
    if isinstance(value, dict) and path.rpartition(".")[2] not in OPEN:
        for name, inner in value.items():
            yield from members(inner, f"{path}.{name}")
    elif isinstance(value, list) and path.rpartition(".")[2] not in OPEN | {"rows", "reasons"}:
        for inner in value:
            yield from members(inner, f"{path}[]")


def row_members(document: Any) -> set[str]:
    return set(document["rows"][0])


def test_the_page_shows_what_the_commands_write(tmp_path: Path) -> None:
    on_page, books = documents(), Project(tmp_path, within=True)

    def is_as_shown(command: str, *arguments: str, code: int = 0) -> bool:
        written = books.json(*command.split(), *arguments, code=code)
        return set(members(written)) == set(members(on_page[command][0]))

    assert is_as_shown("init")
    books.drop("1.ndjson", image("A", 1, name="a"), "no json")
    assert is_as_shown("doctor")
    assert is_as_shown("run", "--once")
    assert is_as_shown("query", "select 1")
    assert is_as_shown("certify", code=3)
    books.drop("2.ndjson", image("A", 2, name="a", discount=1))
    with (tmp_path / "contracts" / "erp" / "account.yaml").open("a") as contract:
        contract.write("slaProperties: [{property: latency, value: 5, unit: min}]\n")
    books.tieout("run", "--once")
    assert is_as_shown("status")
    assert is_as_shown("rebuild")
    assert is_as_shown("quarantine list")
    assert row_members(books.json("quarantine", "list", "--rows")) == row_members(on_page["quarantine list"][1])
    assert is_as_shown("quarantine release", code=3)
    (row,) = books.json("quarantine", "list", "--rows")["rows"]
    assert is_as_shown("quarantine discard", row["id"], "--reason", "no json")
    books.drop("3.ndjson", *[image(f"K{number}", number, name=5) for number in range(100)])
    books.tieout("run", "--once")
    assert is_as_shown("resume", "erp.account")
