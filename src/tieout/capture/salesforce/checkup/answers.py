"""What is wanted of an org, and what it answered when it was asked about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....base.errors import TieoutError
from ..wanted import Wanted


@dataclass(frozen=True, slots=True)
class Aim:
    """What the settings want.

    columns  by object, those that its contract names
    version  of the API, as the settings write it
    reserve  of the org's daily calls the share that is left to its other applications
    channel  of events; "": events are not wanted
    """

    wanted: tuple[Wanted, ...]
    columns: Mapping[str, tuple[str, ...]]
    version: str
    reserve: float
    channel: str

    @property
    def heard(self) -> tuple[Wanted, ...]:
        """Of whose events news are wanted."""
        return tuple(one for one in self.wanted if one.events) if self.channel else ()


@dataclass(frozen=True, slots=True)
class Rights:
    """Of the user as whom we ask.

    views_all     every row of every object; `modifies_all`: and may change it
    views_all_of  objects, by their names here, of which it sees every row
    """

    views_all: bool
    modifies_all: bool
    views_all_of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Topics:
    """told      by object whose events are wanted: whether there are any for us, or why the org would not say
    channel   whether there is the channel that is wanted, or why the org would not say
    """

    told: Mapping[str, bool | TieoutError]
    channel: bool | TieoutError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was answered, or the error that came instead. None: not asked, since what it needs was refused.

    login         who we are, as `org 00D... user 005...`
    instance      the host that has the rows
    versions      of the API that it serves
    skew_seconds  by how much this machine's clock is ahead of the org's
    limits        of each allowance what it is and what is left
    described     by object
    """

    login: str | TieoutError
    instance: str = ""
    versions: tuple[str, ...] | TieoutError | None = None
    skew_seconds: float | None = None
    limits: Mapping[str, Any] | TieoutError | None = None
    rights: Rights | TieoutError | None = None
    described: Mapping[str, Mapping[str, Any] | TieoutError] = field(default_factory=dict)
    topics: Topics | TieoutError | None = None
