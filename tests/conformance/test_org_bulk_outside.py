"""Query jobs of the simulated org, asked by simple-salesforce's handler of Bulk 2.0, unchanged; and, by plain requests,
what that handler never asks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.bulk2 import ColumnDelimiter, LineEnding
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceOperationError

from tests.org import org_at_noon
from tieout.sim.org.bulk.job import Course
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.misbehaviour import ShortPage
from tieout.sim.org.rest.server import OrgServer

HARD_NAMES = [
    'A "quoted", one',
    "two\nlines",
    "tab\tand ^ and ; and | and `",
    "\r\n inside",
    "plain",
    "Zürich \U0001f600",
]


class ToLocalhost(requests.adapters.HTTPAdapter):
    """The client always says https; the simulated org has no certificate."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **more)


class World:
    def __init__(self) -> None:
        self.org, self.clock = org_at_noon()
        self.jobs = BulkJobs(self.org)
        self.server = OrgServer(self.org)
        self.server.add(*BulkRoutes(self.jobs).routes)

    @property
    def client(self) -> Salesforce:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", ToLocalhost())
        server = self.server
        return Salesforce(session_id=server.token(), instance_url=server.instance_url, session=session, version="62.0")

    def accounts(self, names: list[str]) -> list[str]:
        with self.org.transaction() as deed:
            return [deed.create("Account", {"Name": name, "AnnualRevenue": 10**7}) for name in names]

    def call(self, method: str, path: str, version: str = "62.0", **options: Any) -> requests.Response:
        session = requests.Session()
        session.trust_env = False
        url = f"{self.server.instance_url}/services/data/v{version}/jobs/query{path}"
        headers = {"Authorization": f"Bearer {self.server.token()}"}
        return session.request(method, url, headers=headers, timeout=10, **options)

    def job(self, query: str = "SELECT Id, Name FROM Account", **options: str) -> str:
        made = self.call("POST", "", json={"operation": "query", "query": query, **options})
        assert made.status_code == 200, made.text
        return str(made.json()["id"])

    def state(self, job: str) -> str:
        return str(self.call("GET", f"/{job}").json()["state"])


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.server:
        yield made
    made.jobs.close()


def refusal(response: requests.Response) -> tuple[int, str]:
    (told,) = response.json()
    return response.status_code, told["errorCode"]


def rows(pages: Any, **dialect: Any) -> list[dict[str, str]]:
    """Of all pages; each has the header."""
    return [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""), **dialect)]


def test_it_reads_all_pages_to_the_one_that_says_null(world: World) -> None:
    world.accounts([f"Account {number}" for number in range(25)])

    pages = list(world.client.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=10, wait=0))

    assert [len(rows([page])) for page in pages] == [10, 10, 5]
    assert {row["Name"] for row in rows(pages)} == {f"Account {number}" for number in range(25)}


@pytest.mark.parametrize("line_ending", list(LineEnding))
@pytest.mark.parametrize("delimiter", list(ColumnDelimiter))
def test_every_dialect_keeps_what_stands_in_a_cell(
    world: World, delimiter: ColumnDelimiter, line_ending: LineEnding
) -> None:
    world.accounts(HARD_NAMES)
    sign = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}[delimiter.value]

    pages = list(
        world.client.bulk2.Account.query(
            "SELECT Id, Name FROM Account", column_delimiter=delimiter, line_ending=line_ending, wait=0
        )
    )

    assert {row["Name"] for row in rows(pages, delimiter=sign)} == {name.strip() for name in HARD_NAMES}
    ending = {"LF": "\n", "CRLF": "\r\n"}[line_ending.value]
    assert pages[0].startswith(f'"Id"{sign}"Name"{ending}')
    assert pages[0].endswith(f'"{ending}')


def test_a_file_is_downloaded(world: World, tmp_path: Any) -> None:
    world.accounts([f"Account {number}" for number in range(7)])

    told = world.client.bulk2.Account.download("SELECT Name FROM Account", path=str(tmp_path), max_records=4, wait=0)

    assert [each["number_of_records"] for each in told] == [4, 3]


def test_deleted_rows_come_with_query_all_alone(world: World) -> None:
    gone, _ = world.accounts(["gone", "here"])
    with world.org.transaction() as deed:
        deed.delete("Account", gone)
    handler = world.client.bulk2.Account

    current = rows(handler.query("SELECT Name, IsDeleted FROM Account", wait=0))
    everything = rows(handler.query_all("SELECT Name, IsDeleted FROM Account", wait=0))

    assert [row["Name"] for row in current] == ["here"]
    assert {(row["Name"], row["IsDeleted"]) for row in everything} == {("here", "false"), ("gone", "true")}


