"""One subscriber's way through the log: where it stands, and what comes next of its topic.

It knows neither credit nor wire. The place moves over what the topic passes by, so that an idle subscriber is told an
id that does not grow old.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from ..events import ChangeEvent, EventLog
from .messages import ConsumerEvent
from .replay import Place, ReplayIds
from .schemas import EventSchemas

RESPONSE_BYTES_MAX = 3_000_000
"""A client takes 4 MB in one message if nobody told it otherwise."""


class Reading:
    """Begins behind `position`. `entities` None: all."""

    def __init__(
        self, log: EventLog, schemas: EventSchemas, ids: ReplayIds, *, entities: frozenset[str] | None, position: int
    ) -> None:
        self._log = log
        self._schemas = schemas
        self._ids = ids
        self._entities = entities
        self.position = position

    @property
    def is_behind(self) -> bool:
        """Whether the log has something that was not looked at."""
        return self._log.latest > self.position

    def next(self, most: int) -> list[Any]:
        """Up to `most` events (`ConsumerEvent`), fewer where they would not fit a message; none when there are none."""
        latest = self._log.latest
        found = self._log.read(self.position, most, entities=self._entities)
        told: list[Any] = []
        room = RESPONSE_BYTES_MAX
        for event in found:
            one = self._told(event)
            room -= len(one.event.payload)
            if told and room < 0:
                return told
            told.append(one)
            self.position = event.position
        if len(found) < most:
            self.position = max(self.position, latest)
        return told

    def latest_replay_id(self, now_ms: int) -> bytes:
        return self._ids.encode(Place(self.position, now_ms))

    def _told(self, event: ChangeEvent) -> Any:
        schema = self._schemas.of(event)
        replay_id = self._ids.encode(Place(event.position, event.commit_timestamp_ms))
        return ConsumerEvent(
            event={"id": _name(replay_id), "schema_id": schema.id, "payload": schema.encode(event)},
            replay_id=replay_id,
        )


def _name(replay_id: bytes) -> str:
    """An id for the event, shaped as UUIDs are."""
    digits = blake2b(replay_id, digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
