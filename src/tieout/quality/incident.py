"""Incidents: of all that is wrong at a moment the causes, each once, with what it affects and what mends it.

A source that is away makes each of its streams late: that is one incident and not forty. Pure; what is wrong is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from ..base.stream import Stream
from ..contract.owner import Owner, together


class Cause(StrEnum):
    """What kind of thing is wrong; each has a runbook of its name in `docs/operate/runbooks`.

    warehouse    the warehouse cannot be read
    source       a source cannot be read, or nobody reads it
    stuck        a stream cannot be merged
    paused       a stream is not merged until somebody looks at it
    books        the books of a stream do not balance
    differs      the newest certificate of a stream is broken, or was altered
    quarantine   rows wait in quarantine for too long
    check        a check that blocks has failed
    unproven     a gate is closed as nothing was certified, or not lately
    """

    WAREHOUSE = "warehouse"
    SOURCE = "source"
    STUCK = "stuck"
    PAUSED = "paused"
    BOOKS = "books"
    DIFFERS = "differs"
    QUARANTINE = "quarantine"
    CHECK = "check"
    UNPROVEN = "unproven"


class Severity(StrEnum):
    """page: figures are wrong, or nothing comes in any more; warn: somebody should look today."""

    PAGE = "page"
    WARN = "warn"


SEVERITIES: Final[Mapping[Cause, Severity]] = {
    Cause.WAREHOUSE: Severity.PAGE,
    Cause.SOURCE: Severity.PAGE,
    Cause.STUCK: Severity.PAGE,
    Cause.PAUSED: Severity.WARN,
    Cause.BOOKS: Severity.PAGE,
    Cause.DIFFERS: Severity.PAGE,
    Cause.QUARANTINE: Severity.WARN,
    Cause.CHECK: Severity.PAGE,
    Cause.UNPROVEN: Severity.WARN,
}
EXPLAINS: Final[Mapping[Cause, frozenset[Cause]]] = {
    Cause.WAREHOUSE: frozenset({Cause.UNPROVEN}),
    Cause.SOURCE: frozenset({Cause.UNPROVEN}),
    Cause.STUCK: frozenset({Cause.UNPROVEN, Cause.DIFFERS}),
    Cause.PAUSED: frozenset({Cause.UNPROVEN, Cause.QUARANTINE}),
    Cause.BOOKS: frozenset({Cause.DIFFERS}),
    Cause.DIFFERS: frozenset({Cause.UNPROVEN}),
}
"""What follows from a cause in the same stream (of a source: in all its streams; of the warehouse: in all), and is no
incident of its own. Nothing is explained by what is less grave than itself: who hears of pages alone would not hear of
it."""
PROJECT: Final = "project"
"""Where something is wrong that is of no source."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `stream` None: with all of the lane; `lane` None: with all of the project; `since` None:
    nobody knows; `what` in one sentence, `mend` the command or the deed that ends it. `parts`: where more than one of a
    kind can be wrong at once, the names of those that are (of checks, of gates)."""

    cause: Cause
    lane: str | None
    stream: Stream | None
    since: datetime | None
    what: str
    mend: str
    parts: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return (self.lane or PROJECT) if self.stream is None else str(self.stream)

    @property
    def id(self) -> str:
        """The same for as long as it lasts, and when it comes back."""
        return f"{self.cause}:{self.where}"


NOBODY: Final[Mapping[Stream, Owner]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble that nothing else explains, and those that it does. `owner`: who answers for the stream, or for the
    streams of the lane; None where no contract names anybody."""

    trouble: Trouble
    explained: tuple[Trouble, ...] = ()
    owner: Owner | None = None

    @property
    def id(self) -> str:
        return self.trouble.id

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.trouble.cause]

    @property
    def runbook(self) -> str:
        return f"docs/operate/runbooks/{self.trouble.cause}.md"

    @property
    def affects(self) -> tuple[str, ...]:
        """The streams that have other troubles because of it."""
        return tuple(sorted({one.where for one in self.explained} - {self.trouble.where}))

    def to_json(self) -> dict[str, Any]:
        since = self.trouble.since
        return {
            "id": self.id,
            "cause": self.trouble.cause.value,
            "where": self.trouble.where,
            "severity": self.severity.value,
            "since": None if since is None else since.isoformat().replace("+00:00", "Z"),
            "owner": None if self.owner is None else self.owner.to_json(),
            "what": self.trouble.what,
            "affects": list(self.affects),
            "mend": self.trouble.mend,
            "runbook": self.runbook,
        }


