"""The client of one org: asks by REST, and makes every other call of the HTTP side. Thin: what is asked and what an
answer means is decided elsewhere.

A call is made only if the budget lets its work go on. An expired token is replaced once and the call made again; what
may pass by itself is tried again a few times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import httpx

from ....base.clock import Clock
from ....base.errors import Broken, Misconfigured, TieoutError
from ..budget import Budget, Work
from ..ids import to18
from ..refusal import (
    ConcurrentLimit,
    DailyLimit,
    Elsewhere,
    FieldGone,
    OverBudget,
    SessionExpired,
    Unavailable,
    as_json,
    grant_refusal,
    refusal,
)
from .door import Answer, Call, Door, Unsent
from .oauth import Credentials, Session, Token, pinned

_ATTEMPTS_MAX = 4
_PAUSE_SECONDS = 1.0
_PAGE_ROWS_MAX = 2_000
_IDS_MAX = 2_000
CLOCK_SECONDS_MAX = 60.0
"""So long this machine's clock is trusted to go on from what the org said the time was."""
_WINDOW_SECONDS_MIN = 120
"""The log of changes drops seconds, and takes no window of a minute or less."""
_Told = TypeVar("_Told")
_NEXT = re.compile(r"/services/data/v[0-9.]+/query(?:All)?/[\w-]+")


@dataclass(frozen=True, slots=True)
class Page:
    """`total`: rows of the whole answer, not of this page."""

    records: list[dict[str, Any]]
    total: int
    done: bool


@dataclass(frozen=True, slots=True)
class Covered:
    """Ids that were changed; `latest`: the second up to which the org swears that it has told all."""

    ids: tuple[str, ...]
    latest: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """Ids and the second of each one's deletion. `earliest`: what was deleted before is told no longer; `latest`: as
    of `Covered`."""

    entries: tuple[tuple[str, int], ...]
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids of 18 characters: the org's, and the user's as whom we ask."""

    org_id: str
    user_id: str


def steady() -> float:
    """For those whose pauses need not differ from each other's."""
    return 1.0


