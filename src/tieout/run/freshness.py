"""How fresh each stream is: facts of the ledger and figures of the warehouse, brought to `quality/freshness.py`.

The one rule is the order of reading: the passes first, then the warehouse, then what has landed. So nothing can be
missed that had landed before a pass ended, and no pass is believed of more than was seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ..base.batch import Tally
from ..base.clock import moment_json
from ..base.errors import TieoutError
from ..base.stream import Stream
from ..contract.contract import Contract
from ..contract.drift import What
from ..contract.promise import About
from ..ledger.facts import Drifted, Freed, Landed, Paused, Ran, Resumed, Stuck
from ..ledger.ledger import Entry, Ledger
from ..merge.reading import Freshness, Latencies, Quantiles
from ..merge.readings import StreamReading
from ..quality.freshness import (
    PAUSED,
    PENDING,
    STUCK,
    Complete,
    Hold,
    Kept,
    Pass,
    complete,
    kept,
    latency_promised,
)
from .figures import Figures
from .house import House
from .postgres_config import PostgresConfig
from .project import Project

WINDOW = timedelta(hours=24)
BATCHES_MAX = 1000
"""The latencies are of the batches that were merged within the window, of more than these the last."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Of one stream: through when it is complete, whether that is as promised, and how long events took lately."""

    complete: Complete
    kept: tuple[Kept, ...]
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def share_within(self) -> float | None:
        """Of the events that could be measured, the share that was readable within the promised latency."""
        is_promised = any(one.promise.about is About.LATENCY for one in self.kept)
        return (
            self.latencies.within / self.latencies.readable.of if is_promised and self.latencies.readable.of else None
        )

    def to_json(self, ever: Freshness) -> dict[str, Any]:
        """With what is known of all events that there ever were."""
        found = self.latencies
        return {
            "p50_seconds": ever.p50_seconds,
            "p95_seconds": ever.p95_seconds,
            "newest_event": moment_json(ever.newest_event),
            "window_seconds": WINDOW.total_seconds(),
            "events": found.events,
            "ahead": found.ahead,
            "ahead_seconds": found.ahead_seconds,
            "share_within": self.share_within,
            "stages": {name: _quantiles_json(quantiles) for name, quantiles in stages(found).items()},
        }

    def complete_json(self) -> dict[str, Any]:
        found = self.complete
        return {
            "through": moment_json(found.through),
            "age_seconds": found.age_seconds,
            "read_through": moment_json(found.read_through),
            "held_by": [
                {"reason": one.reason, "count": one.count, "since": moment_json(one.since)} for one in found.holds
            ],
            "unknown": found.unknown,
        }

    def promises_json(self) -> list[dict[str, Any]]:
        return [
            {
                "promise": str(one.promise.about),
                "seconds": one.promise.seconds,
                "found_seconds": one.found_seconds,
                "holds": one.holds,
            }
            for one in self.kept
        ]


@dataclass(frozen=True, slots=True)
class Freshnesses:
    """What is asked of the ledger before the warehouse is: the last pass over each lane, and the time."""

    project: Project
    ledger: Ledger
    now: datetime
    last: Mapping[str, Entry | None]

    @classmethod
    def of(cls, house: House, lanes: Iterable[str]) -> Freshnesses:
        ledger = house.tools.ledger
        last = {lane: ledger.passed(lane) for lane in lanes}
        return cls(house.project, ledger, house.tools.clock.now(), last)

    def latencies(self, reading: StreamReading, contract: Contract) -> Latencies:
        passages = self.ledger.passages(str(contract.stream), since=self.now - WINDOW, last=BATCHES_MAX)
        return reading.latencies(passages, within=latency_promised(contract.promises))

    def each(
        self, figures: Mapping[Stream, Figures | TieoutError], landed: Mapping[Stream, Mapping[str, Entry]]
    ) -> dict[Stream, Fresh]:
        """Of every stream that has figures, or of which it is known why there are none."""
        paused, stuck = _standing(self.ledger, Paused, Resumed), _standing(self.ledger, Stuck, Freed)
        gained = _gained(self.ledger)
        fresh = {}
        for stream, found in figures.items():
            of_stream = landed.get(stream, {})
            if isinstance(found, TieoutError):
                holds, known, untold = [], Figures(), found.message
            else:
                marks = ((PAUSED, paused.get(stream)), (STUCK, stuck.get(stream)))
                holds = [Hold(name, 0, entry.seq, entry.at) for name, entry in marks if entry is not None]
                holds += _holds(found, of_stream)
                known, untold = found, self._untold(stream, found, of_stream)
            first = next((entry.seq for entry in of_stream.values()), 0)
            if (new := gained.get(stream)) is not None and self._vouches(stream.source):
                # Passes that ended before knew nothing of the column, and its rows may have held values then.
                first, untold = max(first, new.seq), untold or self._unfilled(stream, new)
            done = complete(
                holds,
                _pass(self.last[stream.source], stream),
                partial(self._passed, stream),
                first=first,
                now=self.now,
                untold=untold,
            )
            fresh[stream] = Fresh(done, kept(known.promises, done), known.latencies)
        return fresh

    def _vouches(self, lane: str) -> bool:
        """Whether the lane's source says through when it has told each object by itself."""
        entry = self.last.get(lane)
        return entry is not None and isinstance(entry.fact, Ran) and bool(entry.fact.apart)

    def _unfilled(self, stream: Stream, new: Entry) -> str:
        """Why nothing can be said of a stream that has gained a column; "" once a pass has ended since."""
        last = self.last.get(stream.source)
        assert isinstance(new.fact, Drifted), "only Drifted tells of a column"
        if last is not None and last.seq > new.seq:
            return ""
        return f"{new.fact.column} is new, and no pass has ended since: its rows may have held values before."

    def _passed(self, stream: Stream, before: int) -> Pass | None:
        return _pass(self.ledger.passed(stream.source, before=before), stream)

    def lane(self, lane: str) -> datetime | None:
        """All that the lane's source had at this moment has landed; None where no pass has proven that of all of it."""
        entry = self.last.get(lane)
        if entry is None:
            return None
        assert isinstance(entry.fact, Ran), "a pass tells it"
        return entry.fact.through or min(
            map(datetime.fromisoformat, json.loads(entry.fact.apart).values()), default=None
        )

    def _untold(self, stream: Stream, figures: Figures, landed: Mapping[str, Entry]) -> str:
        """Why nothing can be said of the stream; "" where something can."""
        if adoptable := len(figures.applied - landed.keys()):
            return f"The ledger does not know {adoptable} merged batches; the next run enters them again."
        if not landed:
            return "Nothing of it has landed yet."
        if not _is_named(self.project, stream):
            return "It is read no longer: tieout.yaml does not name it."
        if figures.lacking:
            return f"Its tables have yet to gain {', '.join(figures.lacking)}, at the next run."
        return ""