OPENED, GREW, RECOVERED = "opened", "grew", "recovered"


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told of an incident: the event, and which of its parts were new then."""

    id: str
    event: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is to be told: that an incident opened or grew, with all of it, or that it is over. `parts`: those
    of its parts that are new."""

    event: str
    id: str
    incident: Incident | None
    parts: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        if self.incident is None:
            return f"Recovered: {self.id}"
        word = "Incident" if self.incident.severity is Severity.PAGE else "Warning"
        return f"{word} grew: {self.id}" if self.event == GREW else f"{word}: {self.id}"

    @property
    def text(self) -> str:
        """Plain text, some lines."""
        if self.incident is None:
            return "It is over."
        new = f"New: {', '.join(self.parts)}." if self.event == GREW else ""
        affected = f"It affects {', '.join(self.incident.affects)}." if self.incident.affects else ""
        trouble = self.incident.trouble
        since = "" if trouble.since is None else f"Since {trouble.since:%Y-%m-%d %H:%M} UTC."
        owner = "" if self.incident.owner is None else f"Owner: {self.incident.owner}."
        runbook = f"See {self.incident.runbook}."
        return "\n".join(filter(None, (new, trouble.what, affected, since, owner, trouble.mend, runbook)))


def notices(
    found: Iterable[Incident],
    told: Iterable[Told],
    *,
    least: Severity = Severity.WARN,
    unseen: Collection[Cause] = (),
) -> tuple[Notice, ...]:
    """What is new since somebody was told last. `told`: the notices that went out, in order; `least`: below which
    severity nobody wants to hear of anything new. What is wrong is not over, whatever explains it by now; nor is what
    could not be looked at (`unseen`)."""
    known, heard = tuple(found), _heard(told)
    new = [_new(one, heard.get(one.id)) for one in known if least is Severity.WARN or one.severity is Severity.PAGE]
    lasting = {trouble.id for one in known for trouble in (one.trouble, *one.explained)}
    over = [id_ for id_ in heard if id_ not in lasting and id_.partition(":")[0] not in unseen]
    return (*filter(None, new), *(Notice(RECOVERED, id_, None) for id_ in over))


def _heard(told: Iterable[Told]) -> dict[str, frozenset[str]]:
    """The incidents of which somebody knows that they opened, and not yet that they are over, with the known parts."""
    heard: dict[str, frozenset[str]] = {}
    for one in told:
        if one.event == RECOVERED:
            heard.pop(one.id, None)
        else:
            heard[one.id] = heard.get(one.id, frozenset()).union(one.parts)
    return heard


def _new(one: Incident, heard: frozenset[str] | None) -> Notice | None:
    """`heard`: the parts that are known; None of an incident that is not."""
    if heard is None:
        return Notice(OPENED, one.id, one, one.trouble.parts)
    parts = tuple(part for part in one.trouble.parts if part not in heard)
    return Notice(GREW, one.id, one, parts) if parts else None


def incidents(troubles: Iterable[Trouble], owners: Mapping[Stream, Owner] = NOBODY) -> tuple[Incident, ...]:
    """The causes among them, those that page first. `owners`: of the streams whose contracts name one."""
    known = sorted(troubles, key=lambda one: (list(Cause).index(one.cause), one.where))
    explained = {one: _why(one, known) for one in known}
    roots = [one for one in known if explained[one] is None]
    found = [
        Incident(
            root,
            tuple(one for one in known if _root(one, explained) is root and one is not root),
            _owner(root, owners),
        )
        for root in roots
    ]
    return tuple(sorted(found, key=lambda one: one.severity is not Severity.PAGE))


def _owner(trouble: Trouble, owners: Mapping[Stream, Owner]) -> Owner | None:
    if trouble.stream is not None:
        return owners.get(trouble.stream)
    return together(owner for stream, owner in sorted(owners.items()) if trouble.lane in (None, stream.source))


def _why(one: Trouble, known: Iterable[Trouble]) -> Trouble | None:
    return next((other for other in known if _explains(other, one)), None)


def _explains(cause: Trouble, other: Trouble) -> bool:
    is_there = cause.lane in (None, other.lane) and cause.stream in (None, other.stream)
    return is_there and other.cause in EXPLAINS.get(cause.cause, frozenset())


def _root(one: Trouble, explained: Mapping[Trouble, Trouble | None]) -> Trouble:
    """Ends, as what explains stands before what it explains."""
    while (why := explained[one]) is not None:
        one = why
    return one
