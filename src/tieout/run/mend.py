"""Mending: the keys whose value is not known for certain are read again, at one watermark, and land like anything else.

Only the keys in question are read. A read whose watermark is past a gap contains all that the gap hid.
"""

from __future__ import annotations

from collections import Counter

from ..base.stream import Stream
from ..capture.source import Source
from ..merge.readings import StreamReading
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
    wanted = {stream.object: keys for stream in streams if (keys := _open_keys(route, warehouse, stream, tried))}
    if not wanted:
        return 0
    tried.update((stream, key) for stream in streams for key in wanted.get(stream.object, ()))
    with source.reread(wanted) as told:
        for captured in told:
            route.land_aside(captured, TRACK)
    route.merge(warehouse)
    return sum(len(keys) for keys in wanted.values())


def _open_keys(route: Route, warehouse: Warehouse, stream: Stream, tried: Tried) -> tuple[str, ...]:
    total, found = StreamReading(warehouse, route.contract(stream)).obligations(limit=KEYS_MAX)
    keys = {open_.key for open_ in found if open_.key is not None and open_.reason in _MENDABLE}
    if total == len(found):
        for mended in [one for one in tried if one[0] == stream and one[1] not in keys]:
            del tried[mended]
    return tuple(sorted(key for key in keys if tried[stream, key] < TRIES_MAX))
