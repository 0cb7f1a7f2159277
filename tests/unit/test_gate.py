"""The gate: it is open only while all that a mart needs is certified and recent, and says in words why it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tieout.base.duration import duration, seconds_of
from tieout.base.stream import Stream
from tieout.quality.chain import Chain
from tieout.quality.gate import Gate, judge

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ORDERS, LINES = Stream("shop", "orders"), Stream("shop", "lines")
REVENUE = Gate("revenue", (ORDERS, LINES), within_seconds=86_400)


def certified(*states: str, hours_ago: float = 1.0, **more: Any) -> Chain:
    chain = Chain()
    for number, state in enumerate(states):
        at = NOW - timedelta(hours=hours_ago + len(states) - 1 - number)
        report = {"state": state, "cut": {"at": at.isoformat()}, "reasons": [], "hint": "", **more}
        chain = Chain((*chain.links, chain.following(at, report)))
    return chain


def test_it_is_open_when_all_is_complete_and_recent() -> None:
    verdict = judge(REVENUE, {ORDERS: certified("complete"), LINES: certified("complete", hours_ago=3)}, NOW)

    assert verdict.is_open
    assert verdict.complete_through == NOW - timedelta(hours=3)


def test_a_stream_that_was_never_certified_closes_it() -> None:
    verdict = judge(REVENUE, {ORDERS: certified("complete")}, NOW)

    assert [(one.stream, one.why) for one in verdict.closed] == [(LINES, "It was never certified.")]
    assert verdict.complete_through is None


@pytest.mark.parametrize("state", ["partial", "broken"])
def test_the_newest_counts_and_its_reasons_are_told(state: str) -> None:
    broken = certified("complete", state, reasons=["3 rows differ."], hint="Do this.")

    verdict = judge(REVENUE, {ORDERS: broken, LINES: certified("complete")}, NOW)

    (closed,) = verdict.closed
    assert closed.why == f"At 2026-05-02 11:00 UTC it was {state}: 3 rows differ."
    assert closed.hint == "Do this."
    assert verdict.complete_through == NOW - timedelta(hours=2)


def test_an_old_certificate_closes_it_and_a_second_earlier_does_not() -> None:
    old = {ORDERS: certified("complete", hours_ago=24.001), LINES: certified("complete", hours_ago=24)}

    (closed,) = judge(REVENUE, old, NOW).closed

    assert closed.stream == ORDERS
    assert "24 hours ago" in closed.why


def test_certificates_that_were_altered_open_nothing() -> None:
    altered = Chain(certified("complete").links, ("Certificate 1 is not what it was.",))

    verdict = judge(REVENUE, {ORDERS: altered, LINES: certified("complete")}, NOW)

    assert not verdict.is_open
    assert "altered" in verdict.closed[0].why


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7 d", 604_800)])
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "h", "1.5h", "-1h", "1w", "24"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a whole number"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (7_300, "2 hours"), (200_000, "2 days")],
)
def test_a_duration_is_told_in_one_unit(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_what_was_compared_in_parts_since_is_not_trusted_for_ever() -> None:
    def since(days: float) -> dict[Stream, Chain]:
        told = {"since": {"number": 1, "at": (NOW - timedelta(days=days)).isoformat()}}
        return {ORDERS: certified("complete", **told), LINES: certified("complete")}

    assert judge(REVENUE, since(7), NOW).is_open
    (closed,) = judge(REVENUE, since(7.001), NOW).closed
    assert (
        closed.why == "All of it was last compared 7 days ago, since then only what changed; the gate asks for 7 days."
    )
