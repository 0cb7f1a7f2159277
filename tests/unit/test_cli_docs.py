"""The page of the command line, held against the commands that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tieout.ui.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
SHARED = {"--project", "--json", "--help"}
"""What stands once, at the head of the page."""


def commands(group: Any, path: str = "tieout") -> dict[str, Any]:
    """Every command by all its words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        whole = f"{path} {name}"
        found.update(commands(command, whole) if hasattr(command, "commands") else {whole: command})
    return found


COMMANDS = commands(typer.main.get_command(app))
SECTIONS = dict(re.findall(r"^## (tieout [a-z ]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def wishes(command: Any) -> set[str]:
    """The options and arguments of a command, as one types them."""
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}
    arguments = {one.name.upper() for one in command.params if not one.opts[0].startswith("--")}
    return (options | arguments) - SHARED


def test_every_command_has_its_section_and_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_section_tells_of_every_option_and_of_no_other(name: str) -> None:
    items = re.findall(r"^- `([^`]+)`(?: \(or `--project DIR`\))?:", SECTIONS[name], re.MULTILINE)
    told = {word for item in items for word in re.findall(r"--[a-z-]+|^[A-Z]+$", item)}

    assert told == wishes(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_takes_what_all_commands_share(name: str) -> None:
    options = {option for one in COMMANDS[name].params for option in one.opts}

    assert "--json" in options
    assert "--project" in options


def test_the_page_tells_of_what_is_asked_of_no_command() -> None:
    head = PAGE[: PAGE.index("\n## tieout ")]
    asked = wishes(typer.main.get_command(app))

    assert set(re.findall(r"`tieout (--[a-z-]+)`", head)) == asked


def test_the_documents_on_the_page_are_json() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    assert len(blocks) >= 10
    assert all(isinstance(json.loads(block), dict) for block in blocks)
