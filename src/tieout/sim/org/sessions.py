"""Sessions: tokens that live as long as they are used, and the apps that may ask for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from threading import Lock
from typing import Final

from ...base.clock import Clock

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"


@dataclass(frozen=True, slots=True)
class App:
    """A connected app. `public_key` is PEM; `approved` are the usernames whom an assertion may name; `run_as` is the
    username of the client credentials' flow."""

    consumer_key: str
    secret: str = ""
    public_key: str = ""
    approved: frozenset[str] = frozenset()
    run_as: str | None = None


@dataclass
class _Session:
    user: str
    used_at: datetime


@dataclass
class Sessions:
    """Of REST, Bulk and Pub/Sub alike. `lifetime`: from its last use on."""

    clock: Clock
    org_id: str
    random: Random
    lifetime: timedelta = timedelta(hours=2)
    apps: dict[str, App] = field(default_factory=dict)
    """By consumer key."""
    _live: dict[str, _Session] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def register(self, app: App) -> None:
        self.apps[app.consumer_key] = app

    def begin(self, user: str) -> str:
        """A new session's token; `user` is an id."""
        with self._lock:
            token = f"{self.org_id[:15]}!AQ{self._word(94)}"
            self._live[token] = _Session(user, self.clock.now())
            return token

    def user_of(self, token: str) -> str | None:
        """The user of a live session, which this call keeps alive; else None."""
        with self._lock:
            session, now = self._live.get(token), self.clock.now()
            if session is None or now - session.used_at > self.lifetime:
                self._live.pop(token, None)
                return None
            session.used_at = now
            return session.user

    def expire(self) -> None:
        """All of them, at once."""
        with self._lock:
            self._live.clear()

    def _word(self, length: int) -> str:
        return "".join(self.random.choices(_ALPHABET, k=length))
