"""The route of a lane, top to bottom: capture, judge, land, register, acknowledge, merge.

Each step is atomic in one store and safe to redo, and nothing is believed that is not in a store: a process killed
between any two of them loses nothing (ARCHITECTURE.md has the table, `base/step.py` the names).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from ..base.batch import Batch, Footer, Span
from ..base.clock import Clock
from ..base.cursor import Cursor
from ..base.errors import Broken, Misconfigured
from ..base.step import Passing, Step
from ..base.stream import Stream
from ..capture.source import Bound, Captured, Source
from ..contract.contract import Contract
from ..contract.judge import Judged
from ..land.landing import Landing
from ..ledger.coverage import proven
from ..ledger.facts import Acknowledged, Advanced, Fact, Landed, Merged, Paused
from ..ledger.ledger import CursorAt, Lease, LeaseHeld, Ledger
from ..merge.warehouse import Side, Turn, Warehouse
from .contracts import Contracts
from .doubt import judge_doubting
from .drift import Watch
from .hand import ROWS_MAX, Hand, grouped
from .keeping import LEASE_SECONDS, Keep, unkept
from .pausing import newly, paused_now, refused, tripped
from .stuck import StuckStreams

_RENEW_WHEN_LEFT = LEASE_SECONDS * 2 / 3


@dataclass(slots=True)
class Tools:
    """What the route works with: the stores of the project, its contracts, the time, who listens to its steps, and who
    keeps its leases while it is busy."""

    landing: Landing
    ledger: Ledger
    contracts: Contracts
    clock: Clock
    passing: Passing
    keep: Keep = unkept


class Route:
    """One lane, under one lease. A second worker of the lane makes every further step of this one raise Fenced."""

    def __init__(self, source: Source, tools: Tools, lease: Lease) -> None:
        self._source = source
        self._tools = tools
        self._lease = lease
        self._pending: dict[Stream, list[Landed]] | None = None
        self._hand = Hand()
        self._streams: set[Stream] | None = None
        self._merged_before: Mapping[str, datetime] = {}
        self._watch = Watch(source, tools.contracts, tools.ledger, tools.landing)
        self._unprepared: set[Stream] = set()
        self.stuck = StuckStreams(tools.ledger, tools.clock)
        self.paused: dict[Stream, Paused] = {}
        self.mended: set[Stream] = set()
        self.damaged: dict[str, Broken] = {}
        self.received = 0
        self.merged = 0
        self.quarantined = 0

    @property
    def lane(self) -> str:
        return self._source.lane

    def adopt(self) -> int:
        """Enters every sealed batch that the ledger does not know, and moves the cursors as far as they prove.

        After a kill between sealing and registering, with yesterday's ledger, or with none, this is the whole recovery.
        """
        landing, ledger = self._tools.landing, self._tools.ledger
        landing.sweep_spool(self.lane)
        sealed = sorted(landing.names(self.lane))
        known = ledger.landed(self.lane)
        footers = {name: self._proven_footer(stream, name) for stream, name in sealed if name not in known}
        opened = {name: footer for name, footer in footers.items() if footer is not None}
        if opened:
            for stream in sorted({footer.stream for footer in opened.values()}):
                landing.sync(stream)
            spans = [
                (stream.object, landing.footer(stream, name).span)
                for stream, name in sealed
                if name not in self.damaged
            ]
            ahead = proven(ledger.progress(self.lane), spans)
            facts: list[Fact] = [_landed(name, footer, adopted=True) for name, footer in opened.items()]
            facts += [Advanced(self.lane, cursor) for cursor in ahead.values()]
            ledger.append(facts, given=[LeaseHeld(self._lease)])
        return len(opened)

    def capture(self, until: Bound) -> Iterator[Captured]:
        """Lands what the source has up to `until`, piece by piece; yields after each piece is registered."""
        progress = self._tools.ledger.progress(self.lane)
        for captured in self._source.capture(progress, until=until, meanwhile=self.renew):
            self._tools.passing(Step.CAPTURED)
            self.land(captured)
            yield captured
        self._watch.look(self._tools.clock.now())

    def land(self, captured: Captured) -> None:
        """Judges, seals, registers and acknowledges one capture."""
        self.renew()
        self._watch.meet(captured)
        span = Span(self.lane, captured.after.track, captured.before, captured.after, tuple(sorted(captured.tables)))
        sealed = [self._seal(span, object_, captured) for object_ in span.siblings]
        pausing = [paused for _, paused in sealed if paused is not None]
        self._register(span, [landed for landed, _ in sealed], newly(self._tools.ledger, pausing))
        self._source.acknowledge(captured.after)
        self._tools.ledger.append([Acknowledged(self.lane, captured.after)], given=[])
        self._tools.passing(Step.ACKNOWLEDGED)

    def land_aside(self, captured: Captured, track: str) -> None:
        """Lands what was read beside the source's own tracks (a re-read, a repair), on a track of ours."""
        before, after = self._next(track, captured.after.read())
        self.land(replace(captured, before=before, after=after))

    def land_judged(self, stream: Stream, judged: Judged, track: str, *, encoding: str) -> None:
        """Lands rows that no source said and that are judged already, on a track of ours: an operator's acts.
        `encoding` is of what their contract does not know."""
        self.renew()
        before, after = self._next(track, {})
        span = Span(self.lane, track, before, after, (stream.object,))
        self._register(span, [self._put(self.contract(stream), span, judged, encoding)], [])

    def merge(self, warehouse: Warehouse, stream: Stream) -> None:
        """The same as `merge_each` of one stream, for who cannot go on without it: raises why it is stuck."""
        self.merge_each(warehouse, only=stream)
        if stream in self.stuck.errors:
            raise self.stuck.errors[stream]

    def merge_each(self, warehouse: Warehouse, *, only: Stream | None = None) -> None:
        """Merges all that has landed and is not in the warehouse, oldest first, in groups that fit in memory.

        A stream that cannot be merged does not stop the others; it is `stuck`.
        """
        if self._pending is None:
            self._pending = self._find_pending(warehouse)
            self._unprepared.update(self.streams())
        self._unprepared |= self._watch.followed
        self._watch.followed.clear()
        self._look_at_paused()
        for stream in sorted(self._unprepared | self._pending.keys()):
            if only not in (None, stream) or stream in self.paused or self.stuck.is_left_alone(stream):
                continue
            try:
                self._merge_stream(warehouse, stream, self._pending)
            except (Misconfigured, Broken) as error:
                self.stuck.enter(stream, error)
                self._put_down(stream)
            else:
                self.stuck.leave(stream)

    def _merge_stream(self, warehouse: Warehouse, stream: Stream, pending: dict[Stream, list[Landed]]) -> None:
        contract = self.contract(stream)
        self.prepare(warehouse, contract, Side.LIVE)
        self._unprepared.discard(stream)
        for group in grouped(self._opened(stream, landed.batch) for landed in pending.get(stream, [])):
            self._merge_group(warehouse, contract, group)
            done = {batch.name for batch in group}
            pending[stream] = [landed for landed in pending[stream] if landed.batch not in done]
        pending.pop(stream, None)

    def _look_at_paused(self) -> None:
        """Which streams are not to be merged now. One whose contract was changed since goes on."""
        self.paused, self.mended = {}, set()
        for stream, paused in paused_now(self._tools.ledger).items():
            if stream.source == self.lane:
                if self._is_mended(stream, paused):
                    self.mended.add(stream)
                else:
                    self.paused[stream] = paused
                    self._put_down(stream)

    def _put_down(self, stream: Stream) -> None:
        """What of it is in the hand is not merged soon; it is in the landing."""
        for landed in (self._pending or {}).get(stream, []):
            self._hand.take(landed.batch)

    def _is_mended(self, stream: Stream, paused: Paused) -> bool:
        with suppress(Misconfigured):
            if self._tools.contracts.again(stream).digest != paused.contract:
                return self._watch.standing(stream)[1] is None
        return False

    @property
    def is_full(self) -> bool:
        """Whether so much has landed and is to be merged that it should be, before more is read."""
        pending = (found for stream, found in (self._pending or {}).items() if not self._waits(stream))
        rows = sum(landed.received.count for found in pending for landed in found)
        return rows >= ROWS_MAX or self._hand.is_full

    def contract(self, stream: Stream) -> Contract:
        return self._tools.contracts.of(stream, self._source.describe)

    def streams(self) -> list[Stream]:
        """The streams of this lane that have ever landed."""
        if self._streams is None:
            self._streams = {Stream.parse(text) for text in self._tools.ledger.landed(self.lane).values()}
        return sorted(self._streams)

    def merging(self) -> list[Stream]:
        """Those of them that are merged: all but those that are paused or stuck."""
        return [stream for stream in self.streams() if not self._waits(stream)]

    def _waits(self, stream: Stream) -> bool:
        """Whether it lands and is not merged."""
        return stream in self.paused or stream in self.stuck.errors

    def turn(self) -> Turn:
        return Turn(self.lane, self._lease.fence)

    def prepare(self, warehouse: Warehouse, contract: Contract, side: Side) -> None:
        """The stream's tables follow its contract. Raises Retyped, Fenced."""
        with self.busy():
            warehouse.prepare(contract, side, turn=self.turn())

    def busy(self) -> AbstractContextManager[None]:
        """For one piece of work that may outlast the lease: until its end nobody takes the lane over."""
        return self._tools.keep(self._lease)

    def renew(self) -> None:
        """Keeps the lease alive. Between two calls lies at most one piece of work. Raises Fenced."""
        left = (self._lease.expires - self._tools.clock.now()).total_seconds()
        if left < _RENEW_WHEN_LEFT:
            self._lease = self._tools.ledger.renew(self._lease, seconds=LEASE_SECONDS)

    def _merge_group(self, warehouse: Warehouse, contract: Contract, batches: list[Batch]) -> None:
        self.renew()
        now = self._tools.clock.now()
        merged_at = {batch.name: self._merged_before.get(batch.name, now) for batch in batches}
        with self.busy():
            warehouse.merge(contract, batches, turn=self.turn(), merged_at=merged_at, side=Side.LIVE)
        facts = [Merged(name, str(contract.stream), at) for name, at in merged_at.items()]
        self._tools.ledger.append(facts, given=[])
        self._tools.passing(Step.NOTED)
        self.merged += sum(batch.footer.received.count for batch in batches)
        self.quarantined += warehouse.reading(contract).quarantined_in([batch.name for batch in batches])

    def _next(self, track: str, state: Mapping[str, Any]) -> tuple[Cursor | None, Cursor]:
        """Where a track of ours stands, and its next cursor."""
        before = self._tools.ledger.progress(self.lane).get(track)
        return before, Cursor.of(track, before.position + 1 if before else 1, state)

    def _register(self, span: Span, facts: list[Landed], paused: list[Paused]) -> None:
        self._tools.passing(Step.REGISTERING)
        self._tools.ledger.append(
            [*facts, Advanced(self.lane, span.after), *paused],
            given=[LeaseHeld(self._lease), CursorAt(self.lane, span.track, span.before)],
        )
        self._tools.passing(Step.REGISTERED)
        self._note_landed(facts)

    def _note_landed(self, facts: list[Landed]) -> None:
        self.received += sum(fact.received.count for fact in facts)
        if self._streams is not None:
            self._streams.update(Stream.parse(fact.stream) for fact in facts)
        if self._pending is not None:
            for fact in facts:
                self._pending.setdefault(Stream.parse(fact.stream), []).append(fact)

    def _seal(self, span: Span, object_: str, captured: Captured) -> tuple[Landed, Paused | None]:
        stream = Stream(self.lane, object_)
        contract, unusable = self._watch.standing(stream)
        keyless_before = partial(self._keyless_before, captured, stream)
        judged = judge_doubting(captured, object_, contract, keyless_before=keyless_before)
        if not unusable and len(refused(captured.tables[object_], judged)) and self._watch.doubts(contract):
            contract = self.contract(stream)
            judged = judge_doubting(captured, object_, contract, keyless_before=keyless_before)
        paused = unusable or tripped(captured.tables[object_], judged, contract)
        return self._put(contract, span, judged, captured.encoding), paused

    def _put(self, contract: Contract, span: Span, judged: Judged, encoding: str) -> Landed:
        stream, now = contract.stream, self._tools.clock.now()
        footer = Footer(stream, span, judged.received, judged.keyless, judged.positions, contract.digest, now, encoding)
        name = self._tools.landing.put(footer, judged.changes)
        if self._pending is not None and not self._waits(stream):
            self._hand.keep(Batch(name, footer, judged.changes))
        return _landed(name, footer, adopted=False)

    def _opened(self, stream: Stream, name: str) -> Batch:
        """A batch to merge: as it was sealed a moment ago, or from the landing."""
        self.renew()
        return self._hand.take(name) or self._tools.landing.open(stream, name)

    def _keyless_before(self, captured: Captured, stream: Stream) -> int:
        """The unreadable keys in what has landed of this read: a sweep may have begun in an earlier piece."""
        if captured.before is None or captured.before.position <= captured.since:
            return 0
        landed = self._tools.ledger.entries(Landed, lane=self.lane, stream=str(stream))
        names = [
            fact.batch
            for entry in landed
            if isinstance(fact := entry.fact, Landed) and fact.track == captured.after.track
        ]
        footers = [self._tools.landing.footer(stream, name) for name in names]
        return sum(footer.keyless for footer in footers if footer.span.after.position > captured.since)

    def _find_pending(self, warehouse: Warehouse) -> dict[Stream, list[Landed]]:
        """Per stream, what the ledger says landed and the warehouse itself does not say is applied.

        What it does say and the ledger has not noted (a kill came between, or the ledger is a new one) is noted now.
        """
        noted = self._merged_before = self._tools.ledger.merged(self.lane)
        landed = self._tools.ledger.landed(self.lane)
        applied = {text: warehouse.applied(Stream.parse(text), Side.LIVE) for text in dict.fromkeys(landed.values())}
        waiting = {name for name, text in landed.items() if name not in applied[text]}
        missed: list[Fact] = [
            Merged(name, text, applied[text][name])
            for name, text in landed.items()
            if name not in waiting and name not in noted
        ]
        if missed:
            self._tools.ledger.append(missed, given=[])
        return self._landed_as(waiting)

    def _landed_as(self, names: set[str]) -> dict[Stream, list[Landed]]:
        """Per stream, the facts of these batches. The book is not read for none: it is long, and grows."""
        found: dict[Stream, list[Landed]] = {}
        for entry in self._tools.ledger.entries(Landed, lane=self.lane) if names else ():
            assert isinstance(entry.fact, Landed), "only Landed was asked for"
            if entry.fact.batch in names:
                found.setdefault(Stream.parse(entry.fact.stream), []).append(entry.fact)
        return found

    def _proven_footer(self, stream: Stream, name: str) -> Footer | None:
        """The footer of a batch whose bytes are right. A damaged one may be the only copy of what a source has
        forgotten, so it is named, and not passed over in silence."""
        try:
            return self._tools.landing.open(stream, name).footer
        except Broken as error:
            self.damaged[name] = error
            return None


def _landed(name: str, footer: Footer, *, adopted: bool) -> Landed:
    span = footer.span
    return Landed(name, str(footer.stream), span.lane, span.track, footer.received, adopted)
