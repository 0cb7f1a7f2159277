"""The chain of a stream's certificates: each bears the hash of the one before it, so none can be altered or taken out
unseen.

Who keeps the hash of the newest elsewhere has all of them signed. Pure; a link is text, and where it is kept is the
landing's affair.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..base.codec import canonical_json, sha256_hex

BEGIN = ""
"""The hash before the first."""


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate in its place. `number` counts from 1, `previous` is the hash of the link before it, `at` when it
    was made, `report` its JSON."""

    number: int
    previous: str
    at: datetime
    report: Mapping[str, Any]

    @property
    def text(self) -> str:
        made = {"number": self.number, "previous": self.previous, "at": self.at.isoformat(), "report": self.report}
        return canonical_json(made)

    @property
    def hash(self) -> str:
        """SHA-256 of the text, in hex."""
        return sha256_hex(self.text.encode())

    @classmethod
    def parse(cls, text: str) -> Link:
        """Raises ValueError for what is no link."""
        told = json.loads(text)
        try:
            return cls(int(told["number"]), str(told["previous"]), datetime.fromisoformat(told["at"]), told["report"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is no certificate: {error}") from error


@dataclass(frozen=True, slots=True)
class Chain:
    """A stream's certificates in their order, as far as they can be read; `broken` says where they are not what they
    were, one sentence each."""

    links: tuple[Link, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def newest(self) -> Link | None:
        return self.links[-1] if self.links else None

    def following(self, at: datetime, report: Mapping[str, Any]) -> Link:
        """The next one. It goes on from the newest that can be read, whatever is wrong before that."""
        newest = self.newest
        if newest is None:
            return Link(1, BEGIN, at, report)
        return Link(newest.number + 1, newest.hash, at, report)


def chain_of(kept: Iterable[tuple[str, str]]) -> Chain:
    """Of each link its hash, as it was named when it was kept, and its text."""
    return _linked(kept, begins_at=1)


def tail_of(kept: Iterable[tuple[str, str]]) -> Chain:
    """The same of the last links of a chain, which may begin anywhere."""
    return _linked(kept, begins_at=None)


def _linked(kept: Iterable[tuple[str, str]], *, begins_at: int | None) -> Chain:
    links: list[Link] = []
    broken: list[str] = []
    for named, text in kept:
        try:
            links.append(Link.parse(text))
        except ValueError as error:
            broken.append(f"A certificate that was kept as {named[:12]} cannot be read: {error}.")
            continue
        if sha256_hex(text.encode()) != named:
            broken.append(f"Certificate {links[-1].number} is not what it was when it was kept as {named[:12]}.")
    links.sort(key=lambda link: (link.number, link.at))
    if links and begins_at is not None and links[0].number != begins_at:
        broken.append(_gap(begins_at - 1, links[0].number))
    elif links and links[0].number == 1 and links[0].previous != BEGIN:
        broken.append("Certificate 1 does not follow the one before it.")
    for before, link in pairwise(links):
        if link.number != before.number + 1:
            broken.append(_gap(before.number, link.number))
        elif link.previous != before.hash:
            broken.append(f"Certificate {link.number} does not follow the one before it.")
    return Chain(tuple(links), tuple(broken))


def _gap(before: int, number: int) -> str:
    if number == before:
        return f"There are two certificates {number}."
    if number == before + 2:
        return f"Certificate {before + 1} is missing."
    return f"The certificates {before + 1} to {number - 1} are missing."
