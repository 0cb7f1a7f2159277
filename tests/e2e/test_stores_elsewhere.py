"""The same project file with other addresses: landing and changes in a bucket, the book of facts in a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import s3
from tests.e2e.command import Project, image
from tieout.base.s3_address import S3Address
from tieout.run.clock import SystemClock
from tieout.run.doctor import examine

BEHIND = "?region={region}&endpoint_url={url}"


@pytest.fixture(scope="module")
def running() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture
def landing(running: s3.Store, monkeypatch: pytest.MonkeyPatch, hurried: None) -> S3Address:
    running.forget()
    s3.unpaused(monkeypatch)
    return running.address()


def books_at(root: Path, landing: S3Address, ledger: str, *, changes: str = "./inbox") -> Project:
    (root / "inbox").mkdir(parents=True)
    behind = BEHIND.format(region=landing.region, url=landing.endpoint_url)
    (root / "tieout.yaml").write_text(
        f"project: books\nlanding: {landing}{behind}\nledger: {json.dumps(ledger)}\n"
        f"sources:\n  erp: {{type: changes, path: {changes if changes.startswith('.') else changes + behind}}}\n"
    )
    return Project(root, within=True)


def test_the_run_the_proof_and_the_hash_are_those_of_the_stores_here(
    tmp_path: Path, landing: S3Address, database: str
) -> None:
    here = Project(tmp_path / "here", within=True)
    (here.root / "inbox").mkdir(parents=True)
    (here.root / "tieout.yaml").write_text("project: books\nsources:\n  erp: {type: changes, path: ./inbox}\n")
    there = books_at(tmp_path / "there", landing, database)
    for books in (here, there):
        books.drop("day1.ndjson", *(image(f"A{n}", n, name=f"n{n}") for n in range(20)))
        books.json("run", "--once")

    assert there.status()["state_hash"] == here.status()["state_hash"]
    assert there.status()["books"] == here.status()["books"]
    assert there.json("certify")["certificate"] == "complete"
    assert [path.name for path in (there.root / ".tieout").iterdir() if path.suffix != ".sock"] == ["warehouse.duckdb"]


def test_a_second_worker_elsewhere_goes_on_where_the_first_has_ended(
    tmp_path: Path, landing: S3Address, database: str
) -> None:
    first, second = (books_at(tmp_path / name, landing, database) for name in ("one", "two"))
    for books in (first, second):
        books.drop("day1.ndjson", image("A1", 1), image("A2", 2))
    first.json("run", "--once")
    (ran,) = second.json("run", "--once")["lanes"]

    assert ran["received"] == 0, "the other machine has read this file: the book says so"
    assert second.query("select count(*) from latest.erp__account") == [[2]], "and its rows come from the landing"


def test_changes_are_read_from_a_bucket(tmp_path: Path, landing: S3Address, database: str) -> None:
    inbox = S3Address(landing.bucket, "inbox", landing.region, landing.endpoint_url)
    line = json.dumps(image("A1", 1)).encode() + b"\n"
    s3.bucket(inbox).put_new("day1.ndjson", line)
    books = books_at(tmp_path / "books", landing, database, changes=str(inbox))

    books.json("run", "--once")

    assert books.query("select count(*) from latest.erp__account") == [[1]]


def test_a_book_of_another_landing_is_refused_by_run_and_told_by_the_doctor(
    tmp_path: Path, landing: S3Address, running: s3.Store, database: str
) -> None:
    books_at(tmp_path / "one", landing, database).json("run", "--once")
    other = books_at(tmp_path / "two", running.address("other/landing"), database)

    assert other.tieout("run", "--once").code == 2

    codes = {one.code for one in examine(other.root, environ={}, clock=SystemClock()).project}
    assert "project.ledger.unusable" in codes


def test_the_doctor_tells_that_the_server_and_the_bucket_answer(
    tmp_path: Path, landing: S3Address, database: str
) -> None:
    books = books_at(tmp_path / "one", landing, database)

    codes = {one.code for one in examine(books.root, environ={}, clock=SystemClock()).project}

    assert {"project.ledger.ok", "s3.bucket.ok"} <= codes


def test_what_is_not_installed_is_named_with_the_way_to_it(
    tmp_path: Path, landing: S3Address, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = books_at(tmp_path / "one", landing, database)
    monkeypatch.setattr("tieout.run.extras.find_spec", lambda name: None)

    said = books.tieout("run", "--once")

    assert said.code == 2
    assert "pip install 'tieout[aws]'" in said.err
    codes = {one.code for one in examine(books.root, environ={}, clock=SystemClock()).project}
    assert "project.extra.missing" in codes
