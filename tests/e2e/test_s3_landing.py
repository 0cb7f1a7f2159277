"""The whole route with its landing in S3: what S3 loses, refuses or does not show yet costs time and no row."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests import s3
from tests.e2e.command import Project, image, project
from tieout.base.s3_address import S3Address
from tieout.base.step import Passing, Step, unobserved
from tieout.base.stream import Stream
from tieout.land.s3 import S3Landing
from tieout.ledger.sqlite import SqliteLedger
from tieout.quality.certificate import State
from tieout.run.certify import certify
from tieout.run.clock import SystemClock
from tieout.run.contracts import Contracts
from tieout.run.house import House, LocalNeighbours
from tieout.run.identity import identity_of, known_identity
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.replay import rebuild
from tieout.run.route import Tools
from tieout.run.worker import Worker

ACCOUNT = Stream("erp", "account")


@pytest.fixture(scope="module")
def running() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture
def address(running: s3.Store, monkeypatch: pytest.MonkeyPatch, hurried: None) -> S3Address:
    running.forget()
    s3.unpaused(monkeypatch)
    return running.address()


@pytest.fixture
def books(tmp_path: Path) -> Project:
    books = project(tmp_path / "books", within=True)
    books.drop("day1.ndjson", *(image(f"A{n}", n) for n in range(1, 11)))
    return books


@contextmanager
def opened(books: Project, address: S3Address, *, passing: Passing = unobserved) -> Iterator[House]:
    told, clock = load_project(books.root, environ={}), SystemClock()
    ledger = SqliteLedger(told.ledger, clock)
    try:
        tools = Tools(S3Landing(s3.bucket(address), passing=passing), ledger, Contracts(told.root), clock, passing)
        yield House(told, tools, LocalNeighbours(told, tools))
    finally:
        ledger.close()


def run(books: Project, address: S3Address, *, passing: Passing = unobserved) -> Outcome:
    with opened(books, address, passing=passing) as house:
        (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
        return outcome


def die_at(books: Project, address: S3Address, step: Step) -> None:
    """A pass in a process that kills itself when it reaches the step."""
    run(books, address, passing=lambda reached: os.kill(os.getpid(), signal.SIGKILL) if reached is step else None)


def keys(books: Project) -> list[str]:
    rows = books.query("select id from latest.erp__account where not _deleted order by _order")
    return [key for (key,) in rows]


def sealed(address: S3Address) -> int:
    return len(list(S3Landing(s3.bucket(address)).names()))


ALL = [f"A{n}" for n in range(1, 11)]


def test_what_lands_in_s3_is_merged_and_nothing_of_it_lies_on_the_disk(books: Project, address: S3Address) -> None:
    assert run(books, address).outcome == "complete"

    assert keys(books) == ALL
    assert sealed(address) == 1
    assert not (books.root / ".tieout" / "landing").exists()


def test_without_a_ledger_and_a_warehouse_everything_comes_back_from_s3(books: Project, address: S3Address) -> None:
    run(books, address)
    before = books.status()["state_hash"]
    for path in (books.root / ".tieout").iterdir():
        path.unlink()
    (books.root / "inbox" / "day1.ndjson").unlink()

    assert run(books, address).outcome == "complete"

    assert keys(books) == ALL
    assert books.status()["state_hash"] == before


def test_tables_are_made_anew_and_certified_from_s3(books: Project, address: S3Address) -> None:
    run(books, address)

    with opened(books, address) as house:
        (rebuilt,) = rebuild(house, only=ACCOUNT)
        (first,) = certify(house, [ACCOUNT], repair=False, may_repair=lambda plan: False).streams
        (second,) = certify(house, [ACCOUNT], repair=False, may_repair=lambda plan: False).streams
        chain = house.tools.landing.certificates(ACCOUNT)

    assert rebuilt.equal
    assert (first.state, second.state) == (State.COMPLETE, State.COMPLETE)
    assert len(chain) == 2


def test_a_batch_whose_put_was_never_answered_and_that_no_list_shows_costs_no_row_and_doubles_none(
    running: s3.Store, books: Project, address: S3Address
) -> None:
    running.fail(s3.lost, method="PUT", times=3)
    running.fail(s3.without("parquet"), lists=True, times=50)

    assert run(books, address).outcome == "complete"
    assert keys(books) == ALL

    running.forget()
    assert sealed(address) == 2
    assert run(books, address).outcome == "complete"
    assert keys(books) == ALL
    told = books.status()["books"]
    assert (told["received"], told["accepted"], told["duplicate"], told["balanced"]) == (20, 10, 10, True)


def test_a_batch_that_is_registered_and_that_no_list_shows_is_not_taken_for_lost(
    running: s3.Store, books: Project, address: S3Address
) -> None:
    run(books, address)
    (books.root / ".tieout" / "warehouse.duckdb").unlink()
    running.fail(s3.without("parquet"), lists=True, times=50)

    assert run(books, address).outcome == "complete"

    assert keys(books) == ALL


@pytest.mark.parametrize(("step", "found"), [(Step.CAPTURED, 0), (Step.SEALED, 1), (Step.MERGED, 1)])
def test_a_worker_killed_on_the_way_leaves_all_of_a_batch_in_s3_or_nothing(
    books: Project, address: S3Address, step: Step, found: int
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_at, args=(books, address, step))
    process.start()
    process.join(60)

    assert process.exitcode == -signal.SIGKILL
    assert sealed(address) == found
    assert run(books, address).outcome == "complete"
    assert sealed(address) == 1
    assert keys(books) == ALL


def test_a_store_that_is_busy_for_a_while_costs_time_only(
    running: s3.Store, books: Project, address: S3Address
) -> None:
    running.fail(s3.refused("503 Slow Down", "SlowDown"), method="PUT", times=7)

    assert run(books, address).outcome == "complete"

    assert keys(books) == ALL


def test_a_right_that_is_taken_away_stops_the_lane_and_says_so(
    running: s3.Store, books: Project, address: S3Address
) -> None:
    running.fail(s3.refused("403 Forbidden", "AccessDenied"), method="PUT")

    outcome = run(books, address)

    assert outcome.outcome == "failed"
    assert "AccessDenied" in str(outcome.reason)
    assert run(books, address).outcome == "complete"


def test_a_landing_in_s3_has_an_identity_of_its_own(running: s3.Store, address: S3Address) -> None:
    landing = S3Landing(s3.bucket(address))

    assert known_identity(landing) is None
    assert identity_of(landing) == identity_of(landing) == known_identity(landing)

    running.fail(s3.refused("403 Forbidden", "AccessDenied"))
    assert known_identity(landing) is None
