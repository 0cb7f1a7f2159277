"""The script of what goes wrong: at the nth call of a kind, or at the first for which a predicate holds, that deed.

Kinds of REST: token, versions, query, query_more, describe, sobjects, updated, deleted, retrieve, create, update,
delete, upsert, collections, limits; `row` is one row of a collection. Others (Bulk, Pub/Sub) bring kinds of their own.
Nothing goes wrong by luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeAlias

TOTAL: Final = "TotalRequests Limit exceeded."
CONCURRENT: Final = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
_BUSY: Final = b"<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Respond:
    """This instead of the answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fail:
    """An error as the API words it; of a `row`, that row's."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ExpireSession:
    """All sessions end before the call is looked at."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks: before the answer, or after so many bytes of its body."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer comes so much later, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ShortPage:
    """At most so many rows, and more to come."""

    rows: int


@dataclass(frozen=True, slots=True)
class ExpireLocator:
    """All cursors end before the call is looked at."""


@dataclass(frozen=True, slots=True)
class Do:
    """Something happens in the org before the call is looked at; the answer is an honest one."""

    deed: Callable[[], object]


Deed: TypeAlias = Respond | Fail | ExpireSession | Drop | Slow | ShortPage | ExpireLocator | Do
When: TypeAlias = int | Callable[[Any], bool]


def unavailable() -> Respond:
    """As the edge says it: HTML."""
    return Respond(503, _BUSY, {"Content-Type": "text/html"})


def daily_limit() -> Fail:
    return Fail(403, "REQUEST_LIMIT_EXCEEDED", TOTAL)


def concurrent_limit() -> Fail:
    return Fail(403, "REQUEST_LIMIT_EXCEEDED", CONCURRENT)


class Script:
    """`calls` counts every call by its kind, from 1."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._lines: list[tuple[str, When, Deed, int]] = []
        self._lock = Lock()

    def at(self, kind: str, when: When, deed: Deed, *, times: int = 1) -> None:
        """`when` counts from now: 1 is the next call of the kind. With `times`, the deed is done that often: at so many
        calls in a row, or as often as the predicate holds. A predicate is given the request (or the row)."""
        with self._lock:
            first = when + self.calls[kind] if isinstance(when, int) else when
            self._lines.append((kind, first, deed, times))

    def called(self, kind: str, request: object = None) -> list[Deed]:
        """Count a call; what is to be done at it."""
        with self._lock:
            self.calls[kind] += 1
            due = [line for line in self._lines if self._is_due(line, kind, request)]
            for line in due:
                self._lines.remove(line)
                if line[3] > 1:
                    later = line[1] + 1 if isinstance(line[1], int) else line[1]
                    self._lines.append((kind, later, line[2], line[3] - 1))
            return [line[2] for line in due]

    def _is_due(self, line: tuple[str, When, Deed, int], kind: str, request: object) -> bool:
        if line[0] != kind:
            return False
        return self.calls[kind] == line[1] if isinstance(line[1], int) else line[1](request)
