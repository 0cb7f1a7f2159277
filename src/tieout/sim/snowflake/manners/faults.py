"""What goes wrong on order: a test posts it to /stand-in/faults, and the statements that it names meet it.

A fault counts the requests whose statement its pattern finds, from the moment it was posted. The `nth` of them and the
next, `times` in all, meet it. A driver sends a request again that had no answer; that counts as one more.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "drop",  # the connection is cut before the statement runs
    "lose_answer",  # it runs, and the connection is cut before the answer
    "unavailable",  # HTTP 503, not run
    "delay",  # it runs after `seconds`
    "lock_waiters",  # error 000625, not run
    "cancelled",  # error 000604, not run
    "session_expired",  # error 390112, after which a driver asks for another token
    "token_expired",  # error 390114: the driver must log in again
)


@dataclass
class Fault:
    """`ends_session`: afterwards the session is gone, so that a driver that asks again learns nothing."""

    pattern: str
    kind: str
    nth: int = 1
    times: int = 1
    seconds: float = 0.0
    ends_session: bool = False
    met: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        re.compile(self.pattern)
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault; there are {', '.join(KINDS)}")

    def meets(self, statement: str) -> bool:
        if not re.search(self.pattern, statement, re.IGNORECASE | re.DOTALL):
            return False
        self.met += 1
        return self.nth <= self.met < self.nth + self.times


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def post(self, asked: dict[str, Any]) -> None:
        with self._lock:
            self._faults.append(Fault(**asked))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return [vars(fault).copy() for fault in self._faults]

    def of(self, statement: str) -> Fault | None:
        """The first that the statement meets; each that its pattern finds has counted it."""
        with self._lock:
            met = [fault for fault in self._faults if fault.meets(statement)]
        return met[0] if met else None
