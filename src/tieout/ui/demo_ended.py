"""How a demo ended: the certificate, what was done to earn it and to test it, and what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..quality.books import ACCOUNTS, Books
from ..sim.report import DemoReport
from .certified import Certified
from .demo_behind import behind_shown
from .demo_twin import beside
from .paint import next_step, several, stacked


@dataclass(frozen=True, slots=True)
class DemoEnded:
    report: DemoReport

    @property
    def exit_code(self) -> int:
        return self.report.exit_code

    def to_json(self) -> dict[str, Any]:
        return self.report.to_json()

    def shown(self) -> RenderableType:
        certified = Certified(self.report.certificates).shown()
        behind = self.report.behind
        tested = [] if behind is None else [Text(), behind_shown(behind)]
        return stacked(Text(), certified, *self._proof(), *tested, Text(), *self._next())

    def _proof(self) -> list[Text]:
        """What was done to earn it, and the books of all streams in one line."""
        report, streams = self.report, self.report.certificates.streams
        rows = sum(one.compared.source_rows for one in streams)
        killed = f"{several(len(report.kills), 'worker')} killed"
        worst = max((one.freshness_p95_seconds or 0.0 for one in streams), default=0.0)
        done = f"{rows:,} rows, {report.changes:,} changes meanwhile, {killed}, in {report.seconds:.0f} s"
        lines = (
            done,
            _conserved([one.books for one in streams]),
            f"freshness at worst {worst:.1f} s (p95), kills included",
            *(() if report.twin is None else (beside(report.twin),)),
        )
        return [Text(f"  {line}", style="dim") for line in lines]

    def _next(self) -> list[Text]:
        report = self.report
        if report.exit_code:
            keep = f"tieout demo --seed {report.seed} --keep ./shop-{report.seed}"
            return [] if report.kept else [next_step(keep, "the same again, and its project stays to be looked at")]
        if report.kept is None:
            return [
                next_step("tieout demo --keep ./shop", "the same, and its project stays for a look"),
                next_step("tieout init --project ./mine", "a project of your own"),
            ]
        project = f"--project {report.kept}"
        rows = "select status, count(*), sum(total) from latest.shop__orders where not _deleted group by all"
        return [
            next_step(f'tieout query {project} "{rows}"', "asks the warehouse"),
            next_step(
                f"tieout certificates {project} --html page.html", "the newest of each stream on one page, for people"
            ),
            next_step(
                f"tieout rebuild {project}",
                "makes it anew from what landed: a row that hands added leaves no trace",
            ),
        ]


def _conserved(books: list[Books]) -> str:
    """That whatever was received has its account, over all streams."""
    accounts = {account: sum(getattr(one, account).count for one in books) for account in (*ACCOUNTS, "pending")}
    sums = " + ".join(f"{number:,} {account}" for account, number in accounts.items() if number)
    return f"{sum(one.received.count for one in books):,} received = {sums or 0}"
