"""What changed since a whole stream was last compared and found complete: on that an incremental certificate rests."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.codec import canonical_json
from ..contract.contract import Contract
from ..ledger.facts import Certified, Merged
from ..ledger.ledger import Ledger
from ..merge.warehouse import Warehouse
from ..quality.certificate import State
from ..quality.chain import Chain
from ..quality.proof import Since, exact_at


@dataclass(frozen=True, slots=True)
class Changed:
    """`batches`: those that were merged since then."""

    since: Since
    batches: tuple[str, ...]


def changed(contract: Contract, chain: Chain, ledger: Ledger, warehouse: Warehouse) -> Changed | None:
    """None where nothing is left on which one could rest: the stream was never compared as a whole, or was not complete
    then, or under another contract; its certificates were altered or the newest is lost, its tables were made anew, or
    the ledger was, which knows what was merged since."""
    stream = contract.stream
    whole = next((link for link in reversed(chain.links) if link.report.get("since") is None), None)
    if whole is None or chain.broken or whole.report["state"] != State.COMPLETE:
        return None
    if whole.report.get("contract") != contract.digest or not warehouse.is_noted(stream, whole.hash):
        return None
    known = {
        entry.fact.report: entry.seq
        for entry in ledger.entries(Certified, stream=str(stream))
        if isinstance(entry.fact, Certified)
    }
    newest, seq = canonical_json(chain.links[-1].report), known.get(canonical_json(whole.report))
    if seq is None or newest != next(reversed(known)):
        return None
    merged = [entry for entry in ledger.entries(Merged, stream=str(stream)) if entry.seq > seq]
    batches = tuple(entry.fact.batch for entry in merged if isinstance(entry.fact, Merged))
    return Changed(Since(whole.number, exact_at(whole.report)), batches)
