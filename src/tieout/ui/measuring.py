"""`tieout metrics`: what there is to watch, read anew each time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .answer import Answer
from .options import HERE, Json, Project


def metrics(
    project: Project = HERE,
    out: Annotated[Path | None, typer.Option(help="Write them to this file, all at once.", metavar="FILE")] = None,
    json: Json = False,
) -> Answer:
    """What there is to watch, in the text format of Prometheus."""
    from ..quality.exposition import exposition
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.metrics import metrics as read_metrics
    from ..run.project import load_project
    from ..run.written import write_whole
    from . import logs
    from .measured import Measured

    logs.configure()
    settings = load_project(project, environ=os.environ)
    with opened(settings, SystemClock()) as house, house.reader() as reader:
        families = read_metrics(house, reader)
    if out is not None:
        write_whole(out, exposition(families), option="--out")
    return Measured(families, out)
