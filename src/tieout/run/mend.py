"""Mending: the keys whose value is not known for certain are read again, at one watermark, and land like anything else.

Only the keys in question are read. A read whose watermark is past a gap contains all that the gap hid.
"""

from __future__ import annotations

from collections import Counter

from ..base.stream import Stream
from ..capture.source import Source
from ..contract.contract import Contract
from ..merge.warehouse import Warehouse
from .route import Route

TRACK = "reread"
KEYS_MAX = 10_000
"""Keys of one stream read again in one pass; the rest waits for the next."""
TRIES_MAX = 2
"""A key that stays open after so many reads is not mended by reading: its row is in quarantine, say."""
_MENDABLE = frozenset({"gap", "incomplete", "patched_after_death", "unfit"})


Tried = Counter[tuple[Stream, str]]
"""How often this worker has read a key again that has been open ever since."""


def mend(route: Route, source: Source, warehouse: Warehouse, streams: list[Stream], tried: Tried) -> int:
    """Reads again the open keys of these streams, where the source can be asked; returns how many there were."""
    if not source.rereads:
        return 0
    wanted = {
        stream.object: keys for stream in streams if (keys := _open_keys(warehouse, route.contract(stream), tried))
    }
    if not wanted:
        return 0
    tried.update((stream, key) for stream in streams for key in wanted.get(stream.object, ()))
    with source.reread(wanted) as told:
        for captured in told:
            route.land_aside(captured, TRACK)
    route.merge_each(warehouse)
    return sum(len(keys) for keys in wanted.values())


def _open_keys(warehouse: Warehouse, contract: Contract, tried: Tried) -> tuple[str, ...]:
    """The first keys that reading may mend. Those that it did not are passed over: they keep no others waiting."""
    reading, stream, after = warehouse.reading(contract), contract.stream, ""
    while True:  # bounded: `after` rises
        found = reading.open_keys(_MENDABLE, after=after, limit=KEYS_MAX)
        last = found[-1] if len(found) == KEYS_MAX else None
        _forget_mended(tried, stream, frozenset(found), after=after, last=last)
        keys = tuple(key for key in found if tried[stream, key] < TRIES_MAX)
        if keys or last is None:
            return keys
        after = last


def _forget_mended(tried: Tried, stream: Stream, open_: frozenset[str], *, after: str, last: str | None) -> None:
    """Of the keys behind `after`, up to `last` if that is not the end, those that are not open are certain again."""
    for of, key in list(tried):
        if of == stream and key not in open_ and after < key and (last is None or key <= last):
            del tried[of, key]