def test_values_print_as_bulk_prints_them(world: World) -> None:
    (account,) = world.accounts(["A"])
    with world.org.transaction() as deed:
        for amount in ("12345678.5", "10000000", "9999999.99", "45000.05", "-12345678.50", "0", None):
            fields = {"Name": str(amount), "StageName": "Prospecting", "CloseDate": "2026-12-31", "AccountId": account}
            deed.create("Opportunity", {**fields, "Amount": amount})

    asked = (
        "SELECT Name, Amount, ExpectedRevenue, Account.Name, NextStep, IsWon, CloseDate, CreatedDate FROM Opportunity"
    )
    found = {row["Name"]: row for row in rows(world.client.bulk2.Opportunity.query(asked, wait=0))}

    assert {name: row["Amount"] for name, row in found.items()} == {
        "12345678.5": "1.23456785E7", "10000000": "1.0E7", "9999999.99": "9999999.99", "45000.05": "45000.05",
        "-12345678.50": "-1.23456785E7", "0": "0.0", "None": "",
    }  # fmt: skip
    row = found["45000.05"]
    assert (row["ExpectedRevenue"], row["Account.Name"], row["NextStep"]) == ("4500.01", "A", "")
    assert (row["IsWon"], row["CloseDate"]) == ("false", "2026-12-31")
    assert row["CreatedDate"].endswith(".000Z")


def test_an_order_is_kept_and_none_is_promised_without_it(world: World) -> None:
    world.accounts([f"{number:03d}" for number in range(100)])
    handler = world.client.bulk2.Account

    ordered = [row["Name"] for row in rows(handler.query("SELECT Name FROM Account ORDER BY Name DESC", wait=0))]
    limited = rows(handler.query("SELECT Name FROM Account LIMIT 3", wait=0))
    free = [row["Id"] for row in rows(handler.query("SELECT Id FROM Account", wait=0))]

    assert ordered == [f"{number:03d}" for number in reversed(range(100))]
    assert len(limited) == 3
    assert len(set(free)) == 100
    assert free != sorted(free)


