"""Salesforce at scale: deals of a simulated org by Bulk 2.0, and their change events, from what came over the wire to
where it lies. The org runs in a process of its own (`bench/org.py`), and what it spends is not counted.

The guess, on paper. A deal is 31 columns and 600 bytes of CSV. Bulk: Arrow reads them as typed columns in 4 CPU-us and
writes Parquet in 2.5; that is the floor. Ours reads them as text (4), writes numbers plainly (1), makes changes of them
(1), judges them (7: thirteen patterns, SHA-256 over 600 octets) and seals them (3, for tokens and ids do not compress):
16 us, 2.5 times the floor, 60,000 rows a CPU-second. That is under what was aimed at, 100,000.

Load: the floor takes the same pages (0.5), reads them (4) and inserts them (3). Ours does the above, receives (0.5) and
writes rows twice (8): 25 us, 3.3 times the floor.

Events: fastavro decodes one in 17 CPU-us. Ours receives it (3, a hundred a message), decodes (41), judges (8) and seals
it (5, for batches are small), and merges a patch (15): 72, or 4.2 times the floor; 14,000 a CPU-second.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow.parquet as pq
import yaml
from fastavro import parse_schema, schemaless_reader
from pyarrow import csv

from tieout.base.errors import Broken
from tieout.base.sql import Sql, literal
from tieout.base.stream import Stream
from tieout.capture.salesforce import soql
from tieout.capture.salesforce.budget import Work
from tieout.capture.salesforce.describe import SObject
from tieout.capture.salesforce.events.received import Received
from tieout.capture.salesforce.reading import PAGE_ROWS
from tieout.capture.salesforce.source import SalesforceSource
from tieout.capture.salesforce.wanted import Wanted
from tieout.capture.salesforce.wire.bulk import BulkJobs, BulkPage, JobState
from tieout.capture.salesforce.wire.oauth import JwtBearer
from tieout.capture.salesforce.wire.org import OrgWire, reached
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.project import FILE, load_project
from tieout.run.route import Route

from .child import followed, timed
from .org import Served, served
from .shop import SQL
from .timing import Content, Pair, Trial, Watch

_ACCOUNTS = 1_000
_EVENTED = 50_000
"""Deals whose events are told."""
_STREAM = Stream("salesforce", "opportunity")
_WANTED = Wanted("Opportunity", every_seconds=86_400, deleted_seconds=86_400, derived_seconds=0)
_LOOKS_MAX = 3_000
_LOOK_SECONDS = 0.2
_TAKEN = 5_000
_WAIT_SECONDS = 5.0


@contextmanager
def _bulk(rows: int) -> Iterator[Trial]:
    """From the bytes of pages, as they came over HTTP, to batches that are sealed and registered."""
    with _org(rows, accounts=min(_ACCOUNTS, rows)) as (org, scratch):
        with closing(_wire(org, events=False)) as wire:
            saved = Saved(_pages(wire))

        def subject(watch: Watch) -> Content:
            with _project(scratch, org, events=False) as root, closing(_wire(org, events=False)) as wire:
                _land(root, replace(wire, bulk=saved), watch)
                return _content(f"{root}/.tieout/landing/**/*.parquet")

        def floor(watch: Watch) -> Content:
            with TemporaryDirectory(dir=scratch) as folder:
                with watch:
                    for number, page in enumerate(saved.pages):
                        table = csv.read_csv(BytesIO(page.csv), parse_options=_QUOTED)
                        pq.write_table(table, Path(folder) / f"{number}.parquet", compression="zstd")
                return _content(f"{folder}/*.parquet")

        yield Trial(subject, floor)


_QUOTED = csv.ParseOptions(newlines_in_values=True)


class Saved(BulkJobs):
    """Bulk jobs that are complete as soon as they are made, and have these pages."""

    def __init__(self, pages: Sequence[BulkPage]) -> None:
        self.pages = pages

    def create(self, soql: str, *, with_deleted: bool, work: Work) -> str:
        return "750000000000001AAA"

    def state(self, job: str, *, work: Work = Work.LIVE) -> JobState:
        return JobState("JobComplete", sum(page.rows for page in self.pages))

    def page(self, job: str, locator: str | None, rows_max: int, *, work: Work = Work.LIVE) -> BulkPage:
        number = int(locator or 0)
        page = self.pages[number]
        return replace(page, locator=str(number + 1) if number + 1 < len(self.pages) else None)


def _pages(wire: OrgWire) -> list[BulkPage]:
    job, pages = _job(wire), list[BulkPage]()
    while not pages or pages[-1].locator is not None:  # bounded: a result ends
        pages.append(wire.bulk.page(job, pages[-1].locator if pages else None, PAGE_ROWS))
    return pages


def _job(wire: OrgWire) -> str:
    """Of all deals, once it is complete."""
    sobject, clock = SObject.of(wire.client.describe(_WANTED.api_name) or {}), SystemClock()
    job = wire.bulk.create(soql.select(sobject.fields, sobject, ""), with_deleted=True, work=Work.LIVE)
    for _ in range(_LOOKS_MAX):
        if wire.bulk.state(job).is_complete:
            return job
        clock.sleep(_LOOK_SECONDS)
    raise Broken("bench: the simulated org does not come to the end of a Bulk job.")


def _land(root: Path, wire: OrgWire, watch: Watch) -> None:
    """As `tieout run --once` does, but for the merge."""
    clock = SystemClock()
    with opened(load_project(root, environ=os.environ), clock) as house:
        source = SalesforceSource(_STREAM.source, wire, [_WANTED], clock=clock)
        lease = house.lease(_STREAM.source, fence_min=0)
        with watch:
            route = Route(source, house.tools, lease)
            route.adopt()
            for _ in range(_LOOKS_MAX):
                for _ in route.capture(source.bound()):
                    pass
                if not source.unfinished:
                    break
        house.tools.ledger.release(lease)


@contextmanager
def _load(rows: int) -> Iterator[Trial]:
    """`tieout run --once`, over HTTP, to current rows."""
    with _org(rows, accounts=min(_ACCOUNTS, rows)) as (org, scratch), closing(_wire(org, events=False)) as wire:
        job = _job(wire)

        def subject(watch: Watch) -> Content:
            with _project(scratch, org, events=False) as root:
                timed(watch, ["-m", "tieout", "run", "--once", "--project", str(root)])
                return _content_of_table(root / ".tieout" / "warehouse.duckdb", "latest_deals")

        def floor(watch: Watch) -> Content:
            with TemporaryDirectory(dir=scratch) as folder:
                path = Path(folder) / "copy.duckdb"
                token = wire.client.token()
                address = f"{token.instance_url}{wire.client.root}/jobs/query/{job}/results?maxRecords={PAGE_ROWS}"
                timed(watch, ["-m", "bench.child", "deals", address, token.access, str(path)])
                return _content_of_table(path, "deals_table")

        yield Trial(subject, floor)


@contextmanager
def _events(rows: int) -> Iterator[Trial]:
    """A worker that was away comes back, and hears what was changed meanwhile until all of it can be queried."""
    with _org(min(_EVENTED, rows), accounts=0) as (org, scratch), _project(scratch, org, events=True) as before:
        timed(Watch(), ["-m", "tieout", "run", "--once", "--project", str(before)])
        org.change(rows)
        told, schema = _heard(org, rows)
        content = _told(told, schema)

        def subject(watch: Watch) -> Content:
            with TemporaryDirectory(dir=scratch) as folder:
                root = Path(folder) / "project"
                shutil.copytree(before, root)
                followed(watch, root, SQL("deals_heard"), until=rows)
                with duckdb.connect(str(root / ".tieout" / "warehouse.duckdb"), read_only=True) as warehouse:
                    (row,) = warehouse.execute(SQL("deals_changed")).fetchall()
                return tuple(row)

        def floor(watch: Watch) -> Content:
            with watch:
                for event in told:
                    schemaless_reader(BytesIO(event.payload), schema, None)
            return content

        yield Trial(subject, floor)


@contextmanager
def _org(deals: int, *, accounts: int) -> Iterator[tuple[Served, Path]]:
    """An org of so many deals, and a folder."""
    with served(deals, accounts=accounts) as org, TemporaryDirectory(prefix="tieout-bench-") as folder:
        yield org, Path(folder)


def _heard(org: Served, count: int) -> tuple[list[Received], Any]:
    """All events that the org has told of, and the schema by which they were written."""
    with closing(_wire(org, events=True)) as wire:
        assert wire.subscribe is not None, "events are wanted"
        subscription, told = wire.subscribe(), list[Received]()
        with closing(subscription):
            subscription.start(None, earliest=True)
            for _ in range(_LOOKS_MAX):
                told += subscription.take(_TAKEN, _WAIT_SECONDS).events
                if len(told) >= count:
                    schema = json.loads(subscription.schema(told[0].schema_id))
                    return told, parse_schema(schema)
    raise Broken(f"bench: of {count} events {len(told)} were heard.")


def _told(events: Sequence[Received], schema: Any) -> Content:
    """How many; and what the deals say in the end, added up."""
    last: dict[str, int] = {}
    for event in events:
        found: Any = schemaless_reader(BytesIO(event.payload), schema, None)
        last[found["ChangeEventHeader"]["recordIds"][0]] = int(found["NextStep"])
    return (len(events), sum(last.values()))


def _wire(org: Served, *, events: bool) -> OrgWire:
    settings = org.environment
    return reached(
        settings["SF_LOGIN_URL"],
        JwtBearer(
            settings["SF_CLIENT_ID"], settings["SF_USERNAME"], settings["SF_PRIVATE_KEY"], settings["SF_LOGIN_URL"]
        ),
        version="62.0",
        events=org.events if events else "",
        channel="/data/ChangeEvents",
        reserve=0.2,
        retry_seconds=900,
        clock=SystemClock(),
        jitter=lambda: 0.5,
    )


@contextmanager
def _project(scratch: Path, org: Served, *, events: bool) -> Iterator[Path]:
    """One that reads deals, and looks for what changed once a day: events alone shall tell."""
    os.environ.update(org.environment)
    source = {
        "type": "salesforce", "login_url": "${SF_LOGIN_URL}", "client_id": "${SF_CLIENT_ID}",
        "username": "${SF_USERNAME}", "private_key": "${SF_PRIVATE_KEY}", "events": org.events if events else "",
        "every": "24h", "deleted_every": "24h", "derived_every": "24h", "objects": ["Opportunity"],
    }  # fmt: skip
    with TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder)
        (root / FILE).write_text(yaml.safe_dump({"project": "bench", "sources": {_STREAM.source: source}}))
        yield root


def _content(files: str) -> Content:
    with duckdb.connect() as connection:
        return _sums(connection, SQL("deals_files", files=literal(files)))


def _content_of_table(path: Path, table: str) -> Content:
    with duckdb.connect(str(path), read_only=True) as connection:
        return _sums(connection, SQL(table))


def _sums(connection: duckdb.DuckDBPyConnection, deals: Sql) -> Content:
    connection.execute("set TimeZone = 'UTC'")
    (row,) = connection.execute(SQL("deals_content", deals=deals)).fetchall()
    return tuple(row)


PAIRS = (
    Pair("salesforce_bulk", 1_000_000, 2.5, "pyarrow.csv of the same pages, and Parquet with zstd", _bulk),
    Pair("salesforce_load", 1_000_000, 3.3, "the same pages over HTTP, by pyarrow.csv into a DuckDB table", _load),
    Pair("salesforce_events", 200_000, 4.2, "fastavro's decoding of the same events", _events),
)
