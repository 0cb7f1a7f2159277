"""`tieout migrate`: the tables of before held beside the new ones, their names taken over, and given back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from .answer import Answer
from .options import HERE, Json, Project

if TYPE_CHECKING:
    from pathlib import Path

    from ..run.house import House
    from ..run.migration import Migration

migrate = typer.Typer(help="From the tables of before to the new ones, and back.", no_args_is_help=True)

TableArgument = Annotated[
    str | None, typer.Argument(help="Only this old table.", metavar="[TABLE]", show_default=False)
]
Keys = Annotated[int, typer.Option("--keys", help="Keys to name of each kind of difference.", min=0, max=500)]
Yes = Annotated[bool, typer.Option("--yes", help="Agree, whatever the comparisons say.")]


@migrate.command("compare")
def migrate_compare(
    table: TableArgument = None, project: Project = HERE, keys: Keys = 20, json: Json = False
) -> Answer:
    """Hold each old table beside the new one, and ask the source who is right. Reads only."""
    from ..run.comparing import compare
    from .migrated import Compared

    with _opened(project) as (house, migration), closing(house.reader()) as reader:
        return Compared(compare(house, reader, migration, only=table, keys=keys))


@migrate.command("cutover")
def migrate_cutover(project: Project = HERE, yes: Yes = False, json: Json = False) -> Answer:
    """Answer the old names from the new tables; the old tables are put aside."""
    from ..run.cutover import cut_over
    from .migrated import Switched

    with _opened(project) as (house, migration):
        return Switched(cut_over(house, migration, agreed=yes))


@migrate.command("rollback")
def migrate_rollback(project: Project = HERE, json: Json = False) -> Answer:
    """Put the old tables back under their names."""
    from ..run.cutover import roll_back
    from .migrated import Switched

    with _opened(project) as (house, migration):
        return Switched(roll_back(house, migration))


@contextmanager
def _opened(project: Path) -> Iterator[tuple[House, Migration]]:
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.migration import load_migration
    from ..run.project import load_project
    from . import logs

    logs.configure()
    settings = load_project(project, environ=os.environ)
    migration = load_migration(settings.root)
    with opened(settings, SystemClock()) as house:
        yield house, migration
