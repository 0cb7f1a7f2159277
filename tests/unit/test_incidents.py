"""Incidents: of many symptoms the cause is told, once, and whatever it explains stands beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tieout.base.stream import Stream
from tieout.contract.owner import Owner
from tieout.quality.incident import EXPLAINS, SEVERITIES, Cause, Severity, Told, Trouble, incidents, notices

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
STREAMS = [Stream(lane, object_) for lane in ("shop", "erp") for object_ in ("orders", "lines")]


def trouble(cause: Cause, stream: Stream | None, lane: str = "shop") -> Trouble:
    return Trouble(cause, stream.source if stream else lane, stream, NOON, "It is so.", "Do this.")


def test_a_source_that_is_away_is_one_incident_and_not_one_a_stream() -> None:
    late = [trouble(Cause.UNPROVEN, stream) for stream in STREAMS]

    away, *others = incidents([*late, trouble(Cause.SOURCE, None)])

    assert away.id == "source:shop"
    assert away.affects == ("shop.lines", "shop.orders")
    assert sorted(one.id for one in others) == ["unproven:erp.lines", "unproven:erp.orders"]


def test_what_follows_from_what_follows_has_the_first_cause() -> None:
    orders = STREAMS[0]
    chain = [trouble(cause, orders) for cause in (Cause.UNPROVEN, Cause.DIFFERS, Cause.BOOKS)]

    (found,) = incidents(chain)

    assert found.trouble.cause is Cause.BOOKS
    assert [one.cause for one in found.explained] == [Cause.DIFFERS, Cause.UNPROVEN]
    assert found.affects == ()


def test_a_check_that_failed_does_not_hide_that_nothing_was_certified() -> None:
    found = incidents([trouble(Cause.UNPROVEN, STREAMS[0]), trouble(Cause.CHECK, STREAMS[0])])

    assert [one.id for one in found] == ["check:shop.orders", "unproven:shop.orders"]


def test_those_that_page_come_first() -> None:
    found = incidents([trouble(Cause.QUARANTINE, STREAMS[0]), trouble(Cause.DIFFERS, STREAMS[3])])

    assert [one.severity for one in found] == [Severity.PAGE, Severity.WARN]


def test_nothing_explains_itself_or_what_stands_before_it() -> None:
    order = list(Cause)

    assert SEVERITIES.keys() == set(Cause)
    assert all(order.index(cause) < order.index(other) for cause, others in EXPLAINS.items() for other in others)


def test_nothing_is_explained_by_what_is_less_grave() -> None:
    """Who hears of pages alone would not hear of it."""
    by_warnings = [others for cause, others in EXPLAINS.items() if SEVERITIES[cause] is Severity.WARN]

    assert by_warnings
    assert not [other for others in by_warnings for other in others if SEVERITIES[other] is Severity.PAGE]


def test_what_is_of_no_source_explains_in_all_of_them() -> None:
    unread = Trouble(Cause.WAREHOUSE, None, None, NOON, "It is damaged.", "Move it away.")
    owners = {STREAMS[0]: Owner(("Ann",)), STREAMS[2]: Owner(("Bob",))}

    (found,) = incidents([unread, *(trouble(Cause.UNPROVEN, stream) for stream in STREAMS)], owners)

    assert found.id == "warehouse:project"
    assert len(found.affects) == len(STREAMS)
    assert found.owner == Owner(("Bob", "Ann"))


@given(st.sets(st.tuples(st.sampled_from(Cause), st.sampled_from([None, *STREAMS]))))
def test_every_trouble_is_in_one_incident_and_no_more(found: set[tuple[Cause, Stream | None]]) -> None:
    troubles = [trouble(cause, stream) for cause, stream in found]

    told = [one for incident in incidents(troubles) for one in (incident.trouble, *incident.explained)]

    assert sorted(told, key=repr) == sorted(troubles, key=repr)


def test_nobody_hears_twice_of_what_lasts_and_everybody_of_its_end() -> None:
    away = incidents([trouble(Cause.SOURCE, None)])
    (opened,) = notices(away, [])

    assert (opened.event, opened.id, opened.title) == ("opened", "source:shop", "Incident: source:shop")
    assert notices(away, [Told("source:shop", "opened")]) == ()
    assert [one.event for one in notices([], [Told("source:shop", "opened")])] == ["recovered"]
    assert notices([], [Told("source:shop", "opened"), Told("source:shop", "recovered")]) == ()
    assert len(notices(away, [Told("source:shop", "opened"), Told("source:shop", "recovered")])) == 1


def test_who_wants_to_be_woken_only_is_not_told_of_warnings() -> None:
    found = incidents([trouble(Cause.QUARANTINE, STREAMS[0]), trouble(Cause.DIFFERS, STREAMS[3])])

    assert [one.id for one in notices(found, [], least=Severity.PAGE)] == [f"differs:{STREAMS[3]}"]
    assert len(notices(found, [], least=Severity.WARN)) == 2


def test_a_notice_says_what_it_is_what_it_affects_since_when_and_what_mends_it() -> None:
    (away,) = incidents([trouble(Cause.SOURCE, None), trouble(Cause.UNPROVEN, STREAMS[0])])

    (notice,) = notices([away], [])

    assert notice.text.splitlines() == [
        "It is so.",
        "It affects shop.orders.",
        "Since 2026-05-01 12:00 UTC.",
        "Do this.",
        "See docs/operate/runbooks/source.md.",
    ]


def test_an_incident_names_the_owner_of_its_stream_and_nobody_where_there_is_none() -> None:
    orders, lines = STREAMS[:2]
    ann = Owner(("Ann",), ("#orders",))

    found = incidents([trouble(Cause.BOOKS, orders), trouble(Cause.BOOKS, lines)], {orders: ann})

    owned, unowned = sorted(found, key=lambda one: one.owner is None)
    assert (owned.trouble.stream, owned.owner, unowned.owner) == (orders, ann, None)
    assert [one.text.splitlines()[2:3] for one in notices([owned], [])] == [["Owner: Ann, #orders."]]
    assert all("Owner" not in one.text for one in notices([unowned], []))


def test_the_incident_of_a_source_names_the_owners_of_all_its_streams_once() -> None:
    owners = {
        STREAMS[0]: Owner(("Ann",), ("#data",)),
        STREAMS[1]: Owner(("Bob",), ("#data",)),
        STREAMS[2]: Owner(("Eve",)),
    }

    (away,) = incidents([trouble(Cause.SOURCE, None)], owners)

    assert away.owner == Owner(("Bob", "Ann"), ("#data",))


def test_what_is_only_explained_by_another_cause_is_not_said_to_be_over() -> None:
    """That a stream is stuck explains that it differs; its figures are as wrong as before."""
    differs, stuck = trouble(Cause.DIFFERS, STREAMS[0]), trouble(Cause.STUCK, STREAMS[0])
    before = [Told("differs:shop.orders", "opened")]

    told = notices(incidents([differs, stuck]), before)
    later = notices(incidents([differs]), [*before, Told("stuck:shop.orders", "opened")])

    assert [(one.event, one.id) for one in told] == [("opened", "stuck:shop.orders")]
    assert [(one.event, one.id) for one in later] == [("recovered", "stuck:shop.orders")]


def test_what_nobody_could_look_at_is_not_said_to_be_over() -> None:
    before = [Told("books:shop.orders", "opened"), Told("source:shop", "opened")]

    told = notices([], before, unseen={Cause.BOOKS})

    assert [(one.event, one.id) for one in told] == [("recovered", "source:shop")]


def test_an_incident_that_grows_is_told_with_what_is_new_and_once() -> None:
    def failed(*names: str) -> Trouble:
        return Trouble(Cause.CHECK, "shop", STREAMS[0], None, f"Failed: {', '.join(names)}.", "See it.", names)

    (first,) = notices(incidents([failed("a")]), [])
    before = [Told(first.id, first.event, first.parts)]
    (second,) = notices(incidents([failed("a", "b")]), before)
    after = [*before, Told(second.id, second.event, second.parts)]

    assert (second.event, second.title) == ("grew", "Incident grew: check:shop.orders")
    assert second.text.splitlines()[:2] == ["New: b.", "Failed: a, b."]
    assert notices(incidents([failed("a", "b")]), after) == notices(incidents([failed("b")]), after) == ()
    assert [one.event for one in notices([], after)] == ["recovered"]
    (anew,) = notices(incidents([failed("b")]), [*after, Told(second.id, "recovered")])
    assert anew.event == "opened"


def test_what_warns_hides_nothing_that_pages() -> None:
    differs, paused = trouble(Cause.DIFFERS, STREAMS[0]), trouble(Cause.PAUSED, STREAMS[0])

    told = notices(incidents([differs, paused]), [], least=Severity.PAGE)

    assert [one.event for one in told] == ["opened"]


def test_who_wants_to_hear_less_from_now_on_is_not_told_that_it_is_over() -> None:
    waiting = incidents([trouble(Cause.QUARANTINE, STREAMS[0])])

    assert notices(waiting, [Told("quarantine:shop.orders", "opened")], least=Severity.PAGE) == ()
