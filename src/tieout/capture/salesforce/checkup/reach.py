"""Whether an org lets us in, answers, and has calls to spare. Answers in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....base.errors import TieoutError, Transient
from ....base.finding import Finding
from ..budget import Budget, Work
from ..describe import DELETED, STAMP, SObject
from ..refusal import ConcurrentLimit, DailyLimit, OverBudget
from .answers import Aim, Answers
from .codes import CODES
from .cost import TIME_CALLS, cost

LOGINS: tuple[tuple[str, str], ...] = (
    ("private key", "key"),
    ("user hasn't approved", "not_approved"),
    ("audience", "audience"),
    ("no client credentials user", "run_as"),
    ("request not supported on this domain", "domain"),
    ("expired access/refresh token", "expired"),
    ("assertion", "assertion"),
    ("expired", "assertion"),
    ("inactive_user", "user"),
    ("inactive user", "user"),
    ("invalid_app_access", "app"),
    ("invalid_client_id", "client"),
    ("invalid_client", "client"),
    ("login rate exceeded", "rate"),
)
"""Words of a refusal of the token endpoint -> the end of its code. The first counts."""
VERSION_MIN = 60.0
SKEW_SECONDS_MAX = 5.0
_API_WORDS = ("API_DISABLED", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED")


def login(answers: Answers) -> Iterator[Finding]:
    told = answers.login
    if not isinstance(told, TieoutError):
        yield CODES("salesforce.login.ok", told)
        return
    words = told.message.lower()
    by_words = next((code for word, code in LOGINS if word in words), "")
    code = by_words or ("unreachable" if isinstance(told, Transient) else "refused")
    yield CODES(f"salesforce.login.{code}", told.message, hint=told.hint)


def instance(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """The host of the rows, the version of its API, and its clock."""
    versions = answers.versions
    if isinstance(versions, TieoutError):
        code = "unreachable" if isinstance(versions, Transient) else "refused"
        yield CODES(f"salesforce.instance.{code}", versions.message, about=answers.instance, hint=versions.hint)
        return
    assert versions is not None, "who is let in asks for them"
    newest = max(versions, key=float, default="")
    if aim.version not in versions:
        hint = f"Set `api_version` to one of those it serves, such as {newest}." if newest else "Set `login_url` right."
        yield CODES("salesforce.version.unserved", f"{answers.instance} does not serve {aim.version}", hint=hint)
        return
    if float(aim.version) < VERSION_MIN:
        hint = f"Set `api_version` to {VERSION_MIN} or a later one, {newest} at most."
        yield CODES("salesforce.version.old", f"api_version is {aim.version}", hint=hint)
    if answers.skew_seconds is not None and abs(answers.skew_seconds) >= SKEW_SECONDS_MAX:
        side = "ahead of" if answers.skew_seconds > 0 else "behind"
        found = f"this machine's clock is {abs(answers.skew_seconds):.0f} s {side} the org's"
        yield CODES("salesforce.clock.skew", found, hint="Have this machine's clock follow a time server.")
    yield CODES("salesforce.instance.ok", f"{answers.instance} serves {aim.version}, and {newest} as its newest")


def calls(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """What is left of the org's day, for each kind of our work, and whether it is enough."""
    limits = answers.limits
    if limits is None:
        return
    if isinstance(limits, TieoutError):
        yield _unlimited(limits)
        return
    used, limit = _allowance(limits, "DailyApiRequests")
    if limit:
        yield from _left(aim, answers, used, limit)
    jobs_used, jobs_limit = _allowance(limits, "DailyBulkV2QueryJobs")
    if waiting := _waits(aim, jobs_used, jobs_limit):
        found = f"{jobs_used:,} of {jobs_limit:,} Bulk query jobs of the day are used, so there wait: {waiting}"
        yield CODES("salesforce.jobs.low", found, hint="They go on by themselves; see which application makes so many.")


def is_api_closed(error: object) -> bool:
    return isinstance(error, TieoutError) and any(word in error.message for word in _API_WORDS)


def _unlimited(error: TieoutError) -> Finding:
    if is_api_closed(error):
        return CODES("salesforce.user.api", error.message, hint=error.hint)
    if isinstance(error, DailyLimit | OverBudget):
        return CODES("salesforce.calls.out", error.message, hint=error.hint)
    if isinstance(error, ConcurrentLimit):
        return CODES("salesforce.question.refused", error.message, about="limits", hint=error.hint)
    hint = "Give the integration user the permission View Setup and Configuration."
    return CODES("salesforce.calls.unknown", error.message, hint=hint)


def _left(aim: Aim, answers: Answers, used: int, limit: int) -> Iterator[Finding]:
    ours = 1.0 - aim.reserve
    found = f"{used:,} of {limit:,} calls of the day are used, and {aim.reserve:.0%} are left to others"
    if used >= limit * ours:
        hint = "It goes on by itself; see docs/operate/runbooks/salesforce/api-limit.md."
        yield CODES("salesforce.calls.out", found, hint=hint)
    elif waiting := _waits(aim, used, limit):
        yield CODES(
            "salesforce.calls.low",
            f"{found}; there wait: {waiting}",
            hint="See docs/operate/runbooks/salesforce/api-limit.md.",
        )
    need = TIME_CALLS + sum(_need(aim, answers))
    if need > limit * ours:
        hint = "Raise `every` of objects whose events are heard, take objects out, or buy calls."
        asked = f"the settings ask for some {need:,} calls a day, and {int(limit * ours):,} are ours"
        yield CODES("salesforce.calls.need", asked, hint=hint)
    elif used < limit * ours:
        yield CODES("salesforce.calls.ok", f"{found}; the settings ask for some {need:,} a day")


def _need(aim: Aim, answers: Answers) -> Iterator[int]:
    """Of each object; of one that is not described all that it may take."""
    for wanted in aim.wanted:
        described = answers.described.get(wanted.object)
        if described is None or isinstance(described, TieoutError):
            yield cost(wanted).calls
        else:
            sobject = SObject.of(described)
            aged = {field.name for field in sobject.derived} - {STAMP, DELETED}
            yield cost(wanted, has_deleted=sobject.has_deleted, has_derived=bool(aged)).calls


def _waits(aim: Aim, used: int, limit: int) -> str:
    """The kinds of work that may not go on at this use."""
    budget = Budget(reserve=aim.reserve)
    return ", ".join(work.value for work in Work if limit and used >= limit * budget.ceiling(work))


def _allowance(limits: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Used, and of how many; of what is not told 0 of 0."""
    told = limits.get(name)
    if not isinstance(told, Mapping) or not told.get("Max"):
        return 0, 0
    return int(told["Max"]) - int(told.get("Remaining", 0)), int(told["Max"])
