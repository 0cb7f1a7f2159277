"""A Salesforce org in `tieout.yaml`: how it is reached, which of its objects are read, which of its calls are ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..base import form
from ..base.duration import ALLOWED, seconds_of
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import Document, Place

SECRET = frozenset({"private_key", "client_secret", "client_id"})
ACTIVITIES = frozenset({"task", "event", "emailmessage", "taskrelation", "eventrelation"})
"""Objects of which an org has most and needs least: where nothing else is said they wait first when calls run short."""

NEVER = "never"
_LOGIN = "https://login.salesforce.com"
_EVENTS = "api.pubsub.salesforce.com:443"
_CHANNEL = "/data/ChangeEvents"
_API_NAME = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*(__[a-z]+)?|[A-Za-z][A-Za-z0-9]*__[A-Za-z](_?[A-Za-z0-9])*(__[a-z]+)?")
_VERSION = re.compile(r"[0-9]{2,3}\.0")


@dataclass(frozen=True, slots=True)
class ObjectConfig:
    """An object to read: its API name; seconds between two windows of what changed, two looks at the log of deletions,
    two readings of all rows' derived fields (0: none); whether its change events are heard; whether it is of the kind
    that waits first when calls run short."""

    api_name: str
    every_seconds: int
    deleted_seconds: int
    derived_seconds: int
    events: bool
    is_activity: bool


@dataclass(frozen=True, slots=True)
class SalesforceConfig:
    """An org. With `username` and `private_key` a signed assertion is exchanged for a token, with `client_secret` the
    app's own secret; all three, and `client_id`, are kept out of repr, and to be kept out of every message.

    events   address of the Pub/Sub API; "": events are not heard
    reserve  share of the org's daily calls that is left to its other applications
    retry_seconds   after the limit of the day was reached: when a call is tried again
    settle_seconds  how long after its end a transaction may still be invisible
    """

    login_url: str
    client_id: str = field(repr=False)
    username: str
    private_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    audience: str
    api_version: str
    events: str
    channel: str
    reserve: float
    retry_seconds: int
    settle_seconds: int
    objects: tuple[ObjectConfig, ...]


class _SalesforceForm(BaseModel):
    type: Literal["salesforce"]
    login_url: str = _LOGIN
    client_id: str = Field(min_length=1)
    username: str = ""
    private_key: str = ""
    client_secret: str = ""
    audience: str = ""
    api_version: str = "62.0"
    events: str = _EVENTS
    channel: str = _CHANNEL
    reserve: float = Field(default=0.2, ge=0.0, lt=1.0)
    limit_retry: form.Duration = "15m"
    settle: form.Duration = "5s"
    every: form.Duration = "60s"
    deleted_every: form.Duration = "5m"
    derived_every: form.Duration = "24h"
    objects: list[Any] = Field(min_length=1)


class _ObjectForm(BaseModel):
    object: str
    every: form.Duration | None = None
    deleted_every: form.Duration | None = None
    derived_every: form.Duration | None = None
    events: bool = True
    work: Literal["live", "activities"] | None = None


def salesforce(document: Document, place: Place) -> SalesforceConfig:
    """The source at `place`. Raises Misconfigured for the first wrong setting."""
    settings = form.read(_SalesforceForm, document, place, secret=SECRET)
    if not re.fullmatch(r"https://[^/]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?", settings.login_url):
        example = "https://acme.my.salesforce.com"
        raise document.wrong((*place, "login_url"), f"is no address to log in at; write one such as {example}.")
    if not _VERSION.fullmatch(settings.api_version):
        raise document.wrong((*place, "api_version"), 'is no version of the API; write one such as "62.0".')
    if bool(settings.private_key) == bool(settings.client_secret):
        hint = "Write username and private_key (an app with a certificate), or client_secret (client credentials)."
        raise document.wrong(place, "needs one of private_key and client_secret.", hint=hint)
    if settings.private_key and not settings.username:
        raise document.wrong((*place, "username"), "is missing; private_key signs in as a user.")
    return SalesforceConfig(
        login_url=settings.login_url,
        client_id=settings.client_id,
        username=settings.username,
        private_key=settings.private_key,
        client_secret=settings.client_secret,
        audience=settings.audience,
        api_version=settings.api_version,
        events=settings.events,
        channel=settings.channel,
        reserve=settings.reserve,
        retry_seconds=_seconds(document, (*place, "limit_retry"), settings.limit_retry),
        settle_seconds=_seconds(document, (*place, "settle"), settings.settle),
        objects=_objects(document, place, settings),
    )


def _objects(document: Document, place: Place, settings: _SalesforceForm) -> tuple[ObjectConfig, ...]:
    by_name: dict[str, ObjectConfig] = {}
    for index, entry in enumerate(settings.objects):
        here = (*place, "objects", index)
        found = _object(document, here, entry, settings)
        if found.api_name.lower() in by_name:
            raise document.wrong(here, f"names {found.api_name} a second time; its name has no upper and lower case.")
        by_name[found.api_name.lower()] = found
    return tuple(by_name.values())


def _object(document: Document, place: Place, entry: object, settings: _SalesforceForm) -> ObjectConfig:
    own = form.read(_ObjectForm, document, place) if isinstance(entry, dict) else _ObjectForm(object=str(entry))
    if not _API_NAME.fullmatch(own.object):
        wanted = "write an object's API name, such as Opportunity or Deal_Desk__c"
        raise document.wrong(place, f"is {document.found(place)}; {wanted}.")
    try:
        Stream("salesforce", own.object.lower())
    except Misconfigured as error:
        raise document.wrong(place, f"is not usable: {error.message}", hint=error.hint) from error
    seconds = {
        name: _seconds(document, (*place, name), getattr(own, name), word)
        if getattr(own, name) is not None
        else _seconds(document, (*place[:-2], name), getattr(settings, name), word)
        for name, word in (("every", ""), ("deleted_every", ""), ("derived_every", NEVER))
    }
    is_activity = own.object.lower() in ACTIVITIES if own.work is None else own.work == "activities"
    return ObjectConfig(
        own.object, seconds["every"], seconds["deleted_every"], seconds["derived_every"], own.events, is_activity
    )


def _seconds(document: Document, place: Place, text: str, never: str = "") -> int:
    """`never`: the word that says so, where that may be wanted; it is told by 0."""
    if never and text == never:
        return 0
    try:
        return seconds_of(text)
    except ValueError as error:
        allowed = f"{ALLOWED}, or {never}" if never else ALLOWED
        raise document.wrong(place, f"is {text!r}; write {allowed}.") from error
