"""Hearing: an org's change events as they come, and what becomes of those that cannot be told.

Events bring news and prove nothing, so an org that does not send them is no failure: it is a remark, and windows go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from ...base.clock import Clock
from ...base.cursor import Progress
from ...base.errors import TieoutError
from ..hole import Hole
from ..source import Captured, Remark
from .catalogue import Catalogue
from .events.lately import Lately
from .events.plan import Followed
from .events.received import Batch
from .events.schema import SchemaCache
from .events.subscription import Subscription
from .events.told import Doubt, Told, tables
from .events.verdict import ReplayExpired, TopicUnknown
from .reading import ObjectReading
from .tracks.heard import TRACK, Heard
from .wanted import Wanted
from .wire.org import OrgWire

BATCH_EVENTS = 5_000
"""Events that land at a time."""
_BATCHES_MAX = 20
"""Taken one after the other before others have their turn."""
_FIRST_SECONDS = 5.0
"""How long a new subscription is given to say what it has."""
KEPT_SECONDS = 600
"""A place that moved without events is registered so often: it would expire."""
_DATED = frozenset({"overflow", "wildcard"})
"""Doubts whose event says when it was committed."""
_PAUSE_SECONDS = 30.0
"""Before a subscription that failed is tried again."""

ReadingOf = Callable[[str], ObjectReading]


class Hearing:
    """One subscription, of all wanted objects of which the org sends events."""

    def __init__(self, wire: OrgWire, wanted: Sequence[Wanted], catalogue: Catalogue, clock: Clock) -> None:
        self._wire = wire
        self._wanted = tuple(one for one in wanted if one.events)
        self._catalogue = catalogue
        self._clock = clock
        self._subscription: Subscription | None = None
        self._followed: dict[str, Followed] = {}
        self._schemas: SchemaCache | None = None
        self._lately: Lately | None = None
        self._met: frozenset[str] = frozenset()
        self._ready_at: datetime | None = None
        self._registered_at: datetime | None = None
        self._remark: Remark | None = None

    def remarks(self) -> tuple[Remark, ...]:
        return () if self._remark is None else (self._remark,)

    def commit(self, known: Progress) -> int:
        """The newest second at which a change was committed that was heard; 0: none."""
        return Heard.of(known, "", self._wire.channel).commit

    def heard(self, known: Progress, reading_of: ReadingOf, *, wait_seconds: float = 0.0) -> Iterator[Captured]:
        """What has come, after a wait where nothing has."""
        if not self._wanted or self._wire.subscribe is None or not self._is_time():
            if wait_seconds:
                self._clock.sleep(wait_seconds)
            return
        try:
            yield from self._heard(known, reading_of, wait_seconds)
        except TieoutError as error:
            self._failed(error)
        else:
            self._remark = None

    def close(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    def _heard(self, known: Progress, reading_of: ReadingOf, wait_seconds: float) -> Iterator[Captured]:
        try:
            subscription, wait_seconds = self._open(known, wait_seconds)
            for _ in range(_BATCHES_MAX):
                batch = subscription.take(BATCH_EVENTS, wait_seconds)
                if batch.events:
                    yield from self._told(self._decoded(batch, subscription, known), known, reading_of)
                elif batch.latest_replay_id is not None:
                    yield from self._kept(batch.latest_replay_id, known)
                if len(batch.events) < BATCH_EVENTS:
                    return  # what trickles in can wait, and others cannot
                wait_seconds = 0.0
        except ReplayExpired as error:
            self.close()
            yield from self._lost(known, reading_of, error)

    def _open(self, known: Progress, wait_seconds: float) -> tuple[Subscription, float]:
        if self._subscription is not None:
            return self._subscription, wait_seconds
        state = self._state(known)
        assert self._wire.subscribe is not None, "events are wanted"
        subscription = self._wire.subscribe()
        self._subscription = subscription
        if not self._followed:
            self._followed = self._evented(subscription)
        subscription.start(state.replay, earliest=state.is_lost)
        return subscription, max(wait_seconds, _FIRST_SECONDS)

    def _evented(self, subscription: Subscription) -> dict[str, Followed]:
        """The objects of which the org sends events."""
        found = {}
        for wanted in self._wanted:
            if subscription.topic_info(topic_of(wanted.api_name)):
                found[wanted.object] = Followed.of(self._catalogue.object(wanted.object))
        if not found:
            raise TopicUnknown(
                "the org sends change events of none of the objects.",
                hint="Select them under Setup, Change Data Capture; until then windows alone tell what changed.",
            )
        return found

    def _decoded(self, batch: Batch, subscription: Subscription, known: Progress) -> Told:
        if self._lately is None:
            self._lately = Lately(commit_ms=self._state(known).commit * 1000)
        schemas = self._schemas_of(subscription)
        told = tables(batch.events, schemas, self._followed, lately=self._lately)
        if self._is_described_anew(told):
            told = tables(batch.events, schemas, self._followed, lately=self._lately)
        return told

    def _is_described_anew(self, told: Told) -> bool:
        """Whether events show fields that were not described: these may be new, or hidden from us. Asked once of each
        schema."""
        fresh = told.schemas_met - self._met
        self._met |= told.schemas_met
        if not told.unknown or not fresh:
            return False
        for object_ in sorted(told.unknown):
            self._catalogue.doubt(object_)
            self._followed[object_] = Followed.of(self._catalogue.object(object_))
        return True

    def _schemas_of(self, subscription: Subscription) -> SchemaCache:
        if self._schemas is None:
            self._schemas = SchemaCache(lambda schema_id: self._live().schema(schema_id))
        return self._schemas

    def _live(self) -> Subscription:
        assert self._subscription is not None, "asked only while it is open"
        return self._subscription

    def _told(self, told: Told, known: Progress, reading_of: ReadingOf) -> Iterator[Captured]:
        for doubt in told.doubts:
            # Before the place moves on: a kill between the two has it told again.
            yield reading_of(doubt.object).holed(known, self._hole(doubt), is_whole=doubt.whole)
        state = self._state(known)
        after = Heard(state.org, state.channel, told.replay_id, max(state.commit, told.commit_ms // 1000))
        self._registered_at = self._clock.now()
        yield Captured(known.get(TRACK), after.cursor(known.get(TRACK)), epoch=0, encoding="text", tables=told.tables)
        self._lately = told.lately  # what was heard is known only once it is registered

    def _hole(self, doubt: Doubt) -> Hole:
        """One that cannot be read does not say either when it was committed: some time up to now."""
        until = doubt.position if doubt.reason in _DATED else max(doubt.position, self._wire.client.now())
        return Hole(str(doubt.position), str(until), doubt.reason)

    def _kept(self, replay: bytes, known: Progress) -> Iterator[Captured]:
        """A quiet channel's place moves too, and the old one would expire."""
        state, now = self._state(known), self._clock.now()
        is_first = state.replay is None
        if replay == state.replay:
            return
        if is_first or self._registered_at is None or now - self._registered_at >= timedelta(seconds=KEPT_SECONDS):
            self._registered_at = now
            after = Heard(state.org, state.channel, replay, state.commit)
            yield Captured(known.get(TRACK), after.cursor(known.get(TRACK)), epoch=0, encoding="text", tables={})

    def _lost(self, known: Progress, reading_of: ReadingOf, error: TieoutError) -> Iterator[Captured]:
        """The org knows our place no longer: what came since is a hole, and we go on with the oldest."""
        state, now = self._state(known), self._wire.client.now()
        hole = Hole(str(state.commit), str(now), "the place in the channel of events has expired")
        for object_ in self._followed:
            yield reading_of(object_).holed(known, hole, is_whole=False)
        after = Heard(state.org, state.channel, None, state.commit, is_lost=True)
        yield Captured(known.get(TRACK), after.cursor(known.get(TRACK)), epoch=0, encoding="text", tables={})

    def _state(self, known: Progress) -> Heard:
        return Heard.of(known, self._wire.org_id(), self._wire.channel)

    def _is_time(self) -> bool:
        return self._ready_at is None or self._clock.now() >= self._ready_at

    def _failed(self, error: TieoutError) -> None:
        self.close()
        self._ready_at = self._clock.now() + timedelta(seconds=_PAUSE_SECONDS)
        self._remark = Remark(f"change events are not heard ({error.message}); windows tell what changed.", error.hint)


def topic_of(api_name: str) -> str:
    """Of an object's own events: `__c` becomes `__ChangeEvent`."""
    return f"/data/{api_name.removesuffix('c') if api_name.endswith('__c') else api_name}ChangeEvent"
