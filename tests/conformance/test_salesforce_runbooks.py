"""Runbooks of Salesforce, brought about at a simulated org: what is seen they quote, and it ends as they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tieout.base.cursor import Cursor
from tieout.base.errors import TieoutError
from tieout.capture.hole import unread
from tieout.capture.salesforce.source import SalesforceSource
from tieout.capture.salesforce.wanted import Wanted
from tieout.capture.salesforce.wire.oauth import ClientCredentials
from tieout.capture.salesforce.wire.org import reached
from tieout.sim.org.bulk.job import Course
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.misbehaviour import Fail, Script, concurrent_limit, daily_limit
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.server import PubSubServer
from tieout.sim.org.pubsub.stream import Rhythm
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

PAGES = Path(__file__).parents[2] / "docs" / "operate" / "runbooks" / "salesforce"


class Clock:
    """The machine's, moved ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Reading:
    """A source at an org, and how far it has come."""

    def __init__(self, org: Org, http: OrgServer, events: PubSubServer, bulk: BulkJobs, clock: Clock) -> None:
        self.org, self.script, self.http, self.events, self.clock = org, http.script, http, events, clock
        self.bulk = bulk
        self.known: dict[str, Cursor] = {}
        self.source = self._begun()

    def again(self) -> None:
        """Another worker goes on."""
        self.source.close()
        self.source = self._begun()

    def _begun(self) -> SalesforceSource:
        wire = reached(
            self.http.login_url,
            ClientCredentials("app", "hush"),
            version="62.0",
            events=self.events.target,
            channel="/data/ChangeEvents",
            reserve=0.2,
            retry_seconds=900.0,
            clock=self.clock,
            jitter=lambda: 1.0,
        )
        return SalesforceSource("crm", wire, [Wanted("Account")], clock=self.clock)

    def turn(self) -> None:
        """A minute passes, and all that is due is read."""
        self.clock.ahead += timedelta(minutes=1)
        for piece in self.source.capture(self.known, until=self.source.bound()):
            self.known[piece.after.track] = piece.after
        if self.source.shortfall is not None:
            raise self.source.shortfall

    def refused(self) -> str:
        with pytest.raises(TieoutError) as caught:
            self.turn()
        return caught.value.message

    def write(self, name: str) -> None:
        with self.org.transaction() as deed:
            deed.create("Account", {"Name": name})


@pytest.fixture
def reading() -> Iterator[Reading]:
    clock = Clock()
    org = Org(7, clock)
    org.sessions.register(App("app", "hush", run_as="integration@tieout.example"))
    http, bulk = OrgServer(org, Script()), BulkJobs(org)
    http.add(*BulkRoutes(bulk).routes)
    with http, PubSubServer(org, rhythm=Rhythm(keepalive=0.05)) as events:
        reading = Reading(org, http, events, bulk, clock)
        yield reading
        reading.source.close()


def quotes(page: str, said: str) -> bool:
    """Whether a page shows this, whatever its numbers."""
    quoted = re.findall(r"^```text\n(.*?)^```", (PAGES / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL)
    return bare(said) in {bare(line) for block in quoted for line in block.splitlines()}


def bare(text: str) -> str:
    return re.sub(r"\d[\d,]*", "0", text)


def test_a_place_that_has_expired_is_a_hole_that_windows_close(reading: Reading) -> None:
    reading.write("Acme")
    reading.turn()
    reading.write("Bolt")
    reading.turn()

    reading.events.migrate()
    reading.again()
    reading.turn()
    holes = [str(hole) for of_object in unread(reading.known).values() for hole in of_object.holes]
    for _ in range(7):
        reading.turn()

    assert holes
    assert all(quotes("replay-expired", hole) for hole in holes)
    assert unread(reading.known) == {}


def test_a_day_of_calls_that_is_over_is_told_and_waited_out(reading: Reading) -> None:
    reading.turn()
    reading.script.at("updated", 1, daily_limit())
    refused = reading.refused()
    parked = reading.refused()
    reading.clock.ahead += timedelta(minutes=16)
    reading.turn()

    assert "HTTP 403 REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded." in refused
    assert parked.endswith("and it refuses more.")


def test_a_limit_of_the_moment_passes_by_itself(reading: Reading) -> None:
    reading.turn()
    reading.script.at("query", 1, concurrent_limit(), times=2)
    reading.turn()


def test_a_field_that_is_hidden_is_left_out_at_the_next_turn(reading: Reading) -> None:
    reading.turn()
    reading.org.admin.hide_field("Account", "Phone")
    said = ""
    try:
        reading.turn()
    except TieoutError as error:
        said = error.message
    reading.turn()

    described = {column.name for one in reading.source.describe() for column in one.columns}
    assert "Phone" not in described
    assert "INVALID_FIELD" in said


def test_an_object_that_is_hidden_is_told_as_the_page_says(reading: Reading) -> None:
    reading.script.at("describe", 1, Fail(404, "NOT_FOUND", "The requested resource does not exist"), times=4)

    assert quotes("permission-lost", reading.refused().replace("Account", "Opportunity"))


@pytest.mark.parametrize("failure", ["QUERY_TIMEOUT: Your query took too long", "InternalServerError: Retried"])
def test_a_job_that_failed_is_made_anew_whatever_it_failed_of(reading: Reading, failure: str) -> None:
    reading.write("Acme")
    reading.bulk.course_next(Course(failure=failure))
    for _ in range(3):
        reading.turn()

    assert unread(reading.known) == {}
    assert reading.script.calls["bulk_create"] == 2


def test_a_job_that_fails_again_and_again_is_told_as_the_page_says(reading: Reading) -> None:
    reading.bulk.course_next(Course(failure="InternalServerError: Retried more than 15 times."), times=3)

    said = reading.refused().replace("Account", "Opportunity")

    assert quotes("bulk-failed", said)
    reading.turn()
    assert unread(reading.known) == {}
