"""Metrics: readings of the ledger and the warehouse for a monitoring system, each time anew. Nothing is kept for them.

They are the figures of `tieout status` that can be asked every minute; what looks at every row is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Literal

from ..ledger.facts import Certified
from ..merge.reading import Quantiles
from ..merge.warehouse import Reader
from ..quality.exposition import Family, Sample, Value
from ..quality.freshness import Kept
from .figures import counted
from .freshness import stages
from .house import House
from .status import LaneStatus, Report, StreamStatus, report

_STATES = ("new", "complete", "partial", "paused", "failed")
_OUTCOMES = ("new", "complete", "partial", "failed")
_CERTIFIED = ("complete", "partial", "broken")

_Samples = Sequence[tuple[Mapping[str, str], Value | None]]
"""Labels and values; None where a figure is not known."""
_OfStream = Callable[[StreamStatus], _Samples]
_OfLane = Callable[[LaneStatus], _Samples]


def metrics(house: House, reader: Reader) -> tuple[Family, ...]:
    """Of all streams and lanes of the project. Raises Transient while the warehouse cannot be asked."""
    found, now = report(house, reader, only=None, read=counted), house.tools.clock.now()
    about = {"project": house.project.name, "version": version("tieout")}
    return (
        Family("tieout_info", "gauge", "The project and the version of tieout; always 1.", (Sample(about, 1),)),
        Family(
            "tieout_metrics_timestamp_seconds", "gauge", "When all of this was read.", (Sample({}, now.timestamp()),)
        ),
        *_of_books(found),
        *_of_freshness(found),
        *_of_certificates(found, now),
        *_of_lanes(found),
    )


def _of_books(found: Report) -> Iterator[Family]:
    def counter(account: str, help_: str) -> Family:
        return _streams(found, f"tieout_{account}_changes_total", help_, _account(account), kind="counter")

    def gauge(account: str, help_: str) -> Family:
        return _streams(found, f"tieout_{account}_changes", help_, _account(account))

    yield _streams(found, "tieout_stream_state", "1 for the state that the stream is in.", _state)
    yield counter("received", "Changes that landed.")
    yield counter("accepted", "Changes that became history.")
    yield counter("duplicate", "Changes that had been received before.")
    yield gauge("quarantined", "Changes that wait in quarantine.")
    yield gauge("pending", "Changes that landed and are not merged.")
    yield _streams(found, "tieout_books_balanced", "1 if every change received is accounted for.", _balanced)
    yield _streams(found, "tieout_open_obligations", "What is not known for certain.", _open)
    yield _streams(found, "tieout_open_obligations_by_reason", "The same, by reason.", _open_by)
    yield _streams(
        found, "tieout_quarantine_oldest_age_seconds", "How long ago the oldest row in quarantine landed.", _oldest
    )


def _of_freshness(found: Report) -> Iterator[Family]:
    yield _streams(
        found, "tieout_latency_seconds", "How long events took to each stage, of those merged lately.", _latency
    )
    yield _streams(found, "tieout_latency_events", "Of how many events that was measured.", _latency_events)
    yield _streams(
        found, "tieout_events_ahead", "Events that the source dates after their landing, lately.", _latency_ahead
    )
    yield _streams(
        found,
        "tieout_complete_through_timestamp_seconds",
        "All that the source had then is in the tables; missing where that is not known.",
        lambda one: [({}, _seconds(one.fresh.complete.through))],
    )
    yield _streams(
        found,
        "tieout_complete_known",
        "1 if it is known through when the stream is complete.",
        lambda one: [({}, int(one.fresh.complete.through is not None))],
    )
    yield _streams(
        found,
        "tieout_held_back",
        "What holds a stream back, by reason: how many changes or keys, 1 where it is the stream.",
        lambda one: [({"reason": hold.reason}, hold.count or 1) for hold in one.fresh.complete.holds],
    )
    yield _streams(
        found,
        "tieout_promise_seconds",
        "What the contract promises.",
        lambda one: [({"promise": kept.promise.about}, kept.promise.seconds) for kept in _strictest(one)],
    )
    yield _streams(
        found,
        "tieout_promise_holds",
        "1 if the promise holds, 0 if not; missing where that is not known.",
        lambda one: [
            ({"promise": kept.promise.about}, None if kept.holds is None else int(kept.holds))
            for kept in _strictest(one)
        ],
    )


def _of_certificates(found: Report, now: datetime) -> Iterator[Family]:
    yield _streams(found, "tieout_certificate_state", "1 for the state of the last certificate.", _certificate)
    yield _streams(
        found,
        "tieout_certificate_timestamp_seconds",
        "When the stream was last certified.",
        lambda one: [({}, None if one.certified is None else one.certified.at.timestamp())],
    )
    yield _streams(
        found,
        "tieout_certificate_age_seconds",
        "How long ago that was.",
        lambda one: [({}, None if one.certified is None else (now - one.certified.at).total_seconds())],
    )


def _of_lanes(found: Report) -> Iterator[Family]:
    yield _lanes(
        found,
        "tieout_lane_outcome",
        "1 for how the last pass over the source ended.",
        lambda one: _one_of("outcome", one.outcome, _OUTCOMES),
    )
    yield _lanes(
        found,
        "tieout_lane_ended_timestamp_seconds",
        "When the book was last told how a pass over the source had ended.",
        lambda one: [({}, _seconds(one.at))],
    )
    yield _lanes(
        found,
        "tieout_lane_read_through_timestamp_seconds",
        "All that the source had then has landed; missing where that is not known.",
        lambda one: [({}, _seconds(one.through))],
    )


def _streams(
    found: Report, name: str, help_: str, of: _OfStream, *, kind: Literal["counter", "gauge"] = "gauge"
) -> Family:
    samples = (
        Sample({"stream": str(stream.stream), **labels}, value)
        for stream in found.streams
        for labels, value in of(stream)
        if value is not None
    )
    return Family(name, kind, help_, tuple(samples))


def _lanes(found: Report, name: str, help_: str, of: _OfLane) -> Family:
    samples = (
        Sample({"lane": lane.lane, **labels}, value)
        for lane in found.lanes
        for labels, value in of(lane)
        if value is not None
    )
    return Family(name, "gauge", help_, tuple(samples))


def _account(account: str) -> _OfStream:
    return lambda one: [({}, None if one.books is None else getattr(one.books, account).count)]


def _state(one: StreamStatus) -> _Samples:
    return _one_of("state", one.state, _STATES)


def _balanced(one: StreamStatus) -> _Samples:
    return [({}, None if one.books is None else int(one.books.balanced))]


def _open(one: StreamStatus) -> _Samples:
    return [({}, None if one.figures is None else one.figures.open_total)]


def _open_by(one: StreamStatus) -> _Samples:
    if one.figures is None:
        return []
    return [({"reason": open_.reason}, open_.count) for open_ in one.figures.open_since]


def _oldest(one: StreamStatus) -> _Samples:
    done = one.fresh.complete
    since = next((hold.since for hold in done.holds if hold.reason == "quarantined"), None)
    return [({}, None if since is None else (done.now - since).total_seconds())]


def _latency(one: StreamStatus) -> _Samples:
    return [
        ({"stage": stage, "quantile": quantile}, value)
        for stage, found in stages(one.fresh.latencies).items()
        for quantile, value in _quantiles(found).items()
    ]


def _quantiles(found: Quantiles) -> dict[str, float | None]:
    return {"0.5": found.p50, "0.95": found.p95, "0.99": found.p99}


def _latency_events(one: StreamStatus) -> _Samples:
    return [({"stage": stage}, found.of) for stage, found in stages(one.fresh.latencies).items()]


def _latency_ahead(one: StreamStatus) -> _Samples:
    return [({}, one.fresh.latencies.ahead)]


def _certificate(one: StreamStatus) -> _Samples:
    if one.certified is None:
        return []
    assert isinstance(one.certified.fact, Certified), "only Certified was asked for"
    return _one_of("state", one.certified.fact.state, _CERTIFIED)


def _strictest(one: StreamStatus) -> list[Kept]:
    """Of what is promised twice, the promise that is harder to keep."""
    by_about: dict[str, Kept] = {}
    for kept in sorted(one.fresh.kept, key=lambda kept: -kept.promise.seconds):
        by_about[kept.promise.about] = kept
    return list(by_about.values())


def _one_of(label: str, word: str, words: tuple[str, ...]) -> _Samples:
    """1 for the word that it is, 0 for every other: so that a change of state is seen."""
    return [({label: one}, int(one == word)) for one in words]


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
