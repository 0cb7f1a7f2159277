"""Pausing: a stream whose rows are mostly refused lands and is not merged, until somebody has looked at it.

What lands is never lost and the source is acknowledged; the tables stay as they were. A contract that was changed
resumes its stream by itself: what it takes now is released from quarantine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import UNREADABLE
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..contract.contract import Contract
from ..contract.judge import Judged
from ..ledger.facts import Paused, Resumed
from ..ledger.ledger import Ledger

ROWS_MIN = 100
"""Of fewer rows most may be bad by chance."""


def tripped(captured: pa.Table, judged: Judged, contract: Contract) -> Paused | None:
    """Whether the contract refuses most of these rows. Bytes that nobody can decode are not the contract's matter."""
    rows = judged.changes.num_rows
    if rows < ROWS_MIN or contract.stream.object == UNREADABLE:
        return None
    faults = refused(captured, judged)
    if len(faults) * 2 <= rows:
        return None
    kinds = Counter(fault.partition(" is ")[0] for fault in faults.to_pylist())
    (kind, count), first = kinds.most_common(1)[0], faults[0].as_py()
    example = first if first.startswith(kind) else kind
    stream = contract.stream
    hint = (
        f"Mend contracts/{stream.source}/{stream.object}.yaml, and it goes on by itself; "
        f"or run `tieout resume {stream}`, and these rows go to quarantine."
    )
    return Paused(str(stream), f"{count:,} of {rows:,} rows are {kind}, such as: {example}", hint, contract.digest)


def refused(captured: pa.Table, judged: Judged) -> pa.ChunkedArray:
    """Why the contract refuses rows, of each that it does."""
    by_contract = pc.and_(pc.is_null(captured["_fault"]), pc.is_valid(judged.changes["_fault"]))
    return judged.changes["_fault"].filter(by_contract)


def paused_now(ledger: Ledger) -> dict[Stream, Paused]:
    """The streams that are paused, and why."""
    paused: dict[Stream, Paused] = {}
    for entry in ledger.entries(Paused, Resumed):
        match entry.fact:
            case Paused():
                paused[Stream.parse(entry.fact.stream)] = entry.fact
            case Resumed():
                paused.pop(Stream.parse(entry.fact.stream), None)
    return paused


def newly(ledger: Ledger, pausing: Sequence[Paused]) -> list[Paused]:
    """Those that are not paused already under the same contract: the first reason stands."""
    if not pausing:
        return []
    standing = {(str(stream), paused.contract) for stream, paused in paused_now(ledger).items()}
    return [paused for paused in pausing if (paused.stream, paused.contract) not in standing]


def resume(ledger: Ledger, stream: Stream) -> Paused:
    """Lets a stream go on as it is; the next run merges what has landed of it. Returns why it was paused."""
    paused = paused_now(ledger).get(stream)
    if paused is None:
        raise Misconfigured(f"{stream} is not paused.", hint="`tieout status` shows which streams are.")
    ledger.append([Resumed(str(stream), "somebody said so")], given=[])
    return paused
