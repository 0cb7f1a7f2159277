"""What all rows of a read share, and the rows that speak of a whole object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from ...base.change import CAPTURED, Kind
from ...base.order import Class

_NOTHING = "[]"


@dataclass(frozen=True, slots=True)
class Moment:
    """A read: its watermark (seconds), when it began (microseconds), and when we read."""

    watermark: int
    read_start_us: int
    read_at: datetime


def sweep(moment: Moment, rows: int, origin: str) -> pa.Table:
    """The object was read to its end, `rows` of it: what was not mentioned is not there."""
    return _alone(Kind.SWEEP, moment, rows, origin)


def mark(moment: Moment, origin: str) -> pa.Table:
    """Says nothing of any row: a job was made, or something is to be read."""
    return _alone(Kind.MARK, moment, 0, origin)


def _alone(kind: Kind, moment: Moment, ordinal: int, origin: str) -> pa.Table:
    row = {
        "_kind": kind.value,
        "_position": moment.watermark,
        "_class": int(Class.READ),
        "_minor": moment.read_start_us,
        "_rank": 0,
        "_cover": _NOTHING,
        "_observed_at": moment.read_at,
        "_origin": origin,
        "_ordinal": ordinal,
    }
    return pa.Table.from_pylist([row], schema=CAPTURED)
