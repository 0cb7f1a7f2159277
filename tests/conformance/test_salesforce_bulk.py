"""Bulk jobs against an org that answers over real HTTP, and whether its pages say what REST says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.salesforce import Clock
from tieout.base.errors import Broken
from tieout.capture.salesforce import soql
from tieout.capture.salesforce.budget import Budget, Work
from tieout.capture.salesforce.describe import SObject
from tieout.capture.salesforce.refusal import FieldGone, JobLost, JobsLimit, NotReady
from tieout.capture.salesforce.rows import from_csv, from_json
from tieout.capture.salesforce.wire.bulk import BulkJobs, JobState
from tieout.capture.salesforce.wire.client import Client
from tieout.capture.salesforce.wire.oauth import ClientCredentials
from tieout.sim.org.bulk.job import Course
from tieout.sim.org.bulk.jobs import BulkJobs as OrgJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.misbehaviour import Drop, ExpireSession, ShortPage, unavailable
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

NAMES = ['A "quoted", one', "two\nlines", "plain", "Zürich \U0001f600", "=1+1", "#N/A", "null", "1.0E7", "trailing,"]


class World:
    """An org with accounts of hard names, and somebody who reads it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.org = Org(1, self.clock)
        self.org.sessions.register(App("key", "secret", run_as="integration@tieout.example"))
        self.jobs = OrgJobs(self.org)
        self.server = OrgServer(self.org)
        self.server.add(*BulkRoutes(self.jobs).routes)
        self.server.start()
        with self.org.transaction() as deed:
            for number, name in enumerate(NAMES):
                revenue = Decimal(10) ** (number * 2)
                deed.create("Account", {"Name": name, "AnnualRevenue": revenue, "NumberOfEmployees": number or None})
        self.client = self.reader("62.0")
        self.bulk = BulkJobs(self.client)
        told = self.client.describe("Account")
        assert told is not None
        self.account = SObject.of(told)

    def reader(self, version: str) -> Client:
        credentials = ClientCredentials("key", "secret")
        return Client(self.server.login_url, credentials, version, clock=self.clock, budget=Budget())

    def job(self, question: str = "", work: Work = Work.BACKFILL) -> str:
        asked = question or soql.select(self.account.fields, self.account)
        return self.bulk.create(asked, with_deleted=True, work=work)

    def state(self, job: str) -> JobState:
        """After a while."""
        for _ in range(50):
            if (found := self.bulk.state(job)).is_complete or found.has_failed:
                break
        return found

    def read(self, job: str, rows_max: int = 4) -> pa.Table:
        """All pages of a job, joined."""
        assert self.state(job).is_complete
        pages, locator = [], None
        while not pages or locator is not None:
            page = self.bulk.page(job, locator, rows_max)
            pages.append(from_csv(page.csv, self.account.fields, rows=page.rows))
            locator = page.locator
        return pa.concat_tables(pages).sort_by("Id")

    def stop(self) -> None:
        self.client.close()
        self.jobs.close()
        self.server.stop()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


def test_bulk_says_what_rest_says(world: World) -> None:
    by_bulk = world.read(world.job())

    question = soql.select(world.account.fields, world.account)
    (page,) = world.client.query_pages(question, work=Work.LIVE)
    assert by_bulk == from_json(page.records, world.account.fields).sort_by("Id")
    assert sorted(by_bulk["Name"].to_pylist()) == sorted(NAMES)
    assert "1" + "0" * 16 in by_bulk["AnnualRevenue"].to_pylist()


def test_a_deleted_row_is_among_them_where_it_was_asked_for(world: World) -> None:
    gone = str(world.org.rows("Account", "Id")[0]["Id"])
    with world.org.transaction() as deed:
        deed.delete("Account", gone)

    told = world.read(world.job())

    assert dict(zip(told["Id"].to_pylist(), told["IsDeleted"].to_pylist(), strict=True))[gone] == "true"


def test_what_goes_wrong_between_two_pages_changes_nothing(world: World) -> None:
    job = world.job()
    world.server.script.at("bulk_results", 1, ShortPage(2))
    world.server.script.at("bulk_results", 2, ExpireSession())
    world.server.script.at("bulk_results", 3, unavailable())
    world.server.script.at("bulk_results", 5, Drop(100))

    assert sorted(world.read(job)["Name"].to_pylist()) == sorted(NAMES)


def test_a_page_can_be_asked_for_again(world: World) -> None:
    job = world.job()
    assert world.state(job).is_complete
    first = world.bulk.page(job, None, 4)

    assert world.bulk.page(job, first.locator, 4) == world.bulk.page(job, first.locator, 4)
    assert world.bulk.page(job, None, 4) == first


def test_no_rows_are_told_with_their_header(world: World) -> None:
    job = world.job(soql.select(world.account.fields, world.account, "Name = 'nobody'"))

    assert world.state(job) == JobState("JobComplete", 0)
    assert world.read(job).num_rows == 0


def test_a_result_is_not_asked_for_too_early_without_our_knowing(world: World) -> None:
    world.jobs.course_next(Course(running_seconds=60))
    job = world.job()

    assert not world.bulk.state(job).is_complete
    with pytest.raises(NotReady):
        world.bulk.page(job, None, 10)
    world.clock.at += timedelta(seconds=61)
    assert world.read(job).num_rows == len(NAMES)


def test_a_job_that_failed_says_why_and_is_made_anew(world: World) -> None:
    world.jobs.course_next(Course(failure="Retried more than fifteen times", retries=16))

    found = world.state(world.job())

    assert found.has_failed
    assert isinstance(found.refusal("reading"), JobLost)
    assert "fifteen times" in found.refusal("reading").message


def test_a_job_that_was_ended_or_forgotten_is_lost(world: World) -> None:
    world.jobs.course_next(Course(running_seconds=60))
    ended, read = world.job(), world.job()
    world.bulk.abort(ended)
    assert world.state(ended).has_failed

    world.read(read)
    world.jobs.drop_result(read)
    with pytest.raises(JobLost):
        world.bulk.page(read, None, 10)

    world.bulk.delete(read)
    with pytest.raises(JobLost):
        world.bulk.state(read)


def test_a_place_of_another_job_is_none(world: World) -> None:
    job = world.job()
    world.state(job)

    with pytest.raises(JobLost):
        world.bulk.page(job, "elsewhere", 10)


def test_a_result_is_read_with_the_version_that_its_job_was_made_with(world: World) -> None:
    job = world.job()
    world.state(job)
    newer = world.reader("64.0")

    with pytest.raises(Broken):
        BulkJobs(newer).page(job, None, 10)
    newer.close()


def test_a_field_that_is_hidden_is_told_as_such(world: World) -> None:
    world.org.admin.hide_field("Account", "Industry")

    with pytest.raises(FieldGone):
        world.job()


def test_a_day_that_is_out_of_jobs_parks_no_other_calls(world: World) -> None:
    world.jobs.jobs_a_day = 0

    with pytest.raises(JobsLimit):
        world.job()
    assert world.client.count("SELECT COUNT() FROM Account", work=Work.LIVE) == len(NAMES)
