"""`tieout cost`: what a month on Snowflake and AWS costs, of a brief's volumes or of this project's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .answer import Answer
from .options import HERE, Json, Project

if TYPE_CHECKING:
    from ..run.costing.volumes import Volumes


def cost(
    project: Project = HERE,
    volumes: Annotated[
        Path | None,
        typer.Option(help="What is moved and kept; left out, the project's ledger says it.", metavar="FILE"),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="Prices and paces that are other than ours.", metavar="FILE")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="A month's, in US dollars; left out, the file's.", min=0.01, metavar="USD")
    ] = None,
    json: Json = False,
) -> Answer:
    """Estimate credits, storage, requests and workers of a month, and hold them against a budget."""
    from ..run.costing.estimate import estimate
    from ..run.costing.prices import load_prices
    from ..run.costing.volumes import load_volumes
    from .costed import Costed

    table = load_prices(prices)
    told = _recorded(project) if volumes is None else load_volumes(volumes)
    return Costed(estimate(told, table), told.budget_usd if budget is None else budget)


def _recorded(folder: Path) -> Volumes:
    from ..run.clock import SystemClock
    from ..run.costing.recorded import recorded
    from ..run.house import opened
    from ..run.project import load_project
    from . import logs

    logs.configure()
    with opened(load_project(folder, environ=os.environ), SystemClock()) as house:
        tools = house.tools
        return recorded(house.project.name, tools.ledger, tools.contracts, now=tools.clock.now())
