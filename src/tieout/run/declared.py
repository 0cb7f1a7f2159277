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


class Declarations:
    """Of one lane. Asked at every pass, so a contract that stands is looked into once."""

    def __init__(self, contracts: Contracts, ledger: Ledger, lane: str) -> None:
        self._contracts = contracts
        self._ledger = ledger
        self._lane = lane
        self._stand: dict[Stream, Contract] = {}

    def now(self) -> dict[str, Declared]:
        """By object, of those that have a contract of their own."""
        held = {stream.object: self._held(stream) for stream in self._contracts.written(self._lane)}
        return {object_: _declared(contract) for object_, contract in held.items() if contract is not None}

    def _held(self, stream: Stream) -> Contract | None:
        """None: its file cannot be used, and never could."""
        try:
            contract = self._contracts.of(stream, describes_nothing)
        except Misconfigured:
            last = judged_last(self._ledger, stream)
            return None if last is None else last[1]
        if self._stand.get(stream) is contract:
            return contract
        last = judged_last(self._ledger, stream)
        if last is not None and not has_key_of(contract, last[1]):
            return last[1]
        self._stand[stream] = contract
        return contract


def judged_last(ledger: Ledger, stream: Stream) -> tuple[Looked, Contract] | None:
    """What was seen of the stream last, and the contract by which its rows were judged then."""
    entries = list(ledger.entries(Looked, stream=str(stream), last=1))
    if not entries:
        return None
    looked = entries[0].fact
    assert isinstance(looked, Looked), "only Looked was asked for"
    return looked, restored(stream, looked.contract)


def _declared(contract: Contract) -> Declared:
    return Declared(contract.key, {column.name: column.type for column in contract.columns})
