"""What a person sees while `tieout simulate` runs: a run's last steps as they come, or how far a campaign is.

On a terminal one picture is painted over the last. Elsewhere, in a log, there is a line for each thing that happened.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..sim.world.campaign.campaign import Progress
from ..sim.world.result import Moment
from .paint import safe, several

_WIDTH = 100
_STEPS_SHOWN = 16
_PAINTED_EVERY_SECONDS = 0.1
_LINES_PER_CAMPAIGN = 10


class SimulateStage:
    """Shows a run or a campaign on a console, for as long as its context lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=10, transient=True)
        self._steps: deque[Text] = deque(maxlen=_STEPS_SHOWN)
        self._faults = 0
        self._painted = 0.0
        self._tenths = 0
        self._violations = 0

    def __enter__(self) -> SimulateStage:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def step(self, moment: Callable[[], Moment]) -> None:
        """A run has taken a step."""
        now = moment()
        if not self._console.is_terminal:
            self._strike(now)
            return
        self._steps.append(_line(now))
        if time.monotonic() - self._painted >= _PAINTED_EVERY_SECONDS:
            self._painted = time.monotonic()
            self._live.update(painted(now, list(self._steps)))

    def progress(self, progress: Progress) -> None:
        """A campaign has done a job. What broke is told at once: the whole may take hours."""
        for one in progress.tally.violations[self._violations :]:
            self.say(f"seed {one.seed}: {one.message}")
        self._violations = len(progress.tally.violations)
        if self._console.is_terminal:
            self._live.update(advanced(progress))
            return
        tenths = _LINES_PER_CAMPAIGN * progress.done // progress.whole
        if tenths > self._tenths:
            self._tenths = tenths
            self._console.print(_told(progress), highlight=False)

    def say(self, told: str) -> None:
        self._console.print(safe(told), highlight=False, soft_wrap=True)

    def _strike(self, moment: Moment) -> None:
        """Only what strikes: the thousands of steps between would bury it."""
        faults = sum(moment.faults.values())
        if faults > self._faults:
            self._console.print(_line(moment), highlight=False, soft_wrap=True)
        self._faults = faults


def painted(moment: Moment, steps: list[Text]) -> RenderableType:
    """A run on a terminal."""
    figures = Table.grid(padding=(0, 3, 0, 0))
    figures.add_row("time in the world", f"{moment.seconds:,.1f} s", "step", f"{moment.step:,}")
    figures.add_row("invariants checked", f"{moment.checks:,}", "processes died", f"{moment.crashes:,}")
    struck = "  ".join(f"{fault} {count}" for fault, count in moment.faults.items())
    parts: list[RenderableType] = [
        figures,
        Text.assemble(("living  ", "bright_black"), safe(", ".join(moment.living) or "nobody")),
        Text.assemble(("faults  ", "bright_black"), (struck or "none yet", "red" if struck else "")),
        Text(),
        *steps,
    ]
    title = f"[bold]tieout simulate[/]  seed {moment.seed}"
    return Panel(Group(*parts), title=title, title_align="left", border_style="cyan", width=_WIDTH, padding=(1, 2))


def advanced(progress: Progress) -> RenderableType:
    """A campaign on a terminal."""
    bar = ProgressBar(total=progress.whole, completed=progress.done, width=60)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(bar, f"{progress.done:,} of {progress.whole:,}")
    return Group(row, Text(_told(progress), style="red" if progress.tally.violations else "bright_black"))


def _told(progress: Progress) -> str:
    tally = progress.tally
    parts = [
        several(tally.seeds, "seed"),
        f"{tally.crashes:,} processes died",
        several(sum(tally.faults.values()), "fault"),
        several(sum(tally.checks.values()), "check"),
        several(len(tally.violations), "violation"),
    ]
    caught = [f"{progress.caught:,} planted bugs caught"] if progress.caught else []
    return ", ".join(parts + caught)


def _line(moment: Moment) -> Text:
    is_fault = " strikes " in moment.told or " befallen " in moment.told
    return Text.assemble((f"{moment.step:>6} ", "bright_black"), (safe(moment.told).plain, "red" if is_fault else ""))
