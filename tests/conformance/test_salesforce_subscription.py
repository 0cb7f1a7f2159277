"""A subscription keeps its stream open, asks for no more than it may, and loses nothing: against a server of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import grpc
import pytest

from tests.salesforce_pubsub import Asked, Org, Token, serving
from tieout.base.errors import Misconfigured, Rejected, TieoutError, Transient
from tieout.capture.salesforce.events.messages import CUSTOM, EARLIEST, LATEST
from tieout.capture.salesforce.events.received import Batch
from tieout.capture.salesforce.events.subscription import Subscription
from tieout.capture.salesforce.events.verdict import DeliveryLimit, ReplayExpired, TopicUnknown

TOPIC = "/data/ChangeEvents"
WAIT_SECONDS = 10.0


class Shifted:
    """A clock that goes only when it is told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


class Tokens:
    """`access-1`, and another one each time that one was refused."""

    def __init__(self) -> None:
        self.renewals = 0

    def token(self) -> Token:
        return Token(f"access-{self.renewals}")

    def renew(self, expired: Token) -> Token:
        assert expired == self.token()
        self.renewals += 1
        return self.token()


@contextmanager
def subscribed(org: Org, clock: Shifted | None = None, **options: Any) -> Iterator[tuple[Subscription, Tokens]]:
    tokens = Tokens()
    with serving(org):
        subscription = Subscription(
            org.endpoint, TOPIC, tokens.token, renew=tokens.renew, clock=clock or Shifted(), pauses_seconds=(0.01,) * 3,
            **options,
        )  # fmt: skip
        try:
            yield subscription, tokens
        finally:
            subscription.close()


def ids(batch: Batch) -> list[bytes]:
    return [event.replay_id for event in batch.events]


def taken(subscription: Subscription, count: int, *, at_once: int = 1_000) -> list[bytes]:
    """So many events, in as many turns as it takes."""
    found: list[bytes] = []
    for _ in range(1_000):
        found += ids(subscription.take(min(at_once, count - len(found)), WAIT_SECONDS))
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} of {count} events came")


def failure(subscription: Subscription) -> TieoutError:
    for _ in range(20):
        try:
            subscription.take(10, WAIT_SECONDS)
        except TieoutError as error:
            return error
    raise AssertionError("nothing was raised")


def numbered(start: int, count: int) -> list[bytes]:
    return [b"%05d" % number for number in range(start, start + count)]


def telling(events: list[bytes], *, at_once: int = 7, then: Callable[[Asked], Any] = Asked.hang) -> Callable[..., Any]:
    """A stream of these events, a few an answer, and what comes behind them."""

    def deed(asked: Asked) -> Iterator[Any]:
        for start in range(0, len(events), at_once):
            piece = events[start : start + at_once]
            asked.until_credit(len(piece))
            yield asked.answer(*piece)
        then(asked)

    return deed


def test_events_come_in_their_order_with_the_id_to_go_on_behind() -> None:
    with subscribed(Org(telling(numbered(0, 30)))) as (subscription, _):
        subscription.start(None, earliest=True)

        first = subscription.take(1, WAIT_SECONDS)
        found = taken(subscription, 29)
        after = subscription.take(1, 0.05)

    assert ids(first) + found == numbered(0, 30)
    assert (first.events[0].schema_id, first.events[0].payload) == ("s", b"payload 00000")
    assert (first.latest_replay_id, after.latest_replay_id) == (b"00000", b"00029")


@pytest.mark.parametrize(
    ("replay", "earliest", "preset"), [(None, False, LATEST), (None, True, EARLIEST), (b"abc", True, CUSTOM)]
)
def test_a_stream_begins_where_it_was_told(replay: bytes | None, earliest: bool, preset: int) -> None:
    org = Org(telling([b"x"]))
    with subscribed(org) as (subscription, _):
        subscription.start(replay, earliest)
        taken(subscription, 1)

    first = org.streams[0].first
    assert (first.topic_name, first.replay_preset, first.replay_id) == (TOPIC, preset, replay or b"")
    said = {"accesstoken": "access-0", "instanceurl": Token("").instance_url, "tenantid": Token("").org_id}
    assert org.streams[0].metadata.items() >= said.items()


def test_no_more_than_a_hundred_are_ever_asked_for() -> None:
    org = Org(telling(numbered(0, 2_000)))
    with subscribed(org) as (subscription, _):
        subscription.start(None, earliest=True)
        found = taken(subscription, 2_000, at_once=37)

    assert found == numbered(0, 2_000)
    assert org.streams[0].credit_max == 100