def stages(latencies: Latencies) -> dict[str, Quantiles]:
    """By name, in the order in which an event goes through them."""
    return {
        "landed": latencies.landed,
        "merged": latencies.merged,
        "readable": latencies.readable,
        "certified": latencies.certified,
    }


def received_of(entry: Entry) -> Tally:
    """How many changes this batch holds."""
    assert isinstance(entry.fact, Landed), "a Landed tells it"
    return entry.fact.received


def _holds(figures: Figures, landed: Mapping[str, Entry]) -> list[Hold]:
    """What has landed and is not merged, and what is not known for certain of what is."""
    holds = []
    pending = [entry for batch, entry in landed.items() if batch not in figures.applied]
    if pending:
        changes = sum(received_of(entry).count for entry in pending)
        holds.append(Hold(PENDING, changes, pending[0].seq, pending[0].at))
    for one in figures.open_since:
        made = sorted((landed[batch] for batch in one.batches if batch in landed), key=_seq)
        is_known = bool(made) and not one.undated
        holds.append(Hold(one.reason, one.count, made[0].seq if is_known else None, made[0].at if is_known else None))
    return holds


def _seq(entry: Entry) -> int:
    return entry.seq


def _pass(entry: Entry | None, stream: Stream) -> Pass | None:
    """What a pass proves of a stream."""
    if entry is None:
        return None
    assert isinstance(entry.fact, Ran), "a pass tells it"
    if not entry.fact.apart:
        return None if entry.fact.through is None else Pass(entry.seq, entry.fact.through)
    moments = json.loads(entry.fact.apart)
    found = moments.get(stream.object)
    return None if found is None else Pass(entry.seq, datetime.fromisoformat(found))


def _gained(ledger: Ledger) -> dict[Stream, Entry]:
    """Of each stream the last column that it has gained."""
    entries = ledger.entries(Drifted)
    return {
        Stream.parse(entry.fact.stream): entry
        for entry in entries
        if isinstance(entry.fact, Drifted) and entry.fact.what == What.ADDED
    }


def _standing(ledger: Ledger, begins: type[Paused | Stuck], ends: type[Resumed | Freed]) -> dict[Stream, Entry]:
    """The streams of which the first fact was entered last, and that entry; of several since the second, the first."""
    standing: dict[Stream, Entry] = {}
    for entry in ledger.entries(begins, ends):
        assert isinstance(entry.fact, Paused | Stuck | Resumed | Freed), "only these were asked for"
        stream = Stream.parse(entry.fact.stream)
        if isinstance(entry.fact, begins):
            standing.setdefault(stream, entry)
        else:
            standing.pop(stream, None)
    return standing


def _is_named(project: Project, stream: Stream) -> bool:
    """Whether the project still has it read, as far as its file tells: what a schema holds, only the source knows."""
    config = project.sources.get(stream.source)
    if isinstance(config, PostgresConfig) and not config.schemas:
        return stream.object in {table.object for table in config.tables}
    return config is not None


def _quantiles_json(quantiles: Quantiles) -> dict[str, Any]:
    return {
        "p50_seconds": quantiles.p50,
        "p95_seconds": quantiles.p95,
        "p99_seconds": quantiles.p99,
        "events": quantiles.of,
    }