class Client:
    """`version`: as the org's addresses write it, "62.0". `client_name`: stands in the events of what we would change.
    `jitter`: the share of a pause that is kept, drawn anew for each. `calls`: how many the org has counted so far."""

    def __init__(
        self,
        login_url: str,
        credentials: Credentials,
        version: str,
        *,
        clock: Clock,
        budget: Budget,
        transport: httpx.BaseTransport | None = None,
        client_name: str = "tieout",
        jitter: Callable[[], float] = steady,
    ) -> None:
        self._login = pinned(login_url)
        self._credentials = credentials
        self.clock = clock
        self.budget = budget
        self.calls = 0
        self._jitter = jitter
        self._headers = {"Sforce-Call-Options": f"client={client_name}", "Accept": "application/json, text/csv"}
        self.root = f"/services/data/v{version.removeprefix('v')}"
        self._door = Door(clock, transport=transport)
        self._session = Session(self._granted)
        self._server: tuple[datetime, datetime] | None = None
        self._described: dict[str, str] = {}

    def close(self) -> None:
        self._door.close()

    def token(self) -> Token:
        """What Pub/Sub shows the org: the token, where its data are, and whose they are."""
        return self._session.token()

    def renew(self, token: Token) -> Token:
        """Another channel was told that this token counts no longer."""
        return self._session.renew(token)

    def identity(self) -> Identity:
        token = self._session.token()
        return Identity(token.org_id, token.user_id)

    def now(self, *, work: Work = Work.LIVE) -> int:
        """The org's own time, in seconds; at most a second behind it. Where it takes no calls, this machine's clock is
        trusted to go on from what the org said last."""
        if self._server is None or not 0 <= self._since_told() <= CLOCK_SECONDS_MAX:
            try:
                self.limits(work=work)
            except (DailyLimit, OverBudget):
                if self._server is None:
                    raise
        told, _ = cast(tuple[datetime, datetime], self._server)
        return int(told.timestamp() + max(0.0, self._since_told()))

    def limits(self, *, work: Work = Work.LIVE) -> dict[str, Any]:
        """What of each of the org's allowances is left."""
        limits = self._json(Call("GET", f"{self.root}/limits", "asking for its limits"), work)
        self.budget.told_limits(limits, self.clock.now())
        return cast(dict[str, Any], limits)

    def objects(self, *, work: Work = Work.LIVE) -> list[dict[str, Any]]:
        """Every object that the user may see, in short."""
        answer = self._json(Call("GET", f"{self.root}/sobjects", "asking for its objects"), work)
        return cast(list[dict[str, Any]], answer["sobjects"])

    def describe(self, api_name: str, *, work: Work = Work.LIVE, anew: bool = False) -> dict[str, Any] | None:
        """What the object's fields are; None: as this client was told before. With `anew` it is told in any case."""
        known = "" if anew else self._described.get(api_name, "")
        headers = {"If-Modified-Since": known} if known else {}
        path = f"{self.root}/sobjects/{quote(api_name, safe='')}/describe"
        answer = self.call(Call("GET", path, f"describing {api_name}", headers), work)
        if answer.status == 304:
            return None
        described = as_json(answer.body, doing=f"describing {api_name}")
        self._described[api_name] = answer.headers.get("Last-Modified") or answer.headers.get("Date", "")
        return cast(dict[str, Any], described)

    def query_pages(self, soql: str, *, with_deleted: bool = True, work: Work) -> Iterator[Page]:
        """The answer to a question, page by page. Raises LocatorExpired where the org forgot where we stood."""
        verb = "queryAll" if with_deleted else "query"
        path: str | None = f"{self.root}/{verb}?q={quote(soql, safe='')}"
        while path is not None:
            options = {"Sforce-Query-Options": f"batchSize={_PAGE_ROWS_MAX}"}
            answer = self._json(Call("GET", path, "querying", options), work)
            yield Page(answer["records"], int(answer["totalSize"]), bool(answer["done"]))
            path = _next(answer, path)

    def count(self, soql: str, *, with_deleted: bool = False, work: Work) -> int:
        """Of a question for `COUNT()`."""
        verb = "queryAll" if with_deleted else "query"
        answer = self._json(Call("GET", f"{self.root}/{verb}?q={quote(soql, safe='')}", "counting"), work)
        return int(answer["totalSize"])

    def updated(self, api_name: str, start: int, end: int, *, work: Work) -> Covered:
        """What was changed from `start` on. The org may tell more than that, never less."""
        answer = self._json(self._log("updated", api_name, start, end), work)
        return Covered(tuple(map(to18, answer["ids"])), _second(answer["latestDateCovered"]))

    def deleted(self, api_name: str, start: int, end: int, *, work: Work) -> Deleted:
        """What was deleted from `start` on, and is told still."""
        answer = self._json(self._log("deleted", api_name, start, end), work)
        entries = tuple((to18(each["id"]), _second(each["deletedDate"])) for each in answer["deletedRecords"])
        return Deleted(entries, _second(answer["earliestDateAvailable"]), _second(answer["latestDateCovered"]))

    def retrieve(self, api_name: str, ids: Sequence[str], fields: Sequence[str], *, work: Work) -> list[dict[str, Any]]:
        """The rows of these ids, 2,000 at most, that are there: a row in the recycle bin is not. For any number of
        fields."""
        assert len(ids) <= _IDS_MAX, "more ids than the org takes at once"
        path = f"{self.root}/composite/sobjects/{quote(api_name, safe='')}"
        asked = {"ids": list(ids), "fields": list(fields)}
        answer = self._json(Call("POST", path, f"retrieving {api_name}", json=asked), work)
        return [record for record in answer if record is not None]

    def call(self, call: Call, work: Work) -> Answer:
        """Any call; what may pass by itself is tried again. Raises what the refusal means."""
        return self._tried(call, lambda: self._signed(call, work))

    def _json(self, call: Call, work: Work) -> Any:
        """The answer to a call, decoded; one that is no JSON is asked for again."""
        return self._tried(call, lambda: as_json(self._signed(call, work).body, doing=call.doing))

    def _tried(self, call: Call, ask: Callable[[], _Told]) -> _Told:
        for attempt in range(1, _ATTEMPTS_MAX):
            try:
                return ask()
            except (Unavailable, ConcurrentLimit) as refused:
                if not call.repeatable and not isinstance(refused, Unsent | ConcurrentLimit):
                    raise
            self.clock.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1) * (0.5 + self._jitter() / 2))
        return ask()

    def _signed(self, call: Call, work: Work) -> Answer:
        """With a token; with another where it counts no longer, once."""
        token = self._session.token()
        try:
            return self._once(call, work, token)
        except SessionExpired:
            token = self._session.renew(token)
        try:
            return self._once(call, work, token)
        except Elsewhere as again:
            raise Misconfigured(
                f"{again.message} So it said where a new token had led.",
                hint="Set `login_url` to the org's My Domain, as it stands in Setup.",
            ) from again
        except SessionExpired as again:
            raise Misconfigured(
                f"{again.message} So it said of a token that it had just given.",
                hint="Look in the org's Login History for the integration user: frozen, or not let in from here.",
            ) from again

    def _once(self, call: Call, work: Work, token: Token) -> Answer:
        if not self.budget.allows(work, self.clock.now()):
            raise self.over_budget(work, call.doing)
        headers = {**self._headers, "Authorization": f"Bearer {token.access}"}
        answer = self._door.send(token.instance_url, call, headers)
        self._heard(answer, work)
        if answer.status in (200, 201, 202, 204, 304):
            self.budget.answered()
            return answer
        refused = refusal(answer.status, answer.body, doing=call.doing)
        if isinstance(refused, DailyLimit):
            self.budget.park(self.clock.now())
        if isinstance(refused, FieldGone):
            self._described.clear()  # hiding a field from a user need not count as a change of its object
        raise refused

    def over_budget(self, work: Work, doing: str) -> TieoutError:
        """What is said instead of a call that was not made."""
        calls, until = self.budget.calls, self.budget.parked_until
        used = f"{calls.used:,} of its {calls.limit:,} calls of the day" if calls else "its calls of the day"
        bound = f"{work.value} work stops at {self.budget.ceiling(work):.0%}" if until is None else "it refuses more"
        return OverBudget(
            f"{doing} waits: the org has made {used}, and {bound}.",
            hint="It goes on by itself when the org's use has fallen; see "
            "docs/operate/runbooks/salesforce/api-limit.md.",
        )

    def _heard(self, answer: Answer, work: Work) -> None:
        """What every answer says besides."""
        at = self.clock.now()
        self.calls += 1
        self.budget.spent(work, at)
        self.budget.told(answer.headers.get("Sforce-Limit-Info", ""), at)
        if (told := _date(answer.headers)) is not None:
            self._server = (told, at)

    def _since_told(self) -> float:
        _, at = cast(tuple[datetime, datetime], self._server)
        return (self.clock.now() - at).total_seconds()

    def _granted(self) -> Token:
        at = self.clock.now()
        grant = self._credentials.grant(at if self._server is None else self._server[0] + (at - self._server[1]))
        answer = self._door.post_form(f"{self._login}/services/oauth2/token", grant, doing="asking for a token")
        if answer.status != 200:
            told = _date(answer.headers)
            skew = None if told is None else (self.clock.now() - told).total_seconds()
            raise grant_refusal(answer.status, answer.body, skew_seconds=skew)
        return Token.of(as_json(answer.body, doing="asking for a token"))

    def _log(self, kind: str, api_name: str, start: int, end: int) -> Call:
        since = min(start, end - _WINDOW_SECONDS_MIN) // 60 * 60
        path = f"{self.root}/sobjects/{quote(api_name, safe='')}/{kind}/"
        question = f"?start={_moment(since)}&end={_moment(end)}"
        return Call("GET", path + question, f"asking what of {api_name} was {kind}")


def _next(answer: Mapping[str, Any], before: str) -> str | None:
    """Where the next page is. It may say `query` though `queryAll` was asked: the reading is the same."""
    if answer["done"]:
        return None
    path = urlsplit(str(answer.get("nextRecordsUrl", ""))).path
    if not _NEXT.fullmatch(path) or path == before:
        raise Broken("Salesforce, while querying, is not done and says no next page.")
    return path


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _moment(seconds: int) -> str:
    return quote(datetime.fromtimestamp(seconds, UTC).isoformat(), safe="")


def _second(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
