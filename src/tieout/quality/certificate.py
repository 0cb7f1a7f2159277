"""The certificate: whether a stream's rows here are the rows at the source, and if not, how far and why.

Three answers. Complete: nothing differs and nothing is open. Partial: every hole is known, named and on its way to be
mended. Broken: something differs that nobody can explain, or the books do not balance. Pure; what was found is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..base.stream import Stream
from .aging import Aged
from .books import Books
from .proof import Proof

DISCARDS_MAX = 5
"""Reasons for which rows were discarded that a certificate tells."""

KEYS_MAX = 100
"""Keys of one class of difference that a certificate names; its counts are exact."""

REPAIR_SHARE_MAX = 0.001
REPAIR_ROWS_MAX = 100
"""A repair that exceeds both, this share of the table's rows and this number of them, is asked about first."""


class State(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    BROKEN = "broken"


class Difference(StrEnum):
    """missing: live at the source, not here; ghost: live only here; stale: an older version stands here; diverged: any
    other difference."""

    MISSING = "missing"
    GHOST = "ghost"
    STALE = "stale"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Finding:
    """How many keys differ in one way, how many of them are open obligations, and the first of them in order."""

    count: int = 0
    known: int = 0
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differing:
    """One key that differs. `is_known`: an open obligation, or a row that waits or was given up, explains it; `fields`:
    those whose values differ, of a row that is live on both sides."""

    key: str
    difference: Difference
    is_known: bool
    fields: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        told = {"key": self.key, "difference": self.difference.value, "known": self.is_known}
        return {**told, "fields": list(self.fields)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found. `unreadable`: rows at the source that their contract cannot read; they have no values to
    compare, but what stands here under their keys is not what they say. `untold`: columns of the contract that the
    source does not tell, and that were not compared. `discards`: of the keys that differ and are known, those of which
    somebody discarded the newest change from quarantine: how many, by the reason that was given. `fields`: of the rows
    that are stale or diverged, in how many each field differs."""

    source_rows: int
    current_rows: int
    unreadable: int = 0
    findings: Mapping[Difference, Finding] = field(default_factory=dict)
    untold: tuple[str, ...] = ()
    discards: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)

    def finding(self, difference: Difference) -> Finding:
        return self.findings.get(difference, Finding())

    @property
    def differing(self) -> int:
        return sum(finding.count for finding in self.findings.values())


@dataclass(frozen=True, slots=True)
class Holes:
    """What is known not to be known of a stream.

    open        how many obligations are open        object_gap   something happened to the whole object
    nameless    rows in quarantine whose key cannot be read
    held_back   a sweep waits in quarantine, so what it would have deleted still stands here
    paused      what lands of it is not merged

    What a later sweep has overtaken explains nothing any more, and does not count among the nameless and held back.
    """

    open: int = 0
    object_gap: bool = False
    nameless: int = 0
    held_back: bool = False
    paused: bool = False


def unexplained(compared: Comparison, holes: Holes) -> int:
    """How many keys differ without a known hole that could be the reason."""
    if holes.object_gap or holes.paused:
        return 0
    left = {difference: found.count - found.known for difference, found in compared.findings.items()}
    if holes.held_back:
        left.pop(Difference.GHOST, None)
    missing = left.pop(Difference.MISSING, 0)
    return max(0, missing - holes.nameless) + sum(left.values())


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair would do to a stream: `rows` of `of_rows` read at the cut land again, as images or deletes."""

    stream: Stream
    rows: int
    of_rows: int

    @property
    def is_large(self) -> bool:
        return self.rows > REPAIR_ROWS_MAX and self.rows > REPAIR_SHARE_MAX * self.of_rows


@dataclass(frozen=True, slots=True)
class Certificate:
    """One stream compared with its source at one moment.

    unable    why the source can no longer tell a part of it, one sentence each
    proof     in what way the two were compared, and what was read for it
    derived   how far columns have aged that the source computes when it is asked; None where it has none. They count
              for no state: nobody tells when they change
    cut       the moment, as JSON
    contract  the digest of the contract by which both sides were read
    differing the keys that differ, as many as were asked for; they are told, and not kept
    number    its place in the stream's chain, from 1, and the hash of that link; 0 and "" before it is kept
    repaired  rows that landed again since the first comparison; what is told is the last one
    hint      the mend, where there is one to choose
    """

    stream: Stream
    compared: Comparison
    holes: Holes
    books: Books
    freshness_p95_seconds: float | None
    unable: tuple[str, ...]
    proof: Proof
    cut: Mapping[str, Any]
    contract: str = ""
    repaired: int = 0
    hint: str = ""
    differing: tuple[Differing, ...] = ()
    derived: Aged | None = None
    number: int = 0
    hash: str = ""

    @property
    def state(self) -> State:
        if not self.books.balanced or unexplained(self.compared, self.holes):
            return State.BROKEN
        return State.PARTIAL if self.reasons else State.COMPLETE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not complete, one sentence each; empty when it is."""
        compared, books = self.compared, self.books
        told = [
            _differing(compared.differing, unexplained(compared, self.holes)),
            _counted(self.holes.open, "key is", "keys are", "not known for certain."),
            _counted(compared.unreadable, "row", "rows", "at the source cannot be read as the contract promises."),
            _counted(books.pending.count, "received change is", "received changes are", "not merged yet."),
            "" if books.balanced else "The books do not balance.",
            _discarded(compared.discards),
        ]
        return (*filter(None, told), *self.unable)

    def to_json(self) -> dict[str, Any]:
        """For whoever asked: what is kept, its place in the chain, and the keys that were asked for."""
        told = {**self.report(), "number": self.number, "hash": self.hash}
        return {**told, "differing": [one.to_json() for one in self.differing]} if self.differing else told

    def report(self) -> dict[str, Any]:
        """What is kept."""
        findings = {difference: self.compared.finding(difference) for difference in Difference}
        return {
            "stream": str(self.stream),
            "state": self.state.value,
            "source_rows": self.compared.source_rows,
            "current_rows": self.compared.current_rows,
            **{difference.value: found.count for difference, found in findings.items()},
            "keys": {difference.value: list(found.keys) for difference, found in findings.items() if found.keys},
            "fields": dict(self.compared.fields),
            "not_compared": list(self.compared.untold),
            "books": self.books.to_json(),
            "freshness_p95_seconds": self.freshness_p95_seconds,
            "derived": None if self.derived is None else self.derived.to_json(),
            "obligations": self.holes.open,
            "repaired": self.repaired,
            "how": self.proof.how,
            "since": self.proof.since_json(),
            "cost": self.proof.to_json(),
            "cut": dict(self.cut),
            "contract": self.contract,
            "reasons": list(self.reasons),
            "hint": self.hint,
        }


def _counted(number: int, one: str, many: str, rest: str) -> str:
    return f"{number} {one if number == 1 else many} {rest}" if number else ""


def _differing(number: int, unexplained: int) -> str:
    if number == 1:
        return f"1 row differs, {'without' if unexplained else 'for'} a known reason."
    why = f"{unexplained} of them without a known reason." if unexplained else "all for known reasons."
    return _counted(number, "", "rows differ,", why)


def _discarded(discards: Mapping[str, int]) -> str:
    """Of what somebody gave up, the most common reason first: the source has it, and here it is not wanted."""
    if not discards:
        return ""
    number = sum(discards.values())
    reasons = sorted(discards, key=lambda reason: (-discards[reason], reason))
    told = ", ".join(f'"{reason}"' for reason in reasons[:DISCARDS_MAX])
    more = f", and for {len(reasons) - DISCARDS_MAX} more reasons" if len(reasons) > DISCARDS_MAX else ""
    subject = "1 row differs as it was" if number == 1 else f"{number} rows differ as they were"
    return f"{subject} discarded from quarantine: {told}{more}."


@dataclass(frozen=True, slots=True)
class Uncertified:
    """A stream that has news which cannot be merged, so that there is nothing to compare; why, and the mend."""

    stream: Stream
    reason: str
    hint: str

    def to_json(self) -> dict[str, Any]:
        return {"stream": str(self.stream), "reason": self.reason, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Of several streams; the worst of them is the state of all, and without a certificate none is worse."""

    streams: tuple[Certificate, ...] = ()
    uncertified: tuple[Uncertified, ...] = ()

    def __add__(self, other: Certificates) -> Certificates:
        return Certificates(self.streams + other.streams, self.uncertified + other.uncertified)

    @property
    def state(self) -> State:
        if self.uncertified:
            return State.BROKEN
        states = {certificate.state for certificate in self.streams}
        return next((state for state in (State.BROKEN, State.PARTIAL) if state in states), State.COMPLETE)

    @property
    def exit_code(self) -> int:
        return 0 if self.state is State.COMPLETE else 3

    def to_json(self) -> dict[str, Any]:
        return {
            "streams": [one.to_json() for one in self.streams],
            "uncertified": [one.to_json() for one in self.uncertified],
            "certificate": self.state.value,
        }
