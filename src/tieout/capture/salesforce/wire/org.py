"""An org as it is reached: calls, Bulk jobs, and its channel of events, under one budget and one session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ....base.clock import Clock
from ..budget import Budget
from ..events.subscription import Subscription
from .bulk import BulkJobs
from .client import Client
from .oauth import Credentials


@dataclass(frozen=True, slots=True)
class OrgWire:
    """`subscribe` makes a subscription to `channel` that has not begun; None: events are not wanted."""

    client: Client
    bulk: BulkJobs
    channel: str
    subscribe: Callable[[], Subscription] | None

    def org_id(self) -> str:
        """18 characters."""
        return self.client.identity().org_id

    def close(self) -> None:
        self.client.close()


def reached(
    login_url: str,
    credentials: Credentials,
    *,
    version: str,
    events: str,
    channel: str,
    reserve: float,
    retry_seconds: float,
    clock: Clock,
    jitter: Callable[[], float],
) -> OrgWire:
    """Nothing is asked of it yet. `events`: the address of its Pub/Sub API, "" where events are not wanted."""
    budget = Budget(reserve=reserve, look_again=timedelta(seconds=retry_seconds))
    client = Client(login_url, credentials, version, clock=clock, budget=budget, jitter=jitter)

    def subscribe() -> Subscription:
        return Subscription(events, channel, client.token, clock=clock, renew=client.renew, chance=jitter)

    return OrgWire(client, BulkJobs(client), channel, subscribe if events else None)
