"""Complete through: what the passes over a source prove of a stream, what holds that back, and what stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tieout.contract.promise import About, Promise
from tieout.ledger.codec import read
from tieout.ledger.facts import Ran
from tieout.quality.freshness import NEVER_READ, Complete, Hold, Pass, complete, kept

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LANDED = 3
"""The number of the stream's first Landed."""
PASSES = tuple(Pass(seq, NOON + timedelta(minutes=seq)) for seq in (1, 5, 10, 20))
NOW = NOON + timedelta(minutes=21)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def hold(reason: str, before: int | None) -> Hold:
    return Hold(reason, 1, before, None if before is None else NOON)


def found(*holds: Hold, passes: tuple[Pass, ...] = PASSES, now: datetime = NOW, untold: str = "") -> Complete:
    def passed_before(seq: int) -> Pass | None:
        return next((one for one in reversed(passes) if one.seq < seq), None)

    last = passes[-1] if passes else None
    return complete(holds, last, passed_before, first=LANDED, now=now, untold=untold)


def test_a_stream_of_which_nothing_is_held_back_is_complete_through_the_last_pass() -> None:
    done = found()

    assert (done.through, done.read_through, done.age_seconds) == (after(20), after(20), 60.0)
    assert (done.holds, done.unknown) == ((), "")


@pytest.mark.parametrize(
    ("holds", "through"),
    [
        ([hold("gap", 12)], 10),
        ([hold("gap", 10)], 5),
        ([hold("stuck", 11), hold("pending", 7), hold("quarantined", 18)], 5),
        ([hold("pending", 21)], 20),
    ],
    ids=["a hole", "at the pass itself", "several", "of what came since"],
)
def test_it_is_held_back_to_the_last_pass_before_the_first_thing_that_holds_it(holds: list[Hold], through: int) -> None:
    done = found(*holds)

    assert (done.through, done.read_through) == (after(through), after(20))
    assert done.holds == tuple(holds)


def test_a_pass_that_ended_before_the_stream_first_landed_proves_nothing_of_it() -> None:
    assert found(passes=PASSES[:1]).unknown == NEVER_READ
    assert found(passes=()).unknown == NEVER_READ

    early = found(hold("pending", 4))

    assert (early.through, early.read_through) == (None, after(20))
    assert early.unknown == "It was never proven complete: what holds it back (pending) came before a pass had ended."


def test_what_nobody_can_date_makes_it_unknown_and_says_what_that_is() -> None:
    done = found(hold("pending", 12), hold("incomplete", None))

    assert (done.through, done.age_seconds) == (None, None)
    assert done.unknown == "It is not known since when it is held back (incomplete)."


def test_a_clock_that_was_set_back_makes_it_unknown_and_no_age_is_negative() -> None:
    done = found(now=after(19))

    assert (done.through, done.age_seconds, done.read_age_seconds) == (None, None, None)
    assert (
        done.unknown == "Its source was last read at a time that is yet to come, in 60 seconds: the clock was set back."
    )


def test_what_cannot_be_told_is_answered_with_why() -> None:
    assert found(untold="Nothing of it has landed yet.") == Complete(NOW, unknown="Nothing of it has landed yet.")


def test_latency_is_promised_of_what_is_here_and_frequency_of_how_the_source_is_read() -> None:
    promises = [Promise(About.LATENCY, 300.0), Promise(About.FREQUENCY, 300.0)]

    assert [(one.found_seconds, one.holds) for one in kept(promises, found())] == [(60.0, True), (60.0, True)]
    assert [(one.found_seconds, one.holds) for one in kept(promises, found(hold("gap", 12)))] == [
        (660.0, False),
        (60.0, True),
    ]
    assert [one.holds for one in kept(promises, found(hold("gap", None)))] == [None, True]
    assert [one.holds for one in kept(promises, found(passes=()))] == [None, None]
    assert kept([], found()) == ()


def test_a_promise_holds_to_the_last_moment_of_its_time() -> None:
    assert [one.holds for one in kept([Promise(About.LATENCY, 60.0)], found())] == [True]
    assert [one.holds for one in kept([Promise(About.LATENCY, 59.9)], found())] == [False]


def test_a_pass_of_an_earlier_version_does_not_say_through_when_it_came() -> None:
    assert read("Ran", '{"lane":"erp","outcome":"complete","reason":""}') == Ran("erp", "complete", "")
