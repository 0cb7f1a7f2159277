"""What stands in one engine beside what another one made of the same landing, in a line."""

from __future__ import annotations

from ..sim.twin import Twin
from .paint import several


def beside(twin: Twin) -> str:
    streams = several(len(twin.hashes), "stream")
    if twin.unlike:
        return f"{twin.engine} beside duckdb, made of the same landing: {several(len(twin.unlike), 'thing')} not alike"
    return f"{twin.engine} beside duckdb, made of the same landing: {streams}, equal hashes and certificates"
