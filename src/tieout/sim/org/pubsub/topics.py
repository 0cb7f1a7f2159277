"""Which entities a topic speaks of: all that are captured, one of them, or those of a channel that someone has made."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .avro import event_name
from .refusals import topic_not_found

ALL = "/data/ChangeEvents"
_FOLDER = "/data/"


def entities_of(
    topic: str, captured: Collection[str], channels: Mapping[str, Collection[str]]
) -> frozenset[str] | None:
    """None: all, those captured later too. `captured` are the entities with change data capture on, `channels` the
    custom channels by name, such as `Sales__chn`."""
    if topic == ALL:
        return None
    channel = channels.get(topic.removeprefix(_FOLDER))
    if topic.startswith(_FOLDER) and channel is not None:
        return frozenset(channel)
    for entity in captured:
        if topic == _FOLDER + event_name(entity):
            return frozenset({entity})
    raise topic_not_found(topic)
