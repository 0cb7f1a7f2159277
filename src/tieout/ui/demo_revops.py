"""What a person sees of `tieout demo revops`: a line for each thing that happens, and then what the day came to."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from ..sim.revops.demo import RevopsReport
from ..sim.revops.play import Moment
from .certified import Certified
from .demo_twin import beside
from .paint import next_step, several, stacked, verdict


class DayStage:
    """Tells moments on a console, for as long as its context lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def __enter__(self) -> DayStage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest()

    def tell(self, moment: Moment) -> None:
        self._rest()
        self._console.print(line(moment), highlight=False, markup=False, soft_wrap=True)
        if self._console.is_terminal:
            self._status = self._console.status(f"{moment.deeds:,} deeds, {several(moment.kills, 'kill')}")
            self._status.start()

    def _rest(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def line(moment: Moment) -> str:
    """`  12.3 s    329 deeds   accounts are merged`."""
    return f"{moment.seconds:6.1f} s  {moment.deeds:5,} deeds  {moment.says}"


@dataclass(frozen=True, slots=True)
class RevopsEnded:
    report: RevopsReport

    @property
    def exit_code(self) -> int:
        return self.report.exit_code

    def to_json(self) -> dict[str, Any]:
        return self.report.to_json()

    def shown(self) -> RenderableType:
        report = self.report
        certified = Certified(report.certificates).shown()
        told = [Text(f"  {one}", style="dim") for one in _told(report)]
        wrong = [verdict("broken", one) for one in report.wrong]
        return stacked(Text(), certified, *told, *wrong, Text(), self._next())

    def _next(self) -> Text:
        report = self.report
        if report.kept is not None:
            return next_step(f"tieout status --project {report.kept}", "how each stream stands")
        folder = f"./revops-{report.seed}"
        return next_step(
            f"tieout demo revops --seed {report.seed} --keep {folder}", "the same again, and its project stays"
        )


def _told(report: RevopsReport) -> list[str]:
    """What was done to earn it, a line each."""
    judged, heard, marts = report.judgement, report.heard, report.marts
    differ = "none differs" if not judged.count else f"{judged.count:,} differ"
    lies = "none was ahead of the truth" if not heard.lies else f"{len(heard.lies):,} rows were older"
    lines = [
        f"{several(len(report.incidents), 'incident')}, {several(report.kills, 'worker')} killed, "
        f"{report.changes:,} versions of rows meanwhile, {report.calls:,} API calls, in {report.seconds:.0f} s",
        f"beside the org itself: {judged.values:,} values of {judged.rows:,} rows, formulas included: {differ}",
        f"{heard.claims:,} claims of freshness in {several(heard.samples, 'look')}: {lies}",
    ]
    if report.twin is not None:
        lines.append(beside(report.twin))
    if marts.built:
        equal = "equal" if not marts.unequal else "not equal"
        failed = f", {len(marts.failed)} failed" if marts.failed else ""
        lines.append(
            f"{several(len(marts.built), 'mart')}, {several(marts.tests, 'test')}{failed}: what moved, built by "
            f"itself, and a build from nothing are {equal}"
        )
    return lines
