"""A simulated org for tests: on a clock that a test moves, and a client of REST for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tieout.sim.org.events import ChangeEvent
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.transaction import Transaction

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
BASE = "/services/data/v62.0"


class HandClock:
    """Stands still until it is moved, and passes a sleep at once."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def org_at_noon() -> tuple[Org, HandClock]:
    clock = HandClock()
    return Org(7, clock), clock


def account(deed: Transaction, name: str = "Acme", **more: object) -> str:
    return deed.create("Account", {"Name": name, **more})


def deal(deed: Transaction, of: str | None = None, **more: object) -> str:
    fields = {"Name": "Renewal", "StageName": "Prospecting", "CloseDate": "2026-12-31", "AccountId": of}
    return deed.create("Opportunity", {**fields, **more})


def told(org: Org, after: int = 0) -> list[tuple[str, str, int]]:
    """Entity, type and number of records of the events behind a position."""
    return [(event.entity, event.change_type, len(event.record_ids)) for event in read(org, after)]


def read(org: Org, after: int = 0) -> list[ChangeEvent]:
    return org.events.read(after, 10_000)


class Caller:
    """Calls the server with a session of the connector's user."""

    def __init__(self, server: OrgServer) -> None:
        self.server = server
        self.http = httpx.Client(trust_env=False)
        self.log_in()

    def log_in(self) -> None:
        self.http.headers["Authorization"] = f"Bearer {self.server.token()}"

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> httpx.Response:
        there = path if path.startswith("/services") else f"{BASE}/{path}"
        return self.http.get(self.server.instance_url + there, params=query or None, headers=headers)

    def send(self, method: str, path: str, body: Any) -> httpx.Response:
        return self.http.request(method, f"{self.server.instance_url}{BASE}/{path}", json=body)

    def query(self, soql: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get("query", q=soql).json()
        return found
