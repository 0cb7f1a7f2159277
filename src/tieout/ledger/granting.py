"""Who gets a lease: the decision alone, of values. A ledger takes it inside its own transaction.

The one rule: a fence only ever rises, so that whoever comes later is known to every store by the greater number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..base.errors import Fenced, Occupied
from .ledger import Holder, Lease


@dataclass(frozen=True, slots=True)
class Held:
    """What the book says of a lane's last lease. `holder` is None once it was given back; its fence stays."""

    holder: Holder | None
    fence: int
    expires: datetime


def grant(held: Held | None, wanted: Lease, *, now: datetime, is_dead: Callable[[Holder], bool]) -> Lease:
    """The lease that `wanted` becomes, its fence being the least it asks for. Raises Occupied."""
    if held is None:
        return wanted
    other = held.holder
    if other is not None and other != wanted.holder and now < held.expires and not is_dead(other):
        raise Occupied(
            f"lane {wanted.lane} is held until {held.expires:%Y-%m-%dT%H:%M:%SZ} by process {other.pid} "
            f"of {other.machine}.",
            hint="Wait for it to end, or stop that process.",
        )
    return Lease(wanted.lane, wanted.holder, max(held.fence + 1, wanted.fence), wanted.expires)


def prove(held: Held | None, lease: Lease) -> None:
    """Raises Fenced when the lease is no longer its holder's. Expiry alone takes nothing away, a later lease does."""
    if not is_held(held, lease):
        raise Fenced(
            f"lane {lease.lane} was given up or taken over since fence {lease.fence}.",
            hint="What was not registered is read again by whoever works the lane now.",
        )


def is_held(held: Held | None, lease: Lease) -> bool:
    return held is not None and held.holder == lease.holder and held.fence == lease.fence


def until(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
