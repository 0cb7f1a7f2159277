"""What a refusal of the org means for us: who must move next, and what mends it.

The org says by a code what is wrong, in a list; its edge says it in HTML, its token endpoint in an object. One code has
two meanings, of which only its words tell: a limit of the day, and a limit of a moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ...base.errors import Broken, Misconfigured, TieoutError, Transient

_TOKEN = re.compile(r"00D\w{9,15}!\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\b(?:assertion|client_secret|refresh_token)=\S+")
_TEXT_CHARS_MAX = 400
_UNKNOWN = "it says no more"


class SessionExpired(Transient):
    """The token counts no longer, here in the middle of whatever we were at. It is asked for again, once."""


class Elsewhere(SessionExpired):
    """The org is not, or no longer, where it was asked: a new token tells where it is."""


class DailyLimit(Transient):
    """The org has made all calls of its day. Nothing helps but that the oldest of them come of age."""


class JobsLimit(Transient):
    """The org has run all Bulk jobs of its day."""


class ConcurrentLimit(Transient):
    """Too many long calls run at this moment."""


class LocatorExpired(Transient):
    """The org forgot where a reading stood: its window is read from the beginning."""


class QueryTimeout(Transient):
    """A question took the org longer than it grants."""


class Unavailable(Transient):
    """The org is away, or being looked after."""


class OverBudget(Transient):
    """A call that was not made: what is left of the org's day belongs to more urgent work, or to others."""


class TooManyIds(Transient):
    """More ids than a log of changes or deletions tells at once: its window is to be narrower."""


class WindowRefused(Transient):
    """A log of changes or deletions does not reach back so far: what it would have told is to be read whole."""


class NotReady(Transient):
    """A Bulk job has no result yet. That is another thing than no rows."""


class JobLost(Transient):
    """A Bulk job failed, was ended by somebody, or is known no longer: it is made anew."""


class FieldGone(Misconfigured):
    """A field that was asked for is not there, or not for this user."""


class ObjectHidden(Misconfigured):
    """An object that was asked for is not there, or not for this user."""


class NotAllowed(Misconfigured):
    """The user lacks a right."""


_Mend = tuple[type[TieoutError], str]

_MEND: Mapping[str, _Mend] = {
    "INVALID_SESSION_ID": (SessionExpired, "The token is asked for again."),
    "INVALID_AUTH_HEADER": (SessionExpired, "The token is asked for again."),
    "INVALID_QUERY_LOCATOR": (LocatorExpired, "The window is read again from its beginning."),
    "INVALID_LOCATOR": (JobLost, "The job is made anew."),
    "QUERY_TIMEOUT": (QueryTimeout, "It is asked again with a narrower window."),
    "OPERATION_TOO_LARGE": (QueryTimeout, "It is asked again with a narrower window."),
    "UNKNOWN_EXCEPTION": (Unavailable, "It is tried again."),
    "SERVER_UNAVAILABLE": (Unavailable, "It is tried again; see status.salesforce.com."),
    "UNABLE_TO_LOCK_ROW": (Unavailable, "It is tried again."),
    "EXCEEDED_ID_LIMIT": (TooManyIds, "It is asked again for a shorter time."),
    "INVALID_REPLICATION_DATE": (WindowRefused, "The object is read whole again."),
    "INVALIDJOBSTATE": (NotReady, "It is asked for again."),
    "INVALIDJOB": (JobLost, "The job is made anew."),
    "LIMIT_EXCEEDED": (JobsLimit, "It is tried again when the oldest Bulk jobs of the day have come of age."),
    "EXCEEDEDQUOTA": (JobsLimit, "It is tried again when the oldest Bulk jobs of the day have come of age."),
    "INVALID_FIELD": (FieldGone, "Let the integration user see the field, or look at the contract's drift."),
    "INVALID_TYPE": (ObjectHidden, "Let the integration user see the object, or take it out of `objects`."),
    "INVALIDENTITY": (ObjectHidden, "Take the object out of `objects`: Bulk cannot read it."),
    "NOT_FOUND": (ObjectHidden, "Let the integration user see the object, or take it out of `objects`."),
    "API_DISABLED_FOR_ORG": (NotAllowed, "Give the integration user the permission API Enabled."),
    "API_CURRENTLY_DISABLED": (NotAllowed, "Give the integration user the permission API Enabled."),
    "INSUFFICIENT_ACCESS": (NotAllowed, "Give the integration user View All Data, or View All on the objects."),
    "INSUFFICIENT_ACCESS_OR_READONLY": (NotAllowed, "Give the integration user View All on the objects."),
    "FEATURENOTENABLED": (NotAllowed, "Give the integration user the permission API Enabled."),
    "FUNCTIONALITY_NOT_ENABLED": (NotAllowed, "Give the integration user the permission API Enabled."),
    "UNSUPPORTED_API_VERSION": (Misconfigured, "Set `api_version` to one that the org still serves."),
    "MALFORMED_QUERY": (Broken, ""),
    "JSON_PARSER_ERROR": (Broken, ""),
}
_WORDS: tuple[tuple[str, str], ...] = (
    ("No such column", "INVALID_FIELD"),
    ("INVALID_FIELD", "INVALID_FIELD"),
    ("is not supported", "INVALID_TYPE"),
    ("INVALID_TYPE", "INVALID_TYPE"),
    ("QUERY_TIMEOUT", "QUERY_TIMEOUT"),
)
"""Bulk tells most of its refusals under one code, and a job that has failed under none."""
_BY_STATUS: Mapping[int, _Mend] = {
    401: (SessionExpired, "The token is asked for again."),
    403: (NotAllowed, "Give the integration user View All Data and API Enabled."),
    404: (ObjectHidden, "Let the integration user see the object, or take it out of `objects`."),
    408: (Unavailable, "It is tried again."),
    409: (Broken, "A job's results are read with the API version that it was made with."),
    410: (Misconfigured, "Set `api_version` to one that the org still serves."),
    420: (Elsewhere, "The token is asked for again."),
    429: (ConcurrentLimit, "It is tried again after a pause."),
}
_CONCURRENT: _Mend = (ConcurrentLimit, "It is tried again after a pause.")
_DAILY: _Mend = (
    DailyLimit,
    "It is tried again when the org's use has fallen; see docs/operate/runbooks/salesforce/api-limit.md.",
)
_LOST = "The job is made anew; see docs/operate/runbooks/salesforce/bulk-failed.md."
_AWAY: _Mend = (Unavailable, "It is tried again; see status.salesforce.com.")
_MOVED: _Mend = (Elsewhere, "The token is asked for again.")

