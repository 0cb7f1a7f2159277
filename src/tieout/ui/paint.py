"""The few means by which all commands draw: states in their colours, figures in columns, a verdict, the next command.

Whatever comes from outside passes through `safe`: data may hold a terminal's control codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_COLOURS = {
    "ok": "green",
    "note": "dim",
    "warning": "yellow",
    "error": "red",
    "complete": "green",
    "equal": "green",
    "partial": "yellow",
    "paused": "yellow",
    "differs": "yellow",
    "new": "dim",
    "failed": "red",
    "broken": "red",
}
_MARKS = {"green": "✓", "yellow": "!", "red": "✗", "dim": "·"}


def safe(text: str) -> Text:
    """Text as it is, but for what a terminal would obey or cannot show: that is written as an escape."""
    return Text("".join(letter if letter.isprintable() else _escaped(letter) for letter in text))


def safe_lines(text: str) -> Text:
    """The same, its line ends kept."""
    return Text("\n").join(safe(line) for line in text.split("\n"))


def several(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def state(word: str, told: str = "") -> Text:
    """The word, or what is `told` in its place, with the mark of its colour."""
    colour = _COLOURS.get(word, "dim")
    return Text(f"{_MARKS[colour]} {told or word}", style=colour)


def count(number: int | None) -> Text:
    """With separators; nothing at all is shown faintly, so that the eye finds what is not zero."""
    if number is None:
        return Text("-", style="dim")
    return Text(f"{number:,}", style="" if number else "dim")


def seconds(value: float | None) -> Text:
    if value is None:
        return Text("-", style="dim")
    for limit, size, unit in ((1, 0.001, "ms"), (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if value < limit:
            return Text(f"{value / size:.0f} {unit}" if unit != "s" else f"{value:.1f} s")
    return Text(f"{value / 86_400:,.0f} d")


def moment(at: datetime | None) -> Text:
    return Text("-", style="dim") if at is None else Text(f"{at:%Y-%m-%d %H:%M:%S}Z")


def grid(*headings: str, right: Iterable[str] = ()) -> Table:
    """A table without frames. Columns named in `right` hold figures, which are never broken."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for heading in headings:
        is_figure = heading in right
        table.add_column(heading, justify="right" if is_figure else "left", overflow="fold", no_wrap=is_figure)
    return table


def facts() -> Table:
    """Names, and what is told of each: two columns without headings, of which nothing is cut off."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    return table


def verdict(word: str, sentence: str) -> Text:
    """The line that says how it went, in the colour of `word`."""
    colour = _COLOURS.get(word, "dim")
    return Text.assemble((f"{_MARKS[colour]} ", colour), (sentence, f"bold {colour}" if colour != "dim" else "bold"))


def next_step(command: str, why: str) -> Text:
    return Text.assemble(("Next: ", "dim"), (command, "cyan"), (f"  {why}", "dim"))


def failure(message: str, hint: str) -> RenderableType:
    """An error: what is wrong in red, the mend below it."""
    wrong = Text.assemble(("✗ ", "bold red"), safe_lines(message))
    return Group(wrong, Text.assemble("  ", safe_lines(hint))) if hint else wrong


def stacked(*parts: RenderableType | None) -> Group:
    """The parts that there are, one below the other."""
    return Group(*(part for part in parts if part is not None))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
