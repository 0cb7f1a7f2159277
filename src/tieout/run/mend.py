"""Mending: the keys whose value is not known for certain are read again, at one watermark, and land like anything else.

Only the keys in question are read. A read whose watermark is past a gap contains all that the gap hid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field

from ..base.stream import Stream
from ..capture.source import ReadsBehind, Source
from ..contract.contract import Contract
from ..merge.warehouse import Warehouse
from .route import Route

TRACK = "reread"
KEYS_MAX = 10_000
"""Keys of one stream read again in one pass; the rest waits for the next."""
TRIES_MAX = 2
"""A key that stays open after so many reads is not mended by reading: its row is in quarantine, say."""
_MENDABLE = frozenset({"gap", "incomplete", "patched_after_death", "unfit"})


@dataclass(slots=True)
class Tried:
    """How often this worker has read a key again that has been open ever since; and, of a source whose reads see only
    what is older than a while, where it stood then: before a read sees that far, another is no other try."""

    times: Counter[tuple[Stream, str]] = field(default_factory=Counter)
    at: dict[tuple[Stream, str], int] = field(default_factory=dict)


def mend(route: Route, source: Source, warehouse: Warehouse, streams: list[Stream], tried: Tried) -> int:
    """Reads again the open keys of these streams, where the source can be asked; returns how many there were, with
    those that wait until a read can see them."""
    if not source.rereads:
        return 0
    unripe = _unripe(source, tried)
    wanted = {
        stream.object: keys
        for stream in streams
        if (keys := _open_keys(warehouse, route.contract(stream), tried, unripe))
    }
    if not wanted:
        return len(unripe)
    _note(source, tried, [(stream, key) for stream in streams for key in wanted.get(stream.object, ())])
    with source.reread(wanted) as told:
        for captured in told:
            route.land_aside(captured, TRACK)
    route.merge_each(warehouse)
    return sum(len(keys) for keys in wanted.values())


def _unripe(source: Source, tried: Tried) -> Set[tuple[Stream, str]]:
    """Those that would be read in vain: what they were read for lies where no read has certainly seen yet."""
    if not isinstance(source, ReadsBehind) or not tried.at:
        return frozenset()
    return frozenset(
        (stream, key) for (stream, key), position in tried.at.items() if position >= source.sees(stream.object)
    )


def _note(source: Source, tried: Tried, keys: list[tuple[Stream, str]]) -> None:
    tried.times.update(keys)
    if isinstance(source, ReadsBehind):
        tried.at.update(dict.fromkeys(keys, source.bound().position))


def _open_keys(
    warehouse: Warehouse, contract: Contract, tried: Tried, unripe: Set[tuple[Stream, str]]
) -> tuple[str, ...]:
    """The first keys that reading may mend. Those that it did not are passed over: they keep no others waiting."""
    reading, stream, after = warehouse.reading(contract), contract.stream, ""
    while True:  # bounded: `after` rises
        found = reading.open_keys(_MENDABLE, after=after, limit=KEYS_MAX)
        last = found[-1] if len(found) == KEYS_MAX else None
        _forget_mended(tried, stream, frozenset(found), after=after, last=last)
        keys = tuple(key for key in found if tried.times[stream, key] < TRIES_MAX and (stream, key) not in unripe)
        if keys or last is None:
            return keys
        after = last


def _forget_mended(tried: Tried, stream: Stream, open_: frozenset[str], *, after: str, last: str | None) -> None:
    """Of the keys behind `after`, up to `last` if that is not the end, those that are not open are certain again."""
    for of, key in list(tried.times):
        if of == stream and key not in open_ and after < key and (last is None or key <= last):
            del tried.times[of, key]
            tried.at.pop((of, key), None)
