"""Every command line of tieout's that a page shows: that there is such a command, and that it takes these options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.test_cli_docs import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^ *```(\w*)")
_TYPED = ("", "sh", "console", "bash")
_END = re.compile(r"^(?:&&|\|\|?|;|>>?|#.*)$")


def typed(text: str) -> Iterator[str]:
    """The lines of the blocks that are typed, each whole."""
    language: str | None = None
    for line in text.replace("\\\n", " ").splitlines():
        if fence := _FENCE.match(line):
            language = fence[1] if language is None else None
        elif language in _TYPED:
            yield line.strip().removeprefix("$ ")


def lines(text: str) -> Iterator[list[str]]:
    """The words of each `tieout ...`, up to where the shell goes on to something else."""
    for line in typed(text):
        for part in re.split(r"\s(?:&&|\|)\s", line):
            if re.match(r"(?:\S*/)?tieout\s", part):
                yield list(until_the_end(words_of(part)))


def words_of(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # the text of a statement goes on below
        return line.split()


def until_the_end(words: list[str]) -> Iterator[str]:
    for word in words:
        if _END.match(word):
            return
        yield word


def unknown(words: list[str]) -> str:
    """What of it there is not: the command, or its options; "" where all of it is."""
    name = next(
        (" ".join(["tieout", *words[1:end]]) for end in (3, 2) if " ".join(["tieout", *words[1:end]]) in COMMANDS), ""
    )
    if not name:
        return " ".join(words)
    options = {one for given in COMMANDS[name].params for one in (*given.opts, *given.secondary_opts)} | {"--help"}
    wrong = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
    return f"{name}: {wrong}" if wrong else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_on_a_page_can_be_typed(page: Path) -> None:
    assert not [told for words in lines(page.read_text(encoding="utf-8")) if (told := unknown(words))]


def test_the_guide_to_production_shows_commands() -> None:
    shown = {" ".join(words[:2]) for words in lines((ROOT / "docs" / "guides" / "production.md").read_text())}

    assert {"tieout doctor", "tieout run", "tieout snowflake", "tieout certify", "tieout airflow"} <= shown


@pytest.mark.parametrize("line", ["tieout runn --once", "tieout run --onze", "tieout snowflake set --print"])
def test_what_cannot_be_typed_is_seen(line: str) -> None:
    (words,) = lines(f"```sh\n{line}\n```")

    assert unknown(words)
