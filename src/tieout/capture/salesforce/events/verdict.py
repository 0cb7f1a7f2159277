"""What a refusal of the Pub/Sub API means: what we do about it, and the error if that does not help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

import grpc

from ....base.errors import Broken, Misconfigured, TieoutError, Transient

_PREFIX = "sfdc.platform.eventbus.grpc."
_DETAIL_CHARACTERS_MAX = 300


class ReplayExpired(Transient):
    """The org knows no more what came behind the replay id. What was between is a hole; the topic goes on from its
    earliest event."""


class DeliveryLimit(Transient):
    """The org delivers no more events today. They are kept for three days, so waiting loses none before that."""


class TopicUnknown(Misconfigured):
    """The org has no such topic: changes of the entity are not published."""


class Deed(Enum):
    """AGAIN   after a pause         SLOWER  after a longer one      LESS  after a pause, with less credit
    RENEW   with another token    STOP    it is for others to move
    """

    AGAIN = auto()
    SLOWER = auto()
    LESS = auto()
    RENEW = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`error` is raised when the deed is STOP, or has not helped."""

    deed: Deed
    error: TieoutError


@dataclass(frozen=True, slots=True)
class _Meaning:
    deed: Deed
    error: type[TieoutError]
    hint: str


_AWAY = _Meaning(Deed.AGAIN, Transient, "It is tried again; status.salesforce.com tells of troubles of the instance.")
_SLOWER = _Meaning(Deed.SLOWER, Transient, "It is tried again after longer pauses; have fewer workers read this org.")
_LESS = _Meaning(Deed.LESS, Transient, "It is tried again, with fewer events at a time.")
_REFUSED = _Meaning(
    Deed.RENEW, Misconfigured, "Look whether the user is frozen, the app revoked, or its IP range restricted."
)
_LIMIT = _Meaning(Deed.STOP, DeliveryLimit, "Events wait three days; see docs/operate/runbooks/salesforce/lag.md.")
_REPLAY = _Meaning(Deed.STOP, ReplayExpired, "What was missed is read again, and the events go on from the earliest.")
_RIGHT = "Give the integration user View All Data, or read access to every followed object."

_BY_CODE: Mapping[str, _Meaning] = {
    "service.unavailable": _AWAY,
    "topic.api.unavailable": _AWAY,
    "schema.api.unavailable": _AWAY,
    "subscription.internal.error": _AWAY,
    "subscription.fetch.replay.repeated": _AWAY,
    "service.auth.error": _REFUSED,
    "service.auth.headers.invalid": _Meaning(
        Deed.STOP, Misconfigured, "Set `login_url` to the org's own host, so that its instance and its id are known."
    ),
    "service.tenant.license": _Meaning(
        Deed.STOP, Misconfigured, "The org's licence has no Pub/Sub API: set `events` off."
    ),
    "topic.meta.permission": _Meaning(Deed.STOP, Misconfigured, _RIGHT),
    "subscription.topic.cannot.subscribe": _Meaning(Deed.STOP, Misconfigured, _RIGHT),
    "service.protection.triggered": _SLOWER,
    "service.protection.stream.limit.triggered": _SLOWER,
    "concurrent.client.limit.exceeded": _LIMIT,
    "subscription.limit.exceeded": _LIMIT,
    "topic.not.found": _Meaning(
        Deed.STOP, TopicUnknown, "Select the object in Setup, Change Data Capture; or let it be polled."
    ),
    "subscription.fetch.replayid.corrupted": _REPLAY,
    "subscription.fetch.replayid.validation.failed": _REPLAY,
    "subscription.fetch.overflow": _LESS,
    "fetch.topic.mismatch": _Meaning(Deed.STOP, Broken, ""),
    "fetch.requested.events.invalid": _Meaning(Deed.STOP, Broken, ""),
}
_BY_STATUS: Mapping[grpc.StatusCode, _Meaning] = {
    grpc.StatusCode.UNAUTHENTICATED: _REFUSED,
    grpc.StatusCode.PERMISSION_DENIED: _Meaning(Deed.STOP, Misconfigured, _RIGHT),
    grpc.StatusCode.NOT_FOUND: _BY_CODE["topic.not.found"],
    grpc.StatusCode.RESOURCE_EXHAUSTED: _LESS,
    grpc.StatusCode.INVALID_ARGUMENT: _Meaning(Deed.STOP, Broken, ""),
    grpc.StatusCode.UNIMPLEMENTED: _Meaning(
        Deed.STOP, Misconfigured, "Set `events` to the org's Pub/Sub endpoint, such as api.pubsub.salesforce.com:7443."
    ),
}


def verdict(status: grpc.StatusCode, code: str, details: str, *, doing: str) -> Verdict:
    """`code` is the trailer `error-code`, "" where there is none; `doing` what was refused, for people."""
    suffix = code.removeprefix(_PREFIX)
    meaning = _meaning(suffix) or _BY_STATUS.get(status, _AWAY)
    said = " ".join(details.split())[:_DETAIL_CHARACTERS_MAX]
    return Verdict(meaning.deed, meaning.error(f"{doing}: {suffix or status.name}: {said}", hint=meaning.hint))


def _meaning(suffix: str) -> _Meaning | None:
    """Some codes were seen with words before those that are documented."""
    if suffix in _BY_CODE:
        return _BY_CODE[suffix]
    return next((meaning for known, meaning in _BY_CODE.items() if suffix.endswith(f".{known}")), None)
