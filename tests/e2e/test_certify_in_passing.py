"""A worker that goes on holds its lanes against their sources by itself, as often as the project says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.e2e.certifying import Project
from tieout.base.stream import Stream
from tieout.land.local import LocalLanding
from tieout.ledger.facts import Certified
from tieout.quality.chain import Chain
from tieout.run.house import House
from tieout.run.rhythm import Beat, Rhythm
from tieout.run.worker import Worker

ASKED_MAX = 2_000
"""Turns of a worker that waits for its next pass."""
STREAM = Stream("shop", "orders")
NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)


def reports(house: House) -> list[dict[str, object]]:
    entries = house.tools.ledger.entries(Certified, stream=str(STREAM))
    return [json.loads(entry.fact.report) for entry in entries if isinstance(entry.fact, Certified)]


def worked_until_certified(house: House, times: int, turns_max: int = ASKED_MAX) -> list[dict[str, object]]:
    turns = iter(range(turns_max))
    Worker(house, only=None, dice=Random(1)).forever(lambda: len(reports(house)) >= times or next(turns, None) is None)
    return reports(house)


@pytest.fixture
def project(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PG_URL", database)
    with psycopg.connect(database) as connection:
        connection.execute("create table orders (id int primary key, note text)")
        connection.execute("insert into orders select n, 'new' from generate_series(1, 100) n")
    return Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.orders]}')


def with_rhythm(project: Project, rhythm: str) -> Project:
    with (project.root / "tieout.yaml").open("a") as file:
        file.write(f"certify: {rhythm}\n")
    return project


def test_it_compares_all_once_and_then_what_changed(project: Project) -> None:
    with_rhythm(project, "{every: 1s}")

    first, second = project.within(lambda house: worked_until_certified(house, 2))[:2]

    assert (first["state"], first["since"], first["source_rows"]) == ("complete", None, 100)
    assert (second["state"], second["since"]["number"]) == ("complete", 1)


def test_what_differs_is_found_while_it_works_and_is_left_as_it_is(project: Project) -> None:
    project.run()
    project.damage("delete from latest.shop__orders where id <= 3")
    with_rhythm(project, "{every: 1s}")

    found = project.within(lambda house: worked_until_certified(house, 1))[0]

    assert (found["state"], found["missing"], found["repaired"]) == ("broken", 3, 0)
    assert project.certify_one("shop.orders").compared.current_rows == 97


def test_without_a_rhythm_it_never_does(project: Project) -> None:
    assert project.within(lambda house: worked_until_certified(house, 1, turns_max=15)) == []


def beat(landing: LocalLanding, *days_ago: float, whole_days_ago: float = 0.0) -> Beat:
    chain = Chain()
    for days in days_ago:
        at = NOW - timedelta(days=days)
        whole = (NOW - timedelta(days=whole_days_ago)).isoformat()
        link = chain.following(at, {"state": "complete", "cut": {"at": at.isoformat()}, "since": {"at": whole}})
        landing.keep_certificate(STREAM, link.number, link.text)
        chain = Chain((*chain.links, link))
    return Beat(Rhythm(every_seconds=86_400, whole_seconds=7 * 86_400), landing)


@pytest.mark.parametrize(("days_ago", "is_due"), [((), True), ((3, 1.001), True), ((3, 0.999), False)])
def test_it_goes_by_the_newest_certificate(tmp_path: Path, days_ago: tuple[float, ...], is_due: bool) -> None:
    of = beat(LocalLanding(tmp_path), *days_ago)

    assert of.is_due([STREAM], NOW) is is_due
    assert not of.is_due([], NOW)


def test_one_that_failed_is_not_tried_again_at_once(tmp_path: Path) -> None:
    of = beat(LocalLanding(tmp_path))
    of.begun(NOW)

    assert not of.is_due([STREAM], NOW + timedelta(hours=23))
    assert of.is_due([STREAM], NOW + timedelta(hours=24))


@pytest.mark.parametrize(("whole_days_ago", "is_due"), [(6.9, False), (7.0, True)])
def test_what_rests_on_an_old_comparison_is_compared_as_a_whole(
    tmp_path: Path, whole_days_ago: float, is_due: bool
) -> None:
    of = beat(LocalLanding(tmp_path), 0.5, whole_days_ago=whole_days_ago)

    assert of.is_whole_due([STREAM], NOW) is is_due
