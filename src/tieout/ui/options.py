"""What one may say to many commands, in the same words everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Project = Annotated[Path, typer.Option("--project", help="The project's folder.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]
OneStream = Annotated[str | None, typer.Option("--stream", help="Only this stream.", metavar="SOURCE.OBJECT")]
OneSource = Annotated[
    str | None, typer.Option("--source", help="Of the sources this one alone.", metavar="NAME", show_default=False)
]
StreamArgument = Annotated[str | None, typer.Argument(help="Only this stream.", metavar="[STREAM]", show_default=False)]

HERE = Path()