def test_credit_is_renewed_while_nobody_takes_until_the_queue_is_full() -> None:
    sent: SimpleQueue[bool] = SimpleQueue()

    def deed(asked: Asked) -> Iterator[Any]:
        for replay_id in numbered(0, 300):
            asked.until_credit(1)
            yield asked.answer(replay_id)
        sent.put(True)
        for replay_id in numbered(300, 200):
            asked.until_credit(1)
            yield asked.answer(replay_id)
        asked.hang()

    with subscribed(Org(deed), queue_events_max=300) as (subscription, _):
        subscription.start(None, earliest=True)
        sent.get(timeout=WAIT_SECONDS)
        found = taken(subscription, 500, at_once=50)

    assert found == numbered(0, 500)


def test_a_full_queue_lets_the_stream_end_and_goes_on_behind_it() -> None:
    """The org ends a stream that asks for nothing."""
    org = Org(telling(numbered(0, 40), then=lambda asked: None), telling(numbered(40, 20)))
    with subscribed(org, queue_events_max=40) as (subscription, _):
        subscription.start(None, earliest=True)
        found = taken(subscription, 60, at_once=25)

    assert found == numbered(0, 60)
    assert org.streams[1].first.replay_id == b"00039"
    assert max(stream.credit_max for stream in org.streams) <= 40


def test_an_empty_answer_says_that_all_is_told_and_hands_its_id_on() -> None:
    def deed(asked: Asked) -> Iterator[Any]:
        yield asked.answer(b"1")
        yield asked.answer(latest=b"kept-alive")
        asked.hang()

    with subscribed(Org(deed)) as (subscription, _):
        subscription.start(b"0")
        batches = [subscription.take(10, WAIT_SECONDS)]
        while not batches[-1].is_caught_up:
            batches.append(subscription.take(10, 0.2))

    assert [replay_id for batch in batches for replay_id in ids(batch)] == [b"1"]
    assert batches[-1].latest_replay_id == b"kept-alive"


def test_silence_with_credit_says_that_all_is_told() -> None:
    with subscribed(Org(telling([b"1"]))) as (subscription, _):
        subscription.start(b"0")
        first = subscription.take(1, WAIT_SECONDS)
        second = subscription.take(1, 0.05)

    assert (ids(first), first.is_caught_up) == ([b"1"], False)
    assert (second, second.is_caught_up) == (Batch((), b"1", True), True)


def test_nobody_is_caught_up_who_was_never_answered() -> None:
    away = Subscription("localhost:1", TOPIC, Tokens().token, clock=Shifted(), pauses_seconds=(5.0,))
    away.start(b"0")
    try:
        assert away.take(1, 0.05) == Batch((), b"0", False)
    finally:
        away.close()


def test_a_stream_that_falls_silent_is_opened_again_behind_the_last_event() -> None:
    clock = Shifted()
    org = Org(telling([b"1", b"2"]), telling([b"3"]))
    with subscribed(org, clock) as (subscription, _):
        subscription.start(None, earliest=True)
        before = taken(subscription, 2)
        clock.at += timedelta(seconds=151)
        after = taken(subscription, 1)

    assert (before, after) == ([b"1", b"2"], [b"3"])
    assert (org.streams[1].first.replay_preset, org.streams[1].first.replay_id) == (CUSTOM, b"2")


def test_a_topic_that_is_silent_for_hours_is_no_failure() -> None:
    clock = Shifted()
    org = Org(telling([]))
    with subscribed(org, clock) as (subscription, _):
        subscription.start(b"0")
        for count in range(1, 9):
            while len(org.streams) < count:
                subscription.take(1, 0.01)
            clock.at += timedelta(seconds=151)
        batch = subscription.take(1, 0.01)

    assert batch.events == ()
    assert {stream.first.replay_id for stream in org.streams} == {b"0"}


def test_a_stream_that_breaks_is_opened_again_behind_the_id_of_an_empty_answer() -> None:
    def breaking(asked: Asked) -> Iterator[Any]:
        yield asked.answer(latest=b"idle")
        asked.refuse("service.unavailable", grpc.StatusCode.UNAVAILABLE)

    org = Org(breaking, telling([b"3"]))
    with subscribed(org) as (subscription, _):
        subscription.start(b"0")
        taken(subscription, 1)

    assert org.streams[1].first.replay_id == b"idle"


