"""What was done behind the pipe's back, what came of it, and what of that is not as it must be.

Pure. Whoever did it knows every key that was touched and what a certificate has to call it, so each is looked for by
name: one that is not named, one that is named in another class, and one that nobody touched are told alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..base.stream import Stream
from ..quality.certificate import Certificate, Certificates, Difference, State
from ..quality.gate import Verdict


class Place(StrEnum):
    WAREHOUSE = "warehouse"
    SOURCE = "source"


class How(StrEnum):
    ALTERED = "altered"
    DELETED = "deleted"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Deed:
    """Rows of one stream, touched in one way, by their keys; `difference` is what a certificate has to call them."""

    place: Place
    how: How
    stream: Stream
    difference: Difference
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Behind:
    """How far it has come; None and nothing stand for what is still to come.

    before     the gate of a mart that is made of the touched streams, while they were as their source
    found      what was certified after the deeds, every key named; `closed` is the gate then
    repaired   what was certified with a repair; `after` is the gate then
    """

    before: Verdict
    deeds: tuple[Deed, ...] = ()
    found: Certificates | None = None
    closed: Verdict | None = None
    repaired: Certificates | None = None
    after: Verdict | None = None

    @property
    def touched(self) -> int:
        return sum(len(deed.keys) for deed in self.deeds)

    @property
    def landed_again(self) -> int:
        """Rows that the repair has landed."""
        return 0 if self.repaired is None else sum(one.repaired for one in self.repaired.streams)

    def named(self, difference: Difference) -> int:
        """How many rows of all streams were found to differ so."""
        return 0 if self.found is None else sum(one.compared.finding(difference).count for one in self.found.streams)

    def named_of(self, deed: Deed) -> int:
        """How many of the rows of this deed were named as they must be."""
        streams = () if self.found is None else self.found.streams
        return sum(len(deed.keys & _keys(one, deed.difference)) for one in streams if one.stream == deed.stream)

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is not as it must be, in a sentence each; empty when all is."""
        if self.found is None or self.closed is None or self.repaired is None or self.after is None:
            return ("It did not come to its end.",)
        return (
            *(() if self.before.is_open else (f"{self.before.gate.name} was closed before anything was done.",)),
            *self._misnamed(self.found),
            *self._misgated(self.closed),
            *self._misrepaired(self.repaired),
            *(() if self.after.is_open else (f"{self.after.gate.name} stayed closed after the repair.",)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "deeds": [_deed_json(deed, self.named_of(deed)) for deed in self.deeds],
            **{difference.value: self.named(difference) for difference in Difference},
            "gate": self.before.gate.name,
            "closed_by": [] if self.closed is None else [one.to_json() for one in self.closed.closed],
            "repaired": self.landed_again,
            "certificate": None if self.repaired is None else self.repaired.state.value,
            "open_again": self.after is not None and self.after.is_open,
            "wrong": list(self.wrong),
        }

    def _misnamed(self, found: Certificates) -> Iterator[str]:
        by_stream = {one.stream: one for one in found.streams}
        for stream in sorted({*by_stream, *(deed.stream for deed in self.deeds)}):
            for difference in Difference:
                done = [deed.keys for deed in self.deeds if (deed.stream, deed.difference) == (stream, difference)]
                wanted = frozenset[str]().union(*done)
                one = by_stream.get(stream)
                named = frozenset() if one is None else _keys(one, difference)
                count = 0 if one is None else one.compared.finding(difference).count
                if lost := len(wanted - named):
                    yield f"{stream}: {lost} of {len(wanted)} rows were not named {difference.value}."
                if strange := max(len(named - wanted), count - len(named)):
                    yield f"{stream}: named {difference.value}, though nobody had touched them so: {strange}."

    def _misgated(self, closed: Verdict) -> Iterator[str]:
        told = {one.stream for one in closed.closed}
        for stream in sorted({deed.stream for deed in self.deeds} - told):
            yield f"{stream} differs, and {closed.gate.name} is not closed for it."

    def _misrepaired(self, repaired: Certificates) -> Iterator[str]:
        if self.landed_again != self.touched:
            yield f"{self.touched} rows were touched, and {self.landed_again} landed again."
        if repaired.state is not State.COMPLETE:
            why = [f"{one.stream}: {reason}" for one in repaired.streams for reason in one.reasons]
            yield " ".join([f"After the repair it is {repaired.state.value}.", *why])


def _keys(certificate: Certificate, difference: Difference) -> frozenset[str]:
    return frozenset(one.key for one in certificate.differing if one.difference is difference)


def _deed_json(deed: Deed, named: int) -> dict[str, Any]:
    told = {"place": deed.place.value, "how": deed.how.value, "stream": str(deed.stream), "rows": len(deed.keys)}
    return {**told, "difference": deed.difference.value, "named": named}