def test_a_failed_job_tells_why(world: World) -> None:
    world.jobs.course_next(Course(failure="InternalServerError: Retried more than fifteen times", retries=15))

    with pytest.raises(SalesforceOperationError, match="more than fifteen times"):
        list(world.client.bulk2.Account.query("SELECT Id FROM Account", wait=0))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry", "API_ERROR"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "API_ERROR"),
        ("SELECT Id, BillingAddress FROM Account", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY"),
        ("SELECT TYPEOF What WHEN Account THEN Phone END FROM Task", "MALFORMED_QUERY"),
        ("SELECT Nothing__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Nothing__c = 1", "INVALID_FIELD"),
        ("SELECT", "MALFORMED_QUERY"),
    ],
)
def test_what_bulk_does_not_support_is_refused(world: World, query: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        list(world.client.bulk2.Account.query(query, wait=0))

    assert caught.value.content[0]["errorCode"] == code


def test_a_job_goes_through_its_states_and_reads_when_it_runs(world: World) -> None:
    world.jobs.course_next(Course(queued_seconds=10, running_seconds=20))
    world.accounts(["before"])
    job = world.job()
    world.accounts(["queued"])

    assert world.state(job) == "UploadComplete"
    assert refusal(world.call("GET", f"/{job}/results")) == (400, "INVALIDJOBSTATE")
    world.clock.sleep(10)
    assert world.state(job) == "InProgress"
    world.accounts(["running"])
    assert refusal(world.call("GET", f"/{job}/results")) == (400, "INVALIDJOBSTATE")
    world.clock.sleep(20)
    told = world.call("GET", f"/{job}").json()

    assert (told["state"], told["numberRecordsProcessed"], told["object"]) == ("JobComplete", 2, "Account")
    assert (told["apiVersion"], told["totalProcessingTime"], told["jobType"]) == (62.0, 20_000, "V2Query")
    found = rows([world.call("GET", f"/{job}/results").content.decode()])
    assert {row["Name"] for row in found} == {"before", "queued"}


def test_a_locator_can_be_read_again_and_pages_may_be_short(world: World) -> None:
    world.accounts([f"{number}" for number in range(10)])
    job = world.job()
    assert world.state(job) == "JobComplete"
    world.server.script.at("bulk_results", 1, ShortPage(3))

    first = world.call("GET", f"/{job}/results?maxRecords=6")
    locator = first.headers["Sforce-Locator"]
    second, again = (world.call("GET", f"/{job}/results?maxRecords=100&locator={locator}") for _ in range(2))

    assert first.headers["Sforce-NumberOfRecords"] == "3"
    assert not locator.isdigit()
    assert second.content == again.content
    assert (second.headers["Sforce-NumberOfRecords"], second.headers["Sforce-Locator"]) == ("7", "null")
    assert refusal(world.call("GET", f"/{job}/results?locator=another"))[1] == "INVALID_LOCATOR"


def test_a_result_without_rows_is_a_header(world: World) -> None:
    job = world.job()
    assert world.state(job) == "JobComplete"

    told = world.call("GET", f"/{job}/results")

    assert told.text == '"Id","Name"\n'
    assert (told.headers["Sforce-NumberOfRecords"], told.headers["Sforce-Locator"]) == ("0", "null")


def test_results_are_read_with_the_version_that_made_the_job(world: World) -> None:
    job = world.job()
    assert world.state(job) == "JobComplete"

    assert world.call("GET", f"/{job}/results", version="61.0").status_code == 409
    assert world.call("GET", f"/{job}/results", version="62.0").status_code == 200


def test_an_aborted_job_has_no_results_and_can_be_deleted(world: World) -> None:
    world.jobs.course_next(Course(queued_seconds=60))
    job = world.job()

    assert refusal(world.call("DELETE", f"/{job}")) == (400, "INVALIDJOBSTATE")
    assert world.call("PATCH", f"/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    world.clock.sleep(120)
    assert world.state(job) == "Aborted"
    assert refusal(world.call("GET", f"/{job}/results")) == (400, "INVALIDJOBSTATE")
    assert refusal(world.call("PATCH", f"/{job}", json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert world.call("DELETE", f"/{job}").status_code == 204
    assert refusal(world.call("GET", f"/{job}")) == (404, "NOT_FOUND")


def test_results_go_after_seven_days_or_on_demand(world: World) -> None:
    old, dropped = world.job(), world.job()
    assert [world.state(job) for job in (old, dropped)] == ["JobComplete", "JobComplete"]

    world.jobs.drop_result(dropped)
    assert refusal(world.call("GET", f"/{dropped}/results")) == (404, "NOT_FOUND")
    assert world.call("GET", f"/{old}/results").status_code == 200
    world.clock.sleep(timedelta(days=7, seconds=1).total_seconds())
    assert refusal(world.call("GET", f"/{old}/results")) == (404, "NOT_FOUND")
    assert world.state(old) == "JobComplete"


def test_a_field_that_goes_before_the_job_runs_fails_it(world: World) -> None:
    world.jobs.course_next(Course(queued_seconds=10))
    job = world.job("SELECT Id, Website FROM Account")
    world.org.admin.drop_field("Account", "Website")

    world.clock.sleep(10)
    told = world.call("GET", f"/{job}").json()

    assert told["state"] == "Failed"
    assert "No such column 'Website'" in told["errorMessage"]


def test_a_day_has_so_many_jobs_and_limits_tell_them(world: World) -> None:
    world.jobs.jobs_a_day = 2
    world.job()
    world.clock.sleep(3600)
    world.job()

    over = world.call("POST", "", json={"operation": "query", "query": "SELECT Id FROM Account"})
    assert refusal(over) == (400, "LIMIT_EXCEEDED")
    assert world.client.limits()["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 0}
    world.clock.sleep(23 * 3600)
    assert world.client.limits()["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 1}
    assert world.job()


def test_addresses_of_pages_are_told_five_at_a_time(world: World) -> None:
    world.accounts([f"{number}" for number in range(13)])
    job = world.job()
    assert world.state(job) == "JobComplete"

    first = world.call("GET", f"/{job}/resultPages?maxRecords=2").json()
    rest = world.call("GET", first["nextRecordsUrl"].partition("/jobs/query")[2]).json()
    urls = [each["resultUrl"] for told in (first, rest) for each in told["resultPages"]]
    found = rows(world.call("GET", url.partition("/jobs/query")[2]).text for url in urls)

    assert (len(first["resultPages"]), first["done"], len(rest["resultPages"]), rest["done"]) == (5, False, 2, True)
    assert {row["Name"] for row in found} == {f"{number}" for number in range(13)}


def test_jobs_are_listed(world: World) -> None:
    made = [world.job(), world.job()]

    told = world.call("GET", "").json()

    assert told["done"]
    assert [job["id"] for job in told["records"]] == made[::-1]


def test_a_page_has_a_bound_of_its_own(world: World) -> None:
    world.jobs.page_rows_max = 4
    world.accounts([f"{number}" for number in range(10)])

    pages = list(world.client.bulk2.Account.query("SELECT Name FROM Account", max_records=50_000, wait=0))

    assert [len(rows([page])) for page in pages] == [4, 4, 2]


def test_jobs_run_side_by_side_with_each_other_and_with_changes(world: World) -> None:
    world.accounts([f"{number:04d}" for number in range(2_000)])
    jobs = [world.job() for _ in range(6)]
    world.accounts(["late"])

    for _ in range(100):
        if all(world.state(job) == "JobComplete" for job in jobs):
            break

    found = [rows([world.call("GET", f"/{job}/results").text]) for job in jobs]
    assert {len(each) for each in found} <= {2_000, 2_001}
    assert len({row["Id"] for each in found for row in each}) in (2_000, 2_001)
