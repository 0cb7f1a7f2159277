"""What a person sees while a backfill is under way: a line that moves on a terminal, elsewhere one for what is new."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ..run.backfill import Backfill
from .paint import safe, several


class BackfillStage:
    """Shows a backfill on a console, for as long as its context lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._spinner = Spinner("dots", style="cyan")
        self._is_elsewhere = False

    def __enter__(self) -> BackfillStage:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, backfill: Backfill, is_elsewhere: bool) -> None:
        if self._console.is_terminal:
            self._spinner.update(text=line(backfill, is_elsewhere=is_elsewhere))
            self._live.update(self._spinner)
        elif is_elsewhere and not self._is_elsewhere:
            self._console.print(line(backfill, is_elsewhere=True), highlight=False)
        self._is_elsewhere = is_elsewhere


def line(backfill: Backfill, *, is_elsewhere: bool) -> Text:
    """`3f9a2c1b shop.orders: 12,000 rows of about 60,000, 3 chunks; a worker reads it`."""
    read, expected = several(backfill.reached.rows, "row"), f" of about {backfill.rows_expected:,}"
    who = "; a worker that runs already reads it, Ctrl-C leaves it to that" if is_elsewhere else ""
    why = f"; {backfill.reason}" if backfill.reason else ""
    chunks = several(backfill.reached.chunks, "chunk")
    return safe(f"{backfill.id} {backfill.stream}: {read}{expected}, {chunks}{who}{why}")
