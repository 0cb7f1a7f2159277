"""What reading costs, counted at a simulated org while its clock runs through some hours."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from tieout.base.cursor import Progress
from tieout.capture.salesforce.checkup.cost import TIME_CALLS, cost
from tieout.capture.salesforce.source import SalesforceSource
from tieout.capture.salesforce.wanted import Wanted
from tieout.capture.salesforce.wire.oauth import ClientCredentials
from tieout.capture.salesforce.wire.org import reached
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.misbehaviour import Script
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

HOURS = 4
STEP = timedelta(minutes=1)
WANTED = Wanted("Account", derived_seconds=7_200.0)


class Clock:
    """The machine's, moved ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


def passes(source: SalesforceSource, progress: dict[str, object], clock: Clock, count: int) -> None:
    """As a worker makes them: all that is due, and a look at what there is."""
    known: Progress = progress  # type: ignore[assignment]
    for _ in range(count):
        for piece in source.capture(known, until=source.bound()):
            progress[piece.after.track] = piece.after
        source.describe(anew=True)
        clock.ahead += STEP


def test_hours_of_reading_cost_what_the_formula_says() -> None:
    clock, script = Clock(), Script()
    org = Org(7, clock)
    org.sessions.register(App("app", "hush", run_as="integration@tieout.example"))
    with org.transaction() as deed:
        deed.create("Account", {"Name": "Acme"})
    http = OrgServer(org, script)
    http.add(*BulkRoutes(BulkJobs(org)).routes)
    progress: dict[str, object] = {}
    with http:
        wire = reached(
            http.login_url,
            ClientCredentials("app", "hush"),
            version="62.0",
            events="",
            channel="",
            reserve=0.2,
            retry_seconds=900.0,
            clock=clock,
            jitter=lambda: 1.0,
        )
        source = SalesforceSource("crm", wire, [WANTED], clock=clock)
        passes(source, progress, clock, 10)
        before = Counter(script.calls)
        passes(source, progress, clock, HOURS * 60)
        source.close()
    made = Counter(script.calls)
    made.subtract(before)

    day = cost(WANTED)
    of_the_object = sum(made.values()) - made["limits"]
    assert abs(of_the_object - day.calls * HOURS / 24) <= 4
    assert made["limits"] <= TIME_CALLS * HOURS / 24
    assert abs(made["deleted"] - day.deletions * HOURS / 24) <= 1
    assert abs(made["describe"] - day.describes * HOURS / 24) <= 1
    assert made["bulk_create"] == day.derived / 4 * HOURS / 24
