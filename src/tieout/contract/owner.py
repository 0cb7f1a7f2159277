"""Who answers for a stream, by its contract: the people of `team`, and the channels of `support`.

The standard leaves the word of a role free. An owner is who is called one: `owner`, `Data Owner`, `product owner`.
Where nobody is, the team answers under its name. Who has a `dateOut` has left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from open_data_contract_standard.model import Support, Team, TeamMember

_OWNER = "owner"
_ANNOUNCEMENTS = "announcements"
"""The scope of a channel in which nobody is asked anything."""


@dataclass(frozen=True, slots=True)
class Owner:
    """`names`: people, or one team; `channels`: where they are reached. One of the two may be empty."""

    names: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join((*self.names, *self.channels))

    def to_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "channels": list(self.channels)}


def owner_of(team: Team | list[TeamMember] | None, support: list[Support] | None) -> Owner | None:
    """None where the document names nobody. `team` is an object since 3.1, and was a list of its members before."""
    members, called = (team.members, team.name) if isinstance(team, Team) else (team, None)
    names = _distinct(one.name or one.username for one in members or () if _owns(one)) or _distinct([called])
    channels = _distinct(_channel(one) for one in support or () if (one.scope or "").lower() != _ANNOUNCEMENTS)
    return Owner(names, channels) if names or channels else None


def together(owners: Iterable[Owner]) -> Owner | None:
    """All of them as one, each name and channel once; None of nobody."""
    known = tuple(owners)
    names = _distinct(name for one in known for name in one.names)
    channels = _distinct(channel for one in known for channel in one.channels)
    return Owner(names, channels) if known else None


def _owns(member: TeamMember) -> bool:
    words = (member.role or "").lower().split()
    return not member.dateOut and bool(words) and words[-1] == _OWNER


def _channel(one: Support) -> str | None:
    return f"{one.channel} ({one.url})" if one.channel and one.url else one.channel or one.url


def _distinct(found: Iterable[str | None]) -> tuple[str, ...]:
    """In the document's order, without line breaks, what is empty left out."""
    return tuple(dict.fromkeys(" ".join(text.split()) for text in found if text and text.strip()))
