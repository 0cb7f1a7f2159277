"""The invariants in words, for whoever reads that one was broken. `docs/why/proof.md` says what stands for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROMISES: Final[Mapping[str, str]] = {
    "I1": "What is merged has landed, what has landed survives a power cut, what is acknowledged is registered.",
    "I2": "The batches of each track follow one another without a hole, up to its cursor.",
    "I3": "The books balance, by count and by sum of ids, and count what landed.",
    "I4": "Nobody writes under a fence that a newer one has passed, and no lane is taken from its living holder.",
    "I5": "What is known of a key never becomes older.",
    "I8": "What is in the warehouse is what the source has, every row and value, and the certificate says so.",
    "I9": "The same landing gives the same tables, in whatever order and grouping it is merged.",
    "I11": "At rest nothing is open: no obligation, no hole, no lease, no file in the spool.",
    "I14": "When nothing strikes any more, everything comes to rest.",
    "algebra": "In whatever order and how often its changes arrive, a key ends as its history says.",
    "error": "No program fails.",
    "process": "A run comes to its end, and its process lives.",
    "determinism": "A seed that runs twice does the same twice.",
}


def promise(invariant: str) -> str:
    return PROMISES.get(invariant, f"The invariant {invariant} holds.")
