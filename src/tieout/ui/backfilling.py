"""`tieout backfill`: plans, starts, lists, cancels and resumes the reading again of ranges of a stream."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from ..base.stream import Stream
from .answer import Answer
from .options import HERE, Json, OneStream, Project

if TYPE_CHECKING:
    from ..base.clock import Clock
    from ..run.backfill import Backfill
    from ..run.backfill_plan import Plan
    from ..run.house import House
    from ..run.stop import Stop
    from .backfilled import Backfilled

backfill = typer.Typer(
    help="Read a range of a stream again, beside live traffic: by key, by a window of one column, or all of it.",
    no_args_is_help=True,
)

OfStream = Annotated[str, typer.Argument(help="The stream, such as shop.orders.", metavar="STREAM")]
Id = Annotated[str, typer.Argument(help="The backfill's id, or the beginning of it.", metavar="ID")]
From = Annotated[str | None, typer.Option("--from", help="The first key; of several columns between commas.")]
To = Annotated[str | None, typer.Option("--to", help="The last key, which is read too.")]
Where = Annotated[str | None, typer.Option("--where", help="The column of a window.", metavar="COLUMN")]
Since = Annotated[str | None, typer.Option("--since", help="Its least value in the window.", metavar="VALUE")]
Until = Annotated[str | None, typer.Option("--until", help="The value before which the window ends.", metavar="VALUE")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once: whoever works the source reads it.")]


@backfill.command("plan")
def backfill_plan(
    stream: OfStream,
    first: From = None,
    last: To = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """What it would read, how long it would take and what it would change. Reads nothing."""
    from ..run.backfill_plan import Wish
    from ..run.backfill_plan import plan as plan_backfill
    from .backfilled import Planned

    with _house(project) as house:
        return Planned(plan_backfill(house, Stream.parse(stream), Wish(first, last, where, since, until)))


@backfill.command("start")
def backfill_start(
    stream: OfStream,
    first: From = None,
    last: To = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to a large one.")] = False,
    detach: Detach = False,
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """Read a range again, in chunks, while live changes go on; all of the stream, if no range is given."""
    from ..run.backfill_plan import Wish, ask
    from ..run.clock import SystemClock
    from ..run.stop import by_signal
    from .backfilled import Backfilled

    def may(plan: Plan) -> bool:
        return yes or (not json and _agreed(plan))

    with by_signal() as stop, _house(project, SystemClock(stopping=stop)) as house:
        asked = ask(house, Stream.parse(stream), Wish(first, last, where, since, until), may=may)
        return Backfilled(asked, "asked") if detach else _seen_through(house, asked, stop)


@backfill.command("list")
def backfill_list(project: Project = HERE, stream: OneStream = None, json: Json = False) -> Answer:
    """All that were ever asked for, and what became of them."""
    from ..run.backfill import all_backfills
    from ..run.status import known_streams
    from .backfilled import Listed

    only = None if stream is None else Stream.parse(stream)
    with _house(project) as house:
        known_streams(house, only)
        known = all_backfills(house.tools.ledger, house.lanes(only))
    return Listed([one for one in known if only in (None, one.stream)])


@backfill.command("cancel")
def backfill_cancel(id: Id, project: Project = HERE, json: Json = False) -> Answer:
    """Read no further chunk. What was read stands."""
    from ..run.backfill import cancel
    from .backfilled import Backfilled

    with _house(project) as house:
        cancel(house.tools.ledger, _found(house, id))
        return Backfilled(_found(house, id), "cancelled")


@backfill.command("resume")
def backfill_resume(id: Id, detach: Detach = False, project: Project = HERE, json: Json = False) -> Answer:
    """Go on behind the last chunk that was read."""
    from ..run.backfill import resume
    from ..run.clock import SystemClock
    from ..run.stop import by_signal
    from .backfilled import Backfilled

    with by_signal() as stop, _house(project, SystemClock(stopping=stop)) as house:
        resume(house.tools.ledger, _found(house, id))
        again = _found(house, id)
        return Backfilled(again, "resumed") if detach else _seen_through(house, again, stop)


def _seen_through(house: House, asked: Backfill, stop: Stop) -> Backfilled:
    from rich.console import Console

    from ..run.backfill_watch import see_through
    from .backfill_stage import BackfillStage
    from .backfilled import Backfilled

    with BackfillStage(Console(stderr=True)) as stage:
        ended, outcome = see_through(house, asked, stopping=stop, show=stage.show, dice=Random())
    return Backfilled(ended, "seen", outcome)


def _found(house: House, id_: str) -> Backfill:
    from ..run.backfill import found

    return found(house.tools.ledger, house.lanes(), id_)


def _agreed(plan: Plan) -> bool:
    """Asks the person at the terminal, who is shown the plan; where there is none, nobody has agreed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from rich.console import Console
    from rich.prompt import Confirm

    from .backfilled import Planned

    console = Console(stderr=True, markup=False)
    console.print(Planned(plan).shown())
    return Confirm.ask("Start it?", console=console, default=False)


@contextmanager
def _house(folder: Path, clock: Clock | None = None) -> Iterator[House]:
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs

    logs.configure()
    with opened(load_project(folder, environ=os.environ), clock or SystemClock()) as house:
        yield house
