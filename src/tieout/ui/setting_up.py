"""`tieout snowflake`: what an account needs before tieout may work in it, written down for whoever may run it."""

from __future__ import annotations

from typing import Annotated

import typer

from ..base.errors import Misconfigured
from .answer import Answer
from .options import HERE, Json, Project

snowflake = typer.Typer(help="What an account of Snowflake needs.", no_args_is_help=True)


@snowflake.command("setup")
def snowflake_setup(
    project: Project = HERE,
    printed: Annotated[bool, typer.Option("--print", help="Write the statements; nothing is ever run.")] = False,
    attach: Annotated[
        bool, typer.Option("--attach", help="The second part: what is done to the tables once a run has made them.")
    ] = False,
    edition: Annotated[
        str, typer.Option(help="Of the account: standard, enterprise or business-critical.")
    ] = "enterprise",
    database: Annotated[str, typer.Option(help="Its name; the project's, if left out.", metavar="NAME")] = "",
    models: Annotated[
        list[str] | None,
        typer.Option(help="A schema that dbt builds into, once for each; readers see the first.", metavar="SCHEMA"),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="From where service users may come, once for each.", metavar="CIDR"),
    ] = None,
    credits: Annotated[
        list[str] | None,
        typer.Option(help="A warehouse's quota a month, such as LIVE=100.", metavar="WAREHOUSE=N"),
    ] = None,
    json: Json = False,
) -> Answer:
    """Write the statements that make roles, grants, warehouses, quotas, masks and row policies of the contracts."""
    from ..run.snowflake_setup.generate import Part, generate
    from ..run.snowflake_setup.reading import wanted
    from ..run.snowflake_setup.wanted import Edition, Options
    from .set_up import SetUpWritten

    if not printed:
        hint = "Say --print; whoever has the rights then reads the statements and runs them."
        raise Misconfigured("tieout changes no account by itself.", hint=hint)
    if edition not in list(Edition):
        raise Misconfigured(f"--edition is {edition!r}; allowed: {', '.join(Edition)}.")
    options = Options(
        edition=Edition(edition),
        database=database,
        models=tuple(models or ("MARTS",)),
        addresses=tuple(source or ()),
        credits=dict(_quota(text) for text in credits or ()),
    )
    return SetUpWritten(generate(wanted(project, options), Part.ATTACH if attach else Part.SETUP))


def _quota(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdecimal():
        raise Misconfigured(f"--credits is {text!r}; write a warehouse and its credits a month, such as LIVE=100.")
    return name.upper(), int(number)
