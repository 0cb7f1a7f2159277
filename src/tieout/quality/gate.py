"""The gate before a mart: open while everything that it is made of is certified, and not too long ago.

It asks for certificates and not for whether a task succeeded: a run can end well over half of its rows. Pure; what was
certified is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ..base.duration import duration
from ..base.stream import Stream
from .certificate import State
from .chain import Chain
from .proof import exact_at

NOTHING_FAILED: Mapping[Stream, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Gate:
    """`name` is the mart's, `needs` the streams that it is made of. `within_seconds`: how long ago the moment may be
    for which they were last certified; `whole_within_seconds`: and that at which they were last compared as a whole."""

    name: str
    needs: tuple[Stream, ...]
    within_seconds: int
    whole_within_seconds: int = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a stream keeps a gate closed, in one sentence, and what opens it."""

    stream: Stream
    why: str
    hint: str

    def to_json(self) -> dict[str, str]:
        return {"stream": str(self.stream), "why": self.why, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`complete_through`: the moment up to which all that the mart needs is proven, of what did not change by an older
    comparison; None where a part never was."""

    gate: Gate
    closed: tuple[Closed, ...]
    complete_through: datetime | None

    @property
    def is_open(self) -> bool:
        return not self.closed

    def to_json(self) -> dict[str, Any]:
        through = self.complete_through
        return {
            "gate": self.gate.name,
            "open": self.is_open,
            "complete_through": None if through is None else through.isoformat().replace("+00:00", "Z"),
            "needs": [str(stream) for stream in self.gate.needs],
            "closed_by": [one.to_json() for one in self.closed],
        }


def judge(
    gate: Gate, chains: Mapping[Stream, Chain], now: datetime, *, failed: Mapping[Stream, str] = NOTHING_FAILED
) -> Verdict:
    """What is certified decides, and the checks that block: `failed` names of a stream those that did not pass. A
    stream of which nothing is known keeps the gate closed."""
    told = {stream: chains.get(stream, Chain()) for stream in gate.needs}
    closed = [found for stream, chain in told.items() if (found := _closed(stream, chain, gate, now)) is not None]
    closed += [
        Closed(stream, f"Checks that block have failed: {failed[stream]}.", f"See `tieout check {stream}`.")
        for stream in gate.needs
        if stream in failed
    ]
    through = [_complete_through(chain) for chain in told.values()]
    proven = [at for at in through if at is not None]
    return Verdict(gate, tuple(closed), min(proven) if len(proven) == len(through) and proven else None)


def _closed(stream: Stream, chain: Chain, gate: Gate, now: datetime) -> Closed | None:
    certify = f"Run `tieout certify {stream}`."
    newest = chain.newest
    if chain.broken:
        hint = f"See `tieout certificates {stream}`, and restore the landing from its copy."
        return Closed(stream, f"Its certificates were altered: {chain.broken[0]}", hint)
    if newest is None:
        return Closed(stream, "It was never certified.", certify)
    report, at = newest.report, _cut_of(newest.report)
    if report["state"] != State.COMPLETE:
        why = " ".join(report["reasons"]) or f"It is {report['state']}."
        return Closed(stream, f"At {at:%Y-%m-%d %H:%M} UTC it was {report['state']}: {why}", report["hint"] or certify)
    age = (now - at).total_seconds()
    if age > gate.within_seconds:
        why = f"It was certified as of {duration(age)} ago, and the gate asks for {duration(gate.within_seconds)}."
        return Closed(stream, why, certify)
    whole = (now - exact_at(report)).total_seconds()
    if whole > gate.whole_within_seconds:
        why = f"All of it was last compared {duration(whole)} ago, since then only what changed; the gate asks for"
        return Closed(stream, f"{why} {duration(gate.whole_within_seconds)}.", certify)
    return None


def _complete_through(chain: Chain) -> datetime | None:
    """The last moment for which the stream was certified as complete."""
    return max((_cut_of(link.report) for link in chain.links if link.report["state"] == State.COMPLETE), default=None)


def _cut_of(report: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(report["cut"]["at"])
