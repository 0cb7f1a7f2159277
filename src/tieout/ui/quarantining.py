"""`tieout quarantine`: shows what could not be read, releases it once its contract is mended, or gives it up."""

from __future__ import annotations

import getpass
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..base.stream import Stream
from .answer import Answer
from .options import HERE, Json, OneStream, Project

if TYPE_CHECKING:
    from ..run.house import House
    from .quarantined import Settled

quarantine = typer.Typer(help="Rows that could not be read as their contract promises.", no_args_is_help=True)

ROWS_MAX = 1_000_000
"""Rows of one stream that are listed when nobody says how many; more would not fit in memory at once."""

Settle = Callable[["House", Stream, Sequence[str]], int]
By = Annotated[str | None, typer.Option("--by", help="Who wants it; you, if left out. It is kept.", metavar="NAME")]


@quarantine.command("list")
def quarantine_list(
    project: Project = HERE,
    stream: OneStream = None,
    rows: Annotated[bool, typer.Option("--rows", help="The rows themselves.")] = False,
    settled: Annotated[bool, typer.Option("--settled", help="The rows that have left it: how, why, by whom.")] = False,
    limit: Annotated[int, typer.Option(help="Rows of one stream at most.", min=1)] = ROWS_MAX,
    json: Json = False,
) -> Answer:
    """What waits, by reason; with --rows each row."""
    from ..run.quarantine import settled_rows, waiting, waiting_rows
    from .quarantined import Gone, Reasons, Rows

    only = _stream(stream)
    with _house(project) as house, closing(house.reader()) as reader:
        if settled:
            return Gone(settled_rows(house, reader, only=only, limit=limit))
        if rows:
            return Rows(waiting_rows(house, reader, only=only, limit=limit))
        return Reasons(waiting(house, reader, only=only))


@quarantine.command("show")
def quarantine_show(
    id: Annotated[str, typer.Argument(help="The row's id, or its beginning.")],
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """One row, as it was received, and the rule that it failed; also of one that has left."""
    from ..run.quarantine import any_row
    from .quarantined import Row

    with _house(project) as house, closing(house.reader()) as reader:
        return Row(any_row(house, reader, id))


@quarantine.command("release")
def quarantine_release(
    ids: Annotated[list[str] | None, typer.Argument(help="Their ids; all that wait, if left out.")] = None,
    project: Project = HERE,
    stream: OneStream = None,
    by: By = None,
    json: Json = False,
) -> Answer:
    """Judge rows again under today's contract; those that pass move over."""
    from ..run.settle import release

    return _settled("released", project, ids or [], _stream(stream), partial(release, by=_name(by)))


@quarantine.command("discard")
def quarantine_discard(
    ids: Annotated[list[str], typer.Argument(help="Their ids, or the beginnings of them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why nobody wants them; it is kept.")],
    by: By = None,
    project: Project = HERE,
    json: Json = False,
) -> Answer:
    """Give rows up for good."""
    from ..run.settle import discard

    return _settled("discarded", project, ids, None, partial(discard, reason=reason, by=_name(by)))


def _settled(deed: str, folder: Path, ids: Sequence[str], only: Stream | None, settle: Settle) -> Settled:
    from ..run.quarantine import chosen, waiting
    from .quarantined import Settled

    with _house(folder) as house, closing(house.reader()) as reader:
        found = chosen(house, reader, ids, only=only)
        settled = {stream: settle(house, stream, of_stream) for stream, of_stream in found.items()}
        left = Counter[Stream]()
        for one in waiting(house, reader, only=only):
            left[one.stream] += one.count
    return Settled(deed, settled, left)


def _name(by: str | None) -> str:
    """Who was named, or else who the operating system says it is."""
    if by and by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many a container
        return f"uid {os.getuid()}"


@contextmanager
def _house(folder: Path) -> Iterator[House]:
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs

    logs.configure()
    with opened(load_project(folder, environ=os.environ), SystemClock()) as house:
        yield house


def _stream(text: str | None) -> Stream | None:
    return None if text is None else Stream.parse(text)
