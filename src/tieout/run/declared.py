"""What a lane's contracts say to its source before a row is read: keys and types, as they hold now.

A contract that cannot be used holds up its own stream alone, so here as in `drift.py` the last that could be used
stands for it.
"""

from __future__ import annotations

from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.types import Declared
from ..contract.contract import Contract
from ..contract.kept import has_key_of, restored
from ..ledger.facts import Looked
from ..ledger.ledger import Ledger
from .contracts import Contracts, describes_nothing


def declared(contracts: Contracts, ledger: Ledger, lane: str) -> dict[str, Declared]:
    """By object, of those that have a contract of their own."""
    held = {stream.object: _held(contracts, ledger, stream) for stream in contracts.written(lane)}
    return {object_: _declared(contract) for object_, contract in held.items() if contract is not None}


def judged_last(ledger: Ledger, stream: Stream) -> tuple[Looked, Contract] | None:
    """What was seen of the stream last, and the contract by which its rows were judged then."""
    entries = list(ledger.entries(Looked, stream=str(stream), last=1))
    if not entries:
        return None
    looked = entries[0].fact
    assert isinstance(looked, Looked), "only Looked was asked for"
    return looked, restored(stream, looked.contract)


def _held(contracts: Contracts, ledger: Ledger, stream: Stream) -> Contract | None:
    """None: its file cannot be used, and never could."""
    found = judged_last(ledger, stream)
    last = None if found is None else found[1]
    try:
        contract = contracts.of(stream, describes_nothing)
    except Misconfigured:
        return last
    return contract if last is None or has_key_of(contract, last) else last


def _declared(contract: Contract) -> Declared:
    return Declared(contract.key, {column.name: column.type for column in contract.columns})
