"""`tieout model`: the marts built from what is merged, as far as their gates are open."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from .answer import Answer
from .options import HERE, Json, Project

Full = Annotated[bool, typer.Option("--full", help="Build everything from nothing, whether it moved or not.")]


def model(project: Project = HERE, full: Full = False, json: Json = False) -> Answer:
    """Build and test the marts of which something moved, as far as their gates are open."""
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.modelling import model as build
    from ..run.project import load_project
    from ..run.stop import by_signal
    from . import logs
    from .modelled import ModelEnded

    logs.configure()
    settings = load_project(project, environ=os.environ)
    with by_signal() as stop, opened(settings, SystemClock(stopping=stop)) as house:
        return ModelEnded(build(house, os.environ, full=full, stopping=stop))
