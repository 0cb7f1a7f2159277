"""`tieout check`: the rows held against what their contracts demand of them."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Annotated

import typer

from ..base.stream import Stream
from .answer import Answer
from .options import HERE, Json, Project

Streams = Annotated[
    list[str] | None, typer.Argument(help="Only these streams.", metavar="[STREAM]...", show_default=False)
]
Backtest = Annotated[
    str | None, typer.Option("--backtest", help="On which of so many days would it have failed?", metavar="30d")
]


def check(streams: Streams = None, project: Project = HERE, backtest: Backtest = None, json: Json = False) -> Answer:
    """Hold the rows against the checks of their contracts. Reads only, also while a worker runs."""
    from ..run.check import check as check_streams
    from ..run.check import days_of
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs
    from .checked import CheckEnded

    logs.configure()
    wanted, days = [Stream.parse(one) for one in streams or ()], days_of(backtest)
    with opened(load_project(project, environ=os.environ), SystemClock()) as house, closing(house.reader()) as reader:
        return CheckEnded(check_streams(house, reader, wanted, backtest_days=days))
