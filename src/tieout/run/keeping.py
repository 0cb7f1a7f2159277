"""A lease is kept while its holder is busy with one thing that may outlast it, such as a merge of a million rows.

So a lease that has run out is of a worker that died, sleeps or hangs, and never of one that is merely slow: else two
workers of one lane would take it from each other for ever, each with the merge that the other one had nearly made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial

from ..base.errors import Fenced, TieoutError, Transient
from ..base.pulse import Pulse
from ..ledger.ledger import Lease, Ledger

LEASE_SECONDS = 90.0
_BEAT_SECONDS = LEASE_SECONDS / 3

Keep = Callable[[Lease], AbstractContextManager[None]]
"""While it is open nobody else is granted the lease's lane."""


def unkept(lease: Lease) -> AbstractContextManager[None]:
    """A `Keep` for where time stands still while one works."""
    return nullcontext()


@contextmanager
def kept(lease: Lease, *, open_ledger: Callable[[], Ledger], beat_seconds: float = _BEAT_SECONDS) -> Iterator[None]:
    """A `Keep` with a thread of its own. What is quick never sees it beat."""
    pulse = Pulse(partial(_renewed, lease, open_ledger), seconds=beat_seconds)
    try:
        yield
    finally:
        pulse.end()


def _renewed(lease: Lease, open_ledger: Callable[[], Ledger]) -> bool:
    """Whether to go on. In a ledger of its own, since one that is open is its thread's. What goes wrong here is met by
    whoever works, at the next step that needs the lease."""
    try:
        with closing(open_ledger()) as ledger:
            ledger.renew(lease, seconds=LEASE_SECONDS)
    except Fenced:
        return False
    except Transient:
        return True
    except TieoutError:
        return False
    return True