_GRANTS: tuple[tuple[str, _Mend], ...] = (
    ("user hasn't approved", (NotAllowed, "Let the app's policies admit the user: Permitted Users, pre-authorized.")),
    ("audience", (Misconfigured, "Set `audience` to https://login.salesforce.com, or https://test.salesforce.com.")),
    ("no client credentials user", (Misconfigured, "Set the app's run-as user for the client credentials flow.")),
    ("request not supported on this domain", (Misconfigured, "Set `login_url` to the org's My Domain.")),
    (
        "expired access/refresh token",
        (Misconfigured, "Authorise the app again, and let its policy not expire tokens at once."),
    ),
    ("assertion", (Misconfigured, "Set this machine's clock right; look whether the app has the key's certificate.")),
    ("expired", (Misconfigured, "Set this machine's clock right; look whether the app has the key's certificate.")),
    ("inactive_user", (NotAllowed, "Activate the integration user, or name another.")),
    ("inactive user", (NotAllowed, "Activate the integration user, or name another.")),
    ("invalid_app_access", (NotAllowed, "Let the app's policies admit the integration user.")),
    ("invalid_client_id", (Misconfigured, "Correct the consumer key; a new app takes minutes to be known.")),
    ("invalid_client", (Misconfigured, "Correct the consumer key and secret.")),
    ("login rate exceeded", _CONCURRENT),
    ("unknown_error", _AWAY),
)
_GRANT: _Mend = (Misconfigured, "Correct the credentials of the source; the org's Login History tells what it missed.")


def refusal(status: int, body: bytes, *, doing: str) -> TieoutError:
    """Our error for an answer that is none. `doing` says what we were at."""
    code, message = said(body)
    family, hint = _mend(status, code, message)
    return family(f"Salesforce, while {doing}: {told(status, code, message)}", hint=hint)


def job_refusal(error: str, *, doing: str) -> TieoutError:
    """Our error for a Bulk job that has failed."""
    family, hint = _MEND[_worded(error)] if _worded(error) else (JobLost, _LOST)
    words = " ".join(without_secrets(error).split())[:_TEXT_CHARS_MAX] or _UNKNOWN
    return family(f"Salesforce, while {doing}: {words.rstrip('.')}.", hint=hint)


def grant_refusal(status: int, body: bytes, *, skew_seconds: float | None = None) -> TieoutError:
    """The same of the token endpoint. `skew_seconds`: by how much this machine's clock is ahead of the org's."""
    code, message = said(body)
    words = f"{code} {message}".lower()
    family, hint = _AWAY if status >= 500 else next((mend for word, mend in _GRANTS if word in words), _GRANT)
    if skew_seconds is not None and abs(skew_seconds) >= 30 and issubclass(family, Misconfigured):
        side = "ahead of" if skew_seconds > 0 else "behind"
        hint = f"This machine's clock is {abs(skew_seconds):.0f} s {side} Salesforce's; set it right. {hint}"
    return family(f"Salesforce, while asking for a token: {told(status, code, message)}", hint=hint)


def said(body: bytes) -> tuple[str, str]:
    """Code and words of a refusal, whatever form it has; ("", "") of one that has neither."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    first = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    return str(code), str(first.get("message") or first.get("error_description") or first.get("exceptionMessage") or "")


def without_secrets(text: str) -> str:
    return _TOKEN.sub("...", text)


def told(status: int, code: str, message: str) -> str:
    words = " ".join(without_secrets(message).split())[:_TEXT_CHARS_MAX] or _UNKNOWN
    return f"HTTP {status} {code}: {words.rstrip('.')}." if code else f"HTTP {status}, {words.rstrip('.')}."


def _mend(status: int, code: str, message: str) -> _Mend:
    if code in ("REQUEST_LIMIT_EXCEEDED", "TXN_SECURITY_METERING_ERROR"):
        return _CONCURRENT if "concurrent" in message.lower() else _DAILY
    if status == 404 and not code:  # not the API says so, but whoever stands where the org was
        return _MOVED
    code = _worded(message) if code in ("", "API_ERROR") else code
    if code in _MEND:
        return _MEND[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return _AWAY
    return _MOVED if 300 <= status < 400 else (Broken, "")


def _worded(message: str) -> str:
    return next((code for words, code in _WORDS if words in message), "")


def as_json(body: bytes, *, doing: str) -> Any:
    """An answer, each fraction in it as the text that it was written in. Raises Unavailable for what is no JSON."""
    try:
        return _EXACTLY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable(f"Salesforce, while {doing}, answered with what is no JSON.", hint=_AWAY[1]) from error


_EXACTLY = msgspec.json.Decoder(float_hook=str)
