"""What the warehouse says of a stream at the moment of the question: all of it, or what can be asked every minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..base.batch import Tally
from ..base.errors import TieoutError, Transient
from ..base.stream import Stream
from ..contract.contract import Contract
from ..contract.promise import Promise
from ..merge.asked import reading_of
from ..merge.reading import Freshness, Latencies, Obligation, OpenSince
from ..merge.readings import StreamReading
from ..merge.warehouse import Reader
from .contracts import describes_nothing
from .house import House

KEYS_MAX = 100
"""Open keys of a stream that are named; the count tells of the others."""

_NEVER = Freshness(None, None, None)
_UNMEASURED = Latencies()


@dataclass(frozen=True, slots=True)
class Figures:
    """What the warehouse says of a stream, and what its contract promises. The default is a stream of which nothing was
    merged yet. `lacking`: columns of the contract that its tables have yet to gain."""

    accounts: Mapping[str, Tally] = field(default_factory=dict)
    applied: frozenset[str] = frozenset()
    superseded: int = 0
    ambiguous: int = 0
    current_rows: int = 0
    state_hash: str | None = None
    open_total: int = 0
    open_keys: tuple[Obligation, ...] = ()
    open_since: tuple[OpenSince, ...] = ()
    freshness: Freshness = _NEVER
    latencies: Latencies = _UNMEASURED
    promises: tuple[Promise, ...] = ()
    lacking: tuple[str, ...] = ()


Latency = Callable[[StreamReading, Contract], Latencies]
"""How long the events of a stream took lately."""
Read = Callable[[StreamReading], Figures]


def figures_of(house: House, reader: Reader, stream: Stream, read: Read, latency: Latency) -> Figures | TieoutError:
    """What the warehouse says, or why it cannot be asked about this stream. Raises Transient when it is away."""
    if not house.has_warehouse:
        return Figures(promises=_promised(house, stream))
    try:
        contract = house.tools.contracts.of(stream, describes_nothing)
        reading = reading_of(reader, contract)
        if not reading.exists():
            return Figures(promises=contract.promises)
        if lacking := reading.lacking():
            standing = tuple(column for column in contract.columns if column.name not in lacking)
            reading = reading_of(reader, replace(contract, columns=standing))
        latencies = latency(reading, contract)
        return replace(read(reading), latencies=latencies, promises=contract.promises, lacking=lacking)
    except Transient:
        raise
    except TieoutError as error:
        return error


def whole(reading: StreamReading) -> Figures:
    """All of it: every row of the tables is looked at."""
    return replace(
        counted(reading),
        superseded=reading.superseded(),
        ambiguous=reading.ambiguous(),
        current_rows=reading.live_rows(),
        state_hash=reading.state_hash(),
        freshness=reading.freshness(),
    )


def counted(reading: StreamReading) -> Figures:
    """What is asked every minute: the accounts, and what is open."""
    accounts, applied = reading.posted()
    open_total, open_keys = reading.obligations(limit=KEYS_MAX)
    return Figures(
        accounts=accounts,
        applied=applied,
        open_total=open_total,
        open_keys=open_keys,
        open_since=reading.open_since() if open_total else (),
    )


def _promised(house: House, stream: Stream) -> tuple[Promise, ...]:
    """Where a contract cannot be read, that is for the run to say."""
    with suppress(TieoutError):
        return house.tools.contracts.of(stream, describes_nothing).promises
    return ()