def test_an_expired_token_is_renewed_and_the_stream_goes_on() -> None:
    org = Org(telling([b"1"]))
    org.expired = {"access-0"}
    with subscribed(org) as (subscription, tokens):
        subscription.start(b"0")
        found = taken(subscription, 1)

    assert (found, tokens.renewals) == ([b"1"], 1)
    assert [asked["accesstoken"] for asked in org.unary] == ["access-0", "access-1"]
    assert [stream.metadata["accesstoken"] for stream in org.streams] == ["access-1"]


def test_a_token_that_expires_in_the_middle_is_renewed_each_time() -> None:
    def expiring(asked: Asked) -> Iterator[Any]:
        yield asked.answer(b"1")
        asked.refuse("service.auth.error", grpc.StatusCode.UNAUTHENTICATED)

    org = Org(expiring, expiring, telling([b"2"]))
    with subscribed(org) as (subscription, tokens):
        subscription.start(b"0")
        found = taken(subscription, 3)

    assert (found, tokens.renewals) == ([b"1", b"1", b"2"], 2)


def test_a_new_token_that_is_refused_too_is_a_setting_and_is_not_told() -> None:
    org = Org(telling([b"1"]))
    org.expired = {"access-0", "access-1"}
    with subscribed(org) as (subscription, _):
        subscription.start(b"0")
        error = failure(subscription)

    assert isinstance(error, Misconfigured)
    assert "access-" not in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("subscription.fetch.replayid.corrupted", ReplayExpired),
        ("subscription.fetch.replayid.validation.failed", ReplayExpired),
        ("topic.not.found", TopicUnknown),
        ("subscription.limit.exceeded", DeliveryLimit),
        ("service.tenant.license", Misconfigured),
        ("service.protection.triggered", Transient),
        ("service.unavailable", Transient),
    ],
)
def test_a_refusal_is_raised_where_events_are_taken(code: str, kind: type[TieoutError]) -> None:
    with subscribed(Org(lambda asked: iter([asked.refuse(code)]))) as (subscription, _):
        subscription.start(b"0")
        error = failure(subscription)

    assert type(error) is kind
    assert code in str(error)
    assert "rpc-7" in str(error)
    assert error.hint


def test_what_was_heard_before_an_error_is_taken_first() -> None:
    def deed(asked: Asked) -> Iterator[Any]:
        yield asked.answer(b"1")
        asked.refuse("subscription.limit.exceeded")

    with subscribed(Org(deed)) as (subscription, _):
        subscription.start(b"0")
        found = taken(subscription, 1)
        error = failure(subscription)

    assert found == [b"1"]
    assert isinstance(error, DeliveryLimit)


def test_after_an_expired_id_it_goes_on_from_the_earliest() -> None:
    org = Org(lambda asked: iter([asked.refuse("subscription.fetch.replayid.corrupted")]), telling([b"1"]))
    with subscribed(org) as (subscription, _):
        subscription.start(b"old")
        error = failure(subscription)
        subscription.start(None, earliest=True)
        found = taken(subscription, 1)

    assert (type(error), found) == (ReplayExpired, [b"1"])


def test_an_overflow_is_answered_with_less_credit() -> None:
    org = Org(lambda asked: iter([asked.refuse("subscription.fetch.overflow")]), telling(numbered(0, 200), at_once=5))
    with subscribed(org) as (subscription, _):
        subscription.start(b"0")
        taken(subscription, 200)

    assert [stream.credit_max for stream in org.streams] == [100, 50]


def test_a_stream_that_breaks_again_and_again_is_given_up() -> None:
    org = Org(lambda asked: iter(()))
    with subscribed(org) as (subscription, _):
        subscription.start(b"0")
        error = failure(subscription)

    assert type(error) is Transient
    assert len(org.streams) == 4


def test_schemas_and_topics_are_asked_for_beside_the_stream() -> None:
    org = Org(telling([b"1"]), schemas={"s": "{}"})
    org.expired = {"access-0"}
    with subscribed(org) as (subscription, tokens):
        answers = (subscription.schema("s"), subscription.topic_info(TOPIC), subscription.topic_info("/data/Other"))

    assert answers == ("{}", True, False)
    assert tokens.renewals == 1


def test_a_schema_that_the_org_does_not_know_is_refused() -> None:
    with subscribed(Org(telling([b"1"]))) as (subscription, _), pytest.raises(Rejected):
        subscription.schema("other")


def test_an_org_that_is_away_is_a_matter_of_time() -> None:
    away = Subscription("localhost:1", TOPIC, Tokens().token, clock=Shifted())

    with pytest.raises(Transient):
        away.schema("s")
    away.close()
