"""`tieout certify`: what is here beside what the source has, and what that is going to cost, said before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ..base.stream import Stream
from .answer import Answer
from .options import HERE, Json, OneSource, Project, StreamArgument

if TYPE_CHECKING:
    from ..quality.certificate import Repair
    from ..quality.forecast import Forecast

RepairOption = Annotated[bool, typer.Option("--repair", help="Land again what differs, then compare anew.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to a large repair.")]
Keys = Annotated[bool, typer.Option("--keys", help="Tell every key that differs, and in which fields.")]
Changed = Annotated[
    bool, typer.Option("--changed", help="Leave out what did not change since all was compared and complete.")
]
Rows = Annotated[bool, typer.Option("--rows", help="Read every row, whatever the source can sum or count.")]
Derived = Annotated[bool, typer.Option("--derived", help="Compare formulas in all rows, not only those read.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")]


def certify(
    stream: StreamArgument = None,
    source: OneSource = None,
    project: Project = HERE,
    repair: RepairOption = False,
    yes: Yes = False,
    keys: Keys = False,
    changed: Changed = False,
    rows: Rows = False,
    derived: Derived = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> Answer:
    """Compare with the source itself, every row and every value, and say what differs."""
    from rich.console import Console

    from ..run.alone import alone
    from ..run.certify import KEYS_TOLD_MAX
    from ..run.certify import certify as certify_streams
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs
    from .certified import Certified, agreed
    from .foretold import Foretold, cost

    console = Console(stderr=True, markup=False, highlight=False)
    forecasts: list[Forecast] = []

    def foretold(forecast: Forecast) -> bool:
        forecasts.append(forecast)
        if not dry_run:
            console.print(cost(forecast), soft_wrap=True)
        return not dry_run

    def may_repair(plan: Repair) -> bool:
        return yes or (not json and agreed(plan))

    logs.configure()
    with opened(alone(load_project(project, environ=os.environ), source), SystemClock()) as house:
        found = certify_streams(
            house,
            () if stream is None else (Stream.parse(stream),),
            repair=repair,
            may_repair=may_repair,
            keys_max=KEYS_TOLD_MAX if keys else 0,
            only_changed=changed,
            by_rows=rows,
            derived=derived,
            foretold=foretold,
        )
    return Foretold(tuple(forecasts)) if dry_run else Certified(found)
