"""What a claim of freshness is held against: each field at least as new as it was at the moment that is claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.org import HandClock
from tieout.sim.org.org import Org
from tieout.sim.revops.truth import Truth


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def org(clock: HandClock) -> Org:
    return Org(1, clock)


def renamed(org: Org, id_: str, **fields: str) -> None:
    with org.transaction() as deed:
        deed.update("Lead", id_, fields)


def lead(org: Org) -> str:
    with org.transaction() as deed:
        return deed.create("Lead", {"LastName": "One", "Company": "Acme"})


def test_a_row_that_is_older_than_it_was_then_is_a_lie(org: Org, clock: HandClock) -> None:
    truth = Truth(org)
    id_ = lead(org)
    clock.sleep(10)
    renamed(org, id_, Company="Bolt")

    [lie] = truth.lies("Lead", clock.now(), clock.now(), {id_: {"LastName": "One", "Company": "Acme"}})

    assert lie.fields == ("Company",)


def test_a_row_may_be_newer_than_what_is_claimed_of_it_also_in_some_fields_alone(org: Org, clock: HandClock) -> None:
    truth = Truth(org)
    id_ = lead(org)
    then = clock.now()
    clock.sleep(10)
    renamed(org, id_, LastName="Two", Company="Bolt")

    assert truth.lies("Lead", then, clock.now(), {id_: {"LastName": "Two", "Company": "Acme"}}) == []


def test_a_row_that_is_dead_here_and_lived_ever_since_is_a_lie(org: Org, clock: HandClock) -> None:
    truth = Truth(org)
    id_ = lead(org)

    assert [lie.id for lie in truth.lies("Lead", clock.now(), clock.now(), {id_: None})] == [id_]


def test_what_was_before_anything_was_heard_is_not_judged(org: Org) -> None:
    id_ = lead(org)
    truth = Truth(org)

    assert truth.lies("Lead", datetime.now(UTC) + timedelta(days=1), datetime.now(UTC), {id_: None}) == []


@pytest.mark.parametrize("held", ["Acme", "Bolt"])
def test_what_nobody_could_know_may_be_seen_or_not(org: Org, clock: HandClock, held: str) -> None:
    truth = Truth(org)
    id_ = lead(org)
    clock.sleep(10)
    org.silent.database_job("Lead", [id_], {"Company": "Bolt"}, moves_stamp=False)
    clock.sleep(10)

    assert truth.lies("Lead", clock.now(), clock.now(), {id_: {"LastName": "One", "Company": held}}) == []


def test_what_became_of_it_silently_is_known_with_the_next_change(org: Org, clock: HandClock) -> None:
    truth = Truth(org)
    id_ = lead(org)
    org.silent.database_job("Lead", [id_], {"Company": "Bolt"}, moves_stamp=False)
    clock.sleep(10)
    renamed(org, id_, LastName="Two")

    [lie] = truth.lies("Lead", clock.now(), clock.now(), {id_: {"LastName": "Two", "Company": "Acme"}})

    assert lie.fields == ("Company",)
