"""What a person sees while `tieout demo` runs: both sides' rows, the writer's pace, and every kill as it happens.

On a terminal one picture is painted over the last. Elsewhere, in a log, there is one line for each thing that happened.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..sim.shop import SOURCE, TABLES
from ..sim.stage import Kill, Picture, Scene
from .demo_behind import steps
from .paint import verdict

_WIDTH = 88
_LINE_CELLS = 60
_TITLES = {
    Scene.OPENING: "a shop opens in a real PostgreSQL",
    Scene.READING: "tieout reads the tables while the shop sells",
    Scene.FOLLOWING: "tieout follows the log",
    Scene.CLOSING: "the shop closes, the warehouse catches up",
    Scene.CERTIFYING: "every row is compared with its source",
    Scene.INTRUDING: "rows are touched behind its back, on both sides",
    Scene.FINDING: "every row of what was touched is compared again",
    Scene.REPAIRING: "what differs lands again, and is compared anew",
}
_DONE = Text("✓", style="green")
_DOING = {Scene.READING: "reading the tables", Scene.FOLLOWING: "following the log"}


class DemoStage:
    """Shows pictures on a console, for as long as its context lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = self._blank()
        self._spinner = Spinner("dots", style="cyan")
        self._last: Picture | None = None

    def __enter__(self) -> DemoStage:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._live.update(painted(self._last, _DONE if error is None else Text("·")))
        self._live.stop()

    def show(self, picture: Picture) -> None:
        if self._console.is_terminal:
            self._turn_the_page(picture)
            self._live.update(painted(picture, self._spinner))
        else:
            for line in news(self._last, picture):
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._last = picture

    def _turn_the_page(self, picture: Picture) -> None:
        """What is done behind the pipe's back has a picture of its own, below the last one of before."""
        if picture.behind is not None and self._last is not None and self._last.behind is None:
            self._live.update(painted(self._last, _DONE))
            self._live.stop()
            self._live = self._blank()
            self._live.start()

    def _blank(self) -> Live:
        return Live(console=self._console, refresh_per_second=8)


def news(before: Picture | None, picture: Picture) -> list[str]:
    """What has happened since the picture before, a line each."""
    lines = []
    if before is None or before.scene is not picture.scene:
        lines.append(f"{picture.seconds:5.1f} s  {_TITLES[picture.scene]}")
    known = 0 if before is None else len(before.kills)
    lines += [f"{kill.seconds:5.1f} s  {_told(kill)}" for kill in picture.kills[known:]]
    passed = 0 if before is None else len(_steps(before))
    return [f"{picture.seconds:5.1f} s  {told}" for _, told in _steps(picture)[passed:]] + lines


def painted(picture: Picture, sign: RenderableType) -> RenderableType:
    """A picture for a terminal; `sign` stands before its scene."""
    scene = Table.grid(padding=(0, 1))
    scene.add_row(sign, Text(_TITLES[picture.scene], style="bold"))
    parts: list[RenderableType] = [scene]
    if picture.behind is not None:
        parts += [Text(), *(verdict(word, told) for word, told in steps(picture.behind))]
    elif picture.scene is not Scene.OPENING:
        parts += [Text(), _time_line(picture), Text(), _rows(picture), Text(), _figures(picture)]
    title = f"[bold]tieout demo[/]  {SOURCE}, seed {picture.seed}"
    return Panel(Group(*parts), title=title, title_align="left", border_style="cyan", width=_WIDTH, padding=(1, 2))


def _time_line(picture: Picture) -> Text:
    """The shop's life as a line, with a mark where a worker was killed."""
    whole = max(picture.seconds_wanted, picture.seconds, 1.0)
    past = int(_LINE_CELLS * picture.seconds / whole)
    cells = [("━", "cyan")] * past + [("─", "bright_black")] * (_LINE_CELLS - past)
    for kill in picture.kills:
        cells[min(int(_LINE_CELLS * kill.seconds / whole), _LINE_CELLS - 1)] = ("✗", "bold red")
    return Text.assemble(*cells, f"  {picture.seconds:.0f} s")


def _rows(picture: Picture) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bright_black")
    table.add_column("rows in")
    for side in ("the shop", "the warehouse"):
        table.add_column(side, justify="right")
    table.add_column("")
    for name in TABLES:
        source, warehouse = picture.source.get(name), picture.warehouse.get(name)
        table.add_row(name, _number(source), _number(warehouse), _difference(source, warehouse))
    return table


def _difference(source: int | None, warehouse: int | None) -> Text:
    if source is None or warehouse is None:
        return Text()
    if source == warehouse:
        return Text("✓", style="green")
    return Text(f"{warehouse - source:+,}", style="yellow")


def _figures(picture: Picture) -> Table:
    worker = "-" if picture.pid is None else f"pid {picture.pid}"
    written = f"{picture.changes:,} changes in {picture.deeds:,} transactions"
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_row("writer", f"{picture.pace:,.0f} changes/s", written)
    grid.add_row("worker", worker, f"{picture.batches:,} batches landed")
    for number, kill in enumerate(picture.kills, start=1):
        grid.add_row("" if number > 1 else "kills", Text(f"✗ at {kill.seconds:.1f} s", style="red"), _told(kill))
    return grid


def _told(kill: Kill) -> str:
    batches = "1 batch" if kill.batches == 1 else f"{kill.batches} batches"
    return f"SIGKILL {kill.pid}, {_DOING[kill.scene]}, {batches} landed"


def _steps(picture: Picture) -> list[tuple[str, str]]:
    return [] if picture.behind is None else steps(picture.behind)


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
