"""What a subscription hands on: events as they came, and how far the topic was heard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """One event: `payload` is bare Avro, written by the schema that `schema_id` names. `replay_id` is opaque, and
    orders nothing."""

    schema_id: str
    replay_id: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order of their delivery.

    latest_replay_id  behind which a later subscription goes on after these events; None: nothing was heard yet
    is_caught_up      the topic had nothing more to tell when these were taken
    """

    events: tuple[Received, ...]
    latest_replay_id: bytes | None
    is_caught_up: bool
