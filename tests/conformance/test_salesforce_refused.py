"""An org that refuses: sessions that end, calls that run out, another org. What can go on does, the rest is told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.org import account, deal
from tests.salesforce_source import Worker, served, wanted, working
from tieout.base.errors import Misconfigured
from tieout.capture.salesforce import reading
from tieout.sim.org.misbehaviour import (
    Drop,
    ExpireLocator,
    ExpireSession,
    Respond,
    ShortPage,
    concurrent_limit,
    daily_limit,
    unavailable,
)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working("Account", "Opportunity") as worker:
        yield worker


@pytest.fixture
def deaf() -> Iterator[Worker]:
    """Hears no events."""
    with working("Account", "Opportunity", hears=False) as worker:
        yield worker


def write(worker: Worker, name: str = "Acme") -> str:
    worker.clock.sleep(1.0)
    with worker.org.transaction() as deed:
        of = account(deed, name)
        deal(deed, of)
    return of


@pytest.mark.parametrize(
    "kind",
    ["describe", "updated", "deleted", "query", "bulk_create", "bulk_look", "bulk_results", "subscribe", "get_schema"],
)
def test_a_session_that_ends_in_the_middle_of_anything_is_begun_anew(kind: str, worker: Worker) -> None:
    write(worker)
    worker.script.at(kind, 1, ExpireSession())
    worker.turn()
    write(worker, "Bolt")
    worker.turns(2)

    assert worker.script.calls["token"] >= 2
    assert worker.source.shortfall is None
    assert worker.differences("account") == worker.differences("opportunity") == []


def test_a_session_that_ends_between_two_pages_goes_on_at_the_next(
    deaf: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    for _ in range(5):
        write(deaf)
    deaf.script.at("bulk_results", 2, ExpireSession())
    deaf.turn()
    for _ in range(5):
        write(deaf)
    deaf.script.at("query", 1, ShortPage(2))
    deaf.script.at("query_more", 1, ExpireSession())
    deaf.turns(2)

    assert deaf.script.calls["bulk_create"] == 2
    assert deaf.script.calls["query_more"] >= 2
    assert deaf.differences("account") == deaf.differences("opportunity") == []


def test_a_place_in_an_answer_that_the_org_forgot_has_the_window_read_again(deaf: Worker) -> None:
    deaf.turn()
    for _ in range(5):
        write(deaf)
    deaf.script.at("query", 1, ShortPage(2))
    deaf.script.at("query_more", 1, ExpireLocator())
    deaf.turns(3)

    assert deaf.source.shortfall is None
    assert deaf.differences("account") == deaf.differences("opportunity") == []


@pytest.mark.parametrize("fault", [unavailable(), Drop(), Drop(after=20), Respond(200, b"<html>login</html>")])
def test_an_answer_that_is_none_is_asked_for_again(fault: object, deaf: Worker) -> None:
    write(deaf)
    for kind in ("updated", "query", "deleted", "bulk_look"):
        deaf.script.at(kind, 1, fault)  # type: ignore[arg-type]
    deaf.turns(3)

    assert deaf.differences("account") == deaf.differences("opportunity") == []


def test_while_the_calls_of_a_day_are_used_up_events_go_on_and_the_rest_waits_and_says_so(worker: Worker) -> None:
    write(worker)
    worker.turn()
    before = worker.source.vouched()
    worker.org.api.most = worker.org.api.used
    write(worker, "Meanwhile")
    for _ in range(4):
        worker.turn(90.0)
    said = worker.source.shortfall
    budget = json.loads(json.dumps(worker.source.budget()))

    assert "Meanwhile" in {row["Name"] for row in worker.rows("account").values()}
    assert worker.source.vouched() == before, "nothing is proven meanwhile"
    assert said is not None
    assert "api-limit.md" in said.hint
    assert budget["parked_until"] is not None
    assert not budget["allows"]["live"]
    worker.org.api.most = 1_000_000
    worker.turn(3600.0)
    worker.turns(2)
    assert worker.source.shortfall is None
    assert worker.differences("account") == worker.differences("opportunity") == []


def test_an_org_that_refuses_for_its_day_is_not_asked_again_before_its_time(deaf: Worker) -> None:
    deaf.turn()
    deaf.script.at("query", 1, daily_limit())
    deaf.turn()
    calls = deaf.org.api.used
    deaf.turn(600.0)
    deaf.turn(200.0)

    assert deaf.org.api.used == calls


def test_a_first_read_waits_before_it_takes_what_others_need_and_windows_go_on(deaf: Worker) -> None:
    write(deaf)
    deaf.org.api.most = 1_000
    deaf.org.use_api(750)  # 80 % are ours: a first read stops at 70, what is live at 80
    deaf.turns(2)

    assert deaf.script.calls["bulk_create"] == 0
    assert deaf.source.shortfall is not None
    assert "backfill work stops at 70%" in deaf.source.shortfall.message


def test_a_limit_of_a_moment_passes_within_the_turn(deaf: Worker) -> None:
    deaf.turn()
    write(deaf)
    deaf.script.at("query", 1, concurrent_limit(), times=2)
    deaf.turns(2)

    assert deaf.source.shortfall is None
    assert deaf.differences("account") == []


def test_another_org_under_the_same_places_is_refused_and_nothing_of_it_is_told(worker: Worker) -> None:
    write(worker)
    worker.turns(2)
    with served(8, org_id="00D5f0000000002EAA", clock=worker.clock) as at:
        other = Worker(at, worker.objects)
        other.known = dict(worker.known)
        with at.org.transaction() as deed:
            account(deed, "Foreign")
        with pytest.raises(Misconfigured, match="00D5f0000000002EA"):
            other.turns(2)
        other.close()

        assert not other.tables


def test_an_object_that_the_user_may_not_see_keeps_no_other_from_being_read() -> None:
    with served() as at:
        worker = Worker(at, wanted("Account", "Secret__c"), hears=False)
        write(worker)
        worker.turns(2)
        worker.close()

        assert isinstance(worker.source.shortfall, Misconfigured)
        assert set(worker.source.vouched()) == {"account"}
        assert worker.differences("account") == []


def test_nothing_is_vouched_for_that_was_not_told(deaf: Worker) -> None:
    """Whatever was committed up to the moment that is vouched for has been told by then."""
    seen: list[tuple[datetime, str, str]] = []
    deaf.org.witnesses.append(
        lambda at, rows: seen.extend((at, of, str(row["SystemModstamp"])) for _, of, row in rows if row)
    )
    ids = [write(deaf) for _ in range(3)]
    for at in range(12):
        late = deaf.org.begin()
        late.update("Account", ids[at % 3], {"Phone": str(at)})
        if at % 4 == 0:
            deaf.turn(40.0)
        late.commit()
        deaf.turn(30.0)
        vouched, told = deaf.source.vouched(), _told(deaf)
        for committed, id_, stamp in seen:
            object_ = "account" if id_.startswith("001") else "opportunity"
            if object_ in vouched and committed <= vouched[object_]:
                assert told[id_] >= stamp

    assert deaf.source.vouched()["account"] > seen[-4][0], "and it does come forward"


def _told(worker: Worker) -> dict[str, str]:
    """By id, the newest stamp of all that was told of it."""
    newest: defaultdict[str, str] = defaultdict(str)
    for tables in worker.tables.values():
        for table in tables:
            if "SystemModstamp" in table.column_names:
                for id_, stamp in zip(table["Id"].to_pylist(), table["SystemModstamp"].to_pylist(), strict=True):
                    newest[id_] = max(newest[id_], stamp or "")
    return newest
