"""`tieout`: one command per deed. Each reads what was asked, has `run/` do it, and hands back an answer to present.

Nothing is decided here, so that whatever a command does can be done without it. A command imports what it needs in its
own body: whoever asks for help, or for one thing, does not wait for the engines of all the others to be loaded.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.errors import TieoutError
from ..base.stream import Stream
from ..sim.examples import EXAMPLES, REVOPS
from ..sim.target import Target
from .answer import FAULT, WRONG, Answer, Refusal, present
from .backfilling import backfill
from .certifying import certify
from .checking import check
from .costing import cost
from .exporting import airflow
from .measuring import metrics
from .migrating import migrate
from .modelling import model
from .options import HERE, Json, OneSource, OneStream, Project, StreamArgument
from .proving import certificates, gate, incidents
from .quarantining import quarantine
from .setting_up import snowflake

if TYPE_CHECKING:
    from ..base.clock import Clock
    from ..run.house import House
    from ..run.project import Project as Settings

app = typer.Typer(
    name="tieout",
    help="Moves data from your systems to your warehouse, and proves that the two agree.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(quarantine, name="quarantine")
app.add_typer(backfill, name="backfill")
app.add_typer(migrate, name="migrate")
app.add_typer(airflow, name="airflow")
app.add_typer(snowflake, name="snowflake")
app.command()(certificates)
app.command()(check)
app.command()(cost)
app.command()(gate)
app.command()(incidents)
app.command()(model)


def _told_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tieout {version('tieout')}")
        raise typer.Exit


@app.callback()
def _tieout(
    version: Annotated[
        bool, typer.Option("--version", callback=_told_version, is_eager=True, help="Tell the version, and no more.")
    ] = False,
) -> None:
    """What may be asked of no command."""


@app.command()
def init(
    project: Project = HERE,
    name: Annotated[str | None, typer.Option(help="The project's name; the folder's, if left out.")] = None,
    json: Json = False,
) -> Answer:
    """Make a folder a project."""
    from ..run.init import init_project
    from ..run.project import load_project
    from .begun import Begun

    file = init_project(project, name)
    return Begun(load_project(project, environ=os.environ).name, file)


@app.command()
def run(
    project: Project = HERE,
    once: Annotated[bool, typer.Option("--once", help="Do all that is due, and stop.")] = False,
    source: OneSource = None,
    stream: OneStream = None,
    backfill_minutes: Annotated[
        float | None,
        typer.Option(help="With --once: so long for backfills; the next run goes on.", min=0, show_default=False),
    ] = None,
    idle_exit: Annotated[int, typer.Option(help="Exit code of a run that found nothing to do.", min=0, max=255)] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --once: print what would be sent to Snowflake, and send nothing.")
    ] = False,
    json: Json = False,
) -> Answer:
    """Capture, land and merge: all that is due with --once, else for as long as it is let."""
    from ..run.alone import alone
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from ..run.stop import by_signal
    from ..run.wished import refuse_unheard, refuse_unknown
    from ..run.worker import Worker
    from . import logs
    from .ran import RunEnded

    logs.configure()
    settings = alone(load_project(project, environ=os.environ), source)
    only = _stream(stream)
    if dry_run:
        return _planned(settings, only, once=once)
    backfill_seconds = None if backfill_minutes is None else 60 * backfill_minutes
    with by_signal() as stop, opened(settings, SystemClock(stopping=stop)) as house:
        refuse_unknown(house, only)
        # Chance only spreads retries in time; no result depends on it.
        worker = Worker(house, only=only, dice=Random())
        outcomes = worker.once(stop, backfill_seconds=backfill_seconds) if once else worker.forever(stop)
        if once:
            refuse_unheard(house, only, outcomes)
    return RunEnded(outcomes, idle_exit)


def _planned(settings: Settings, only: Stream | None, *, once: bool) -> Answer:
    """What a run would send."""
    from ..run.clock import SystemClock
    from ..run.rehearsal import sends_statements

    sends_statements(settings, once=once)
    from ..run.dry_run import dry_run
    from .planned import RunPlanned

    return RunPlanned(dry_run(settings, SystemClock(), only=only))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One reading statement, such as: select * from latest.erp__account")],
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """Read the warehouse, also while a worker runs."""
    from ..run.clock import SystemClock
    from ..run.house import reader_of
    from ..run.project import load_project
    from .asked import Asked

    with reader_of(load_project(project, environ=os.environ), SystemClock()) as reader:
        return Asked.of(reader.query(sql))


@app.command()
def status(project: Project = HERE, stream: OneStream = None, json: Json = False) -> Answer:
    """How complete and fresh each stream is, and whether its books balance."""
    from ..run.status import report
    from .standing import Standing

    with _house(project) as house, house.reader() as reader:
        return Standing(report(house, reader, only=_stream(stream)), at_length=stream is not None)


app.command()(metrics)


@app.command()
def doctor(
    project: Project = HERE,
    source: OneSource = None,
    setup_sql: Annotated[
        bool, typer.Option("--setup-sql", help="Write the statements that make what a source needs, and do nothing.")
    ] = False,
    json: Json = False,
) -> Answer:
    """Look at what the project and its sources need, change nothing, and say what mends it."""
    from ..run.clock import SystemClock
    from ..run.doctor import examine, setup
    from . import logs
    from .examined import Examined, SetUp

    logs.configure()
    clock = SystemClock()
    if setup_sql:
        return SetUp(setup(project, environ=os.environ, clock=clock, only=source))
    return Examined(examine(project, environ=os.environ, clock=clock, only=source))


app.command()(certify)


@app.command()
def demo(
    example: Annotated[str, typer.Argument(help=f"Which one: {', '.join(EXAMPLES)}.")] = EXAMPLES[0],
    seed: Annotated[int, typer.Option(help="Of all chance in it.", min=0)] = 1,
    minutes: Annotated[
        float | None, typer.Option(help="Of live change; 45 seconds of a shop, 75 of a day, if left out.", min=0.1)
    ] = None,
    chaos: Annotated[bool, typer.Option("--chaos/--no-chaos", help="Whether the worker is killed.")] = True,
    keep: Annotated[
        Path | None, typer.Option("--keep", "--project", help="A new folder, where its project stays.", metavar="DIR")
    ] = None,
    target: Annotated[
        Target, typer.Option(help="Where its stores are: all in its folder, or as in production, by stand-ins.")
    ] = Target.EMBEDDED,
    json: Json = False,
) -> Answer:
    """A company under live change, moved while the worker is killed again and again, and certified."""
    from rich.console import Console

    from ..sim.demo import demo as run_demo
    from . import logs
    from .demo_ended import DemoEnded
    from .demo_stage import DemoStage

    logs.configure()
    if example == REVOPS:
        return _day(seed, minutes, chaos=chaos, keep=keep, target=target)
    with DemoStage(Console(stderr=True)) as stage:
        report = run_demo(
            example=example, seed=seed, minutes=minutes, chaos=chaos, keep=keep, target=target, show=stage.show
        )
    return DemoEnded(report)


def _day(seed: int, minutes: float | None, *, chaos: bool, keep: Path | None, target: Target) -> Answer:
    """The working day of a company that sells by Salesforce."""
    from rich.console import Console

    from ..sim.revops.demo import demo as run_day
    from .demo_revops import DayStage, RevopsEnded

    with DayStage(Console(stderr=True)) as stage:
        return RevopsEnded(run_day(seed=seed, minutes=minutes, chaos=chaos, keep=keep, target=target, tell=stage.tell))


@app.command()
def simulate(
    seed: Annotated[int | None, typer.Option(help="The run that is watched; 1, if left out.", min=0)] = None,
    until: Annotated[int | None, typer.Option(help="Watch it to this step.", min=1, metavar="STEP")] = None,
    choices: Annotated[
        Path | None, typer.Option(help="A file of choices that --keep has written, in the place of the seed's own.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="A campaign of so many seeds.", min=1, metavar="N")] = None,
    algebra: Annotated[
        int | None, typer.Option(help="A campaign of so many seeds of the merge alone.", min=1, metavar="N")
    ] = None,
    first_seed: Annotated[int, typer.Option(help="The first of a campaign.", min=0, metavar="S")] = 1,
    bugs: Annotated[bool, typer.Option("--bugs", help="Plant every known bug too, and see it caught.")] = False,
    plant: Annotated[str | None, typer.Option(help="Plant this bug.", metavar="NAME")] = None,
    cores: Annotated[int | None, typer.Option(help="For a campaign; all, if left out.", min=1)] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", "--project", help="A new folder, where its stores stay.", metavar="DIR"),
    ] = None,
    json: Json = False,
) -> Answer:
    """A simulated company, faults at every step, and the real code: one seed watched, or a campaign of many."""
    from rich.console import Console

    from ..sim.world.campaign.campaign import campaign
    from ..sim.world.campaign.watched import look_at
    from ..sim.world.campaign.wishes import Asked, Look
    from .simulate_ended import CampaignEnded, SeedEnded
    from .simulate_stage import SimulateStage

    asked = Asked(seed, until, choices, seeds, algebra, first_seed, bugs, plant, cores, keep)
    wish = asked.wish()
    with SimulateStage(Console(stderr=True)) as stage:
        if isinstance(wish, Look):
            return SeedEnded(look_at(wish, stage.step, stage.say))
        return CampaignEnded(campaign(wish, stage.progress))


@app.command()
def resume(
    stream: Annotated[str, typer.Argument(help="The stream that is paused.", metavar="STREAM")],
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """Let a stream that was paused go on as it is."""
    from ..run.pausing import resume as resume_stream
    from .unpaused import Unpaused

    with _house(project) as house:
        return Unpaused(resume_stream(house.tools.ledger, Stream.parse(stream)))


@app.command()
def rebuild(stream: StreamArgument = None, project: Project = HERE, json: Json = False) -> Answer:
    """Make the tables anew from the landing, compare, and swap them in."""
    from ..run.replay import rebuild as rebuild_streams
    from .rebuilt import RebuildEnded

    with _house(project) as house:
        return RebuildEnded(rebuild_streams(house, only=_stream(stream)))


def main() -> None:
    """The program: does what it was asked, presents the answer, and ends with its exit code."""
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    # Or pydantic reads what every package of the machine says of itself, in search of plugins that we would not want.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    for stream in (sys.stdout, sys.stderr):
        # A letter that the terminal's encoding has not is written as an escape; it is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if as_json:
        sys.excepthook = _own_fault
    sys.exit(answered(arguments, as_json=as_json))


def answered(arguments: list[str], *, as_json: bool) -> int:
    """Runs a command line; returns its exit code."""
    try:
        answer: Any = app(arguments, prog_name="tieout", standalone_mode=False)
    except typer.TyperException as error:
        if not error.format_message():  # the help was shown, as nothing was asked
            return WRONG
        answer = Refusal(
            error.format_message(), f"`{_asked_of(error)} --help` shows what can be asked.", "usage", WRONG
        )
    except TieoutError as error:
        answer = Refusal.of(error)
    # `--help` answers by itself, with a code.
    return answer if isinstance(answer, int) else present(answer, as_json=as_json)


def _asked_of(error: typer.TyperException) -> str:
    """The command that did not understand, with the words that lead to it."""
    context = getattr(error, "ctx", None)
    return "tieout" if context is None else str(context.command_path)


def _own_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A program that asked for a document gets one, whatever happens; the traceback is for the report."""
    sys.__excepthook__(kind, error, trace)
    present(FAULT, as_json=True)


@contextmanager
def _house(folder: Path, clock: Clock | None = None) -> Iterator[House]:
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs

    logs.configure()
    with opened(load_project(folder, environ=os.environ), clock or SystemClock()) as house:
        yield house


def _stream(text: str | None) -> Stream | None:
    return None if text is None else Stream.parse(text)
