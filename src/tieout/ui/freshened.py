"""Freshness, drawn: through which moment each stream is complete, how long ago that is, and what holds it back.

What is not known is told as not known, with its reason; nothing stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from ..merge.reading import Latencies, Quantiles
from ..quality.freshness import Complete, Hold, Kept
from ..run.freshness import Fresh, stages
from ..run.status import StreamStatus
from .paint import grid, moment, safe, seconds, several, state

_STAGES = {
    "landed": "until landed",
    "merged": "from there until merged",
    "readable": "until it could be read",
    "certified": "from there until certified",
}


def overview(streams: Sequence[StreamStatus]) -> Table:
    """A line for each stream."""
    table = grid("stream", "complete through", "ago", "promise", "held back by", right=("ago",))
    for stream in streams:
        done = stream.fresh.complete
        table.add_row(
            safe(str(stream.stream)),
            _through(done),
            seconds(done.age_seconds),
            _promises(stream.fresh.kept),
            _holds(done),
        )
    return table


def detail(fresh: Fresh) -> list[tuple[str, Text]]:
    """All of it, of one stream, as names and what is told of them."""
    done = fresh.complete
    told = [("complete", Text.assemble("through ", _through(done), ", ", seconds(done.age_seconds), " ago"))]
    if done.through is None:
        told = [("complete", Text.assemble("through ", ("unknown", "yellow"), ": ", safe(done.unknown)))]
    if done.read_through not in (None, done.through):
        told.append(("read", Text.assemble("through ", moment(done.read_through))))
    told += [("held back", safe(_hold(hold))) for hold in done.holds]
    told += [("promise", _promise(one)) for one in fresh.kept] or [("promise", Text("none", style="dim"))]
    return told + _latencies(fresh)


def _through(done: Complete) -> Text:
    return Text("unknown", style="yellow") if done.through is None else Text(_minute(done.through, done.now))


def _minute(at: datetime, now: datetime) -> str:
    """`10:42 UTC`, and the day where it is another one."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def _promises(kept: Sequence[Kept]) -> Text:
    return Text(", ").join(_promise(one) for one in kept) if kept else Text("none", style="dim")


def _promise(one: Kept) -> Text:
    """`latency 5 min holds`."""
    word = {True: ("holds", "green"), False: ("broken", "red"), None: ("not known", "yellow")}[one.holds]
    return Text.assemble(str(one.promise.about), " ", _span(one.promise.seconds), " ", word)


def _span(value: float) -> str:
    """A promise as it was written, or nearly so: `90 s`, `5 min`, `1 d`."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if value % size == 0:
            return f"{value / size:,.0f} {unit}"
    return f"{value:,g} s"


def _holds(done: Complete) -> Text:
    if done.holds:
        return safe(", ".join(f"{one.count:,} {one.reason}" if one.count else one.reason for one in done.holds))
    return safe(done.unknown)


def _hold(hold: Hold) -> str:
    since = "nobody knows since when" if hold.since is None else f"since {hold.since:%Y-%m-%d %H:%M:%S}Z"
    return f"{hold.count:,} {hold.reason}, {since}" if hold.count else f"{hold.reason} {since}"


def _latencies(fresh: Fresh) -> list[tuple[str, Text]]:
    found = fresh.latencies
    if not found.events:
        return []
    told = [("latencies", safe(_window(found)))]
    told += [(f"  {_STAGES[name]}", _quantiles(one)) for name, one in stages(found).items() if one.of]
    if fresh.share_within is not None:
        told.append(("  as promised", Text(f"{fresh.share_within:.2%} of them")))
    if found.ahead:
        told.append(("clocks", _ahead(found)))
    return told


def _window(found: Latencies) -> str:
    return f"of {several(found.events, 'event')}, merged within the last day"


def _quantiles(found: Quantiles) -> Text:
    parts = (("p50 ", found.p50), (", p95 ", found.p95), (", p99 ", found.p99))
    return Text.assemble(*(piece for name, value in parts for piece in (name, seconds(value))))


def _ahead(found: Latencies) -> Text:
    """Two clocks do not agree: what is measured between them would be too little, and is left out."""
    sooner = f": the source dates {several(found.ahead, 'event')} after the landing, by "
    return Text.assemble(state("warning"), sooner, seconds(found.ahead_seconds), " at most; its clock is ahead")
