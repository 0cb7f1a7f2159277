"""`tieout airflow`: what Airflow is to run, written into its folder of DAGs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .answer import Answer
from .options import HERE, Json, Project

airflow = typer.Typer(help="Have Airflow run this project: one file for 2.11 and 3.", no_args_is_help=True)


@airflow.callback()
def _group() -> None:
    """Or typer takes the only command for the whole."""


@airflow.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="A folder that Airflow reads DAGs from.", metavar="FOLDER")],
    project: Project = HERE,
    tieout: Annotated[
        str | None, typer.Option("--tieout", help="tieout's executable where tasks run; else this one.", metavar="PATH")
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option("--folder", help="The project's folder there; else this one.", metavar="PATH"),
    ] = None,
    every: Annotated[
        list[str] | None, typer.Option("--every", help="How often: live=5m, batch=1h, certificate=1d.")
    ] = None,
    live: Annotated[list[str] | None, typer.Option("--live", help="A source worked as live.", metavar="SOURCE")] = None,
    batch: Annotated[
        list[str] | None, typer.Option("--batch", help="A source worked as batch.", metavar="SOURCE")
    ] = None,
    json: Json = False,
) -> Answer:
    """Write the DAGs of the project, their plan and their pools."""
    from ..run.airflow.export import export as export_dags
    from .exported import ExportEnded

    command = tieout or str(Path(sys.executable).parent / "tieout")
    return ExportEnded(
        export_dags(
            project,
            out,
            environ=os.environ,
            command=command,
            folder=folder,
            every=every or (),
            live=live or (),
            batch=batch or (),
        )
    )
