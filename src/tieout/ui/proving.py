"""What was proven, for people and for whatever waits for it: `certificates`, `gate` and `incidents`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import Misconfigured
from ..base.stream import Stream
from .answer import Answer
from .options import HERE, Json, Project, StreamArgument

GateArgument = Annotated[str | None, typer.Argument(help="Only this gate.", metavar="[GATE]", show_default=False)]
Html = Annotated[
    Path | None, typer.Option("--html", help="Write them as one page, for people who read no tables.", metavar="FILE")
]

Tell = Annotated[bool, typer.Option("--tell", help="Tell those under `alerts` what is new, and what is over.")]
Test = Annotated[bool, typer.Option("--test", help="Send each of them a message that says it is a test, and no more.")]


def certificates(
    stream: StreamArgument = None, project: Project = HERE, html: Html = None, json: Json = False
) -> Answer:
    """What was certified, newest first told, and whether anybody altered it since. Reads the landing alone."""
    from ..run.clock import SystemClock
    from ..run.house import landing_of
    from ..run.project import load_project
    from ..run.proven import proven
    from ..run.written import write_whole
    from .page import page
    from .proven import Proven

    settings = load_project(project, environ=os.environ)
    only = None if stream is None else Stream.parse(stream)
    answer = Proven(proven(landing_of(settings), only=only))
    if html is not None:
        write_whole(html, page(settings.name, answer, SystemClock().now()), option="--html")
    return answer


def gate(gate: GateArgument = None, project: Project = HERE, json: Json = False) -> Answer:
    """Whether a mart may be built: exit 0 where its gate is open, 3 where it is closed, and why in words."""
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.project import load_project
    from ..run.proven import gates
    from .proven import Gated

    with opened(load_project(project, environ=os.environ), SystemClock()) as house:
        tools = house.tools
        return Gated(gates(house.project.gates, tools.landing, tools.ledger, tools.clock, only=gate))


def incidents(project: Project = HERE, tell: Tell = False, test: Test = False, json: Json = False) -> Answer:
    """What is wrong now: each cause once, what it affects, and what mends it. Exit 3 where there is any."""
    from ..run.alerting import alert, try_out
    from ..run.clock import SystemClock
    from ..run.house import opened
    from ..run.incidents import open_incidents
    from ..run.project import load_project
    from .incidents import Incidents, TriedOut

    settings = load_project(project, environ=os.environ)
    if (tell or test) and not settings.alerts:
        hint = 'Write alerts: [{to: "${SLACK_URL}"}] into tieout.yaml; see docs/operate/alerts.md.'
        raise Misconfigured("this project names nobody who is to be told.", hint=hint)
    if test:
        return TriedOut(try_out(settings.alerts, settings.name))
    with opened(settings, SystemClock()) as house:
        with house.reader() as reader:
            look = open_incidents(house, reader)
        ledger = house.tools.ledger
        sent = alert(ledger, look.incidents, settings.alerts, unseen=look.unseen) if tell else ()
    return Incidents(look.incidents, sent, look.unread)
