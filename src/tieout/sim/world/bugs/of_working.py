"""Bugs of those who work a lane: leases and fences, what is noted and what is left undone."""

from __future__ import annotations

from typing import Final

from ....ledger.granting import grant
from ....ledger.sqlite import SqliteLedger
from ....run.drift import Watch
from ....run.house import House
from ....run.mend import mend
from ....run.route import Route
from .planting import Bug, in_code

OF_LEASES: Final = (
    Bug(
        "lease_not_proven",
        "The ledger takes what comes under a lease that was taken over.",
        in_code(SqliteLedger._prove, "prove(self._held(guard.lease.lane), guard.lease)", "pass"),
    ),
    Bug(
        "guards_not_asked",
        "The ledger takes whatever comes, whoever sends it.",
        in_code(SqliteLedger.append, "self._prove(guard)", "pass"),
    ),
    Bug(
        "fence_begins_anew",
        "A new ledger counts its fences from 1, below those that the warehouse knows.",
        in_code(House.lease, "fence_min=fence_min, is_dead", "fence_min=1, is_dead"),
    ),
    Bug(
        "lease_of_the_living",
        "A lane is taken from a worker that lives and has its lease.",
        in_code(grant, "and now < held.expires and not is_dead(other)", "and False"),
    ),
)

OF_NOTING: Final = (
    Bug(
        "noted_before_commit",
        "The ledger is told that a batch is merged before it is.",
        in_code(
            Route._merge_group,
            "        warehouse.merge(contract, batches, turn=self.turn(), merged_at=merged_at, side=Side.LIVE)\n"
            "        facts = [Merged(name, str(contract.stream), at) for name, at in merged_at.items()]\n"
            "        self._tools.ledger.append(facts, given=[])\n",
            "        facts = [Merged(name, str(contract.stream), at) for name, at in merged_at.items()]\n"
            "        self._tools.ledger.append(facts, given=[])\n"
            "        warehouse.merge(contract, batches, turn=self.turn(), merged_at=merged_at, side=Side.LIVE)\n",
        ),
    ),
    Bug(
        "pending_forgotten",
        "What landed and was not merged before a kill is not looked for.",
        in_code(Route._find_pending, "self._landed_as(waiting)", "self._landed_as(set())"),
    ),
    Bug(
        "never_mended",
        "A key whose value is not known for certain is not read again.",
        in_code(mend, "if not source.rereads:", "if True:"),
    ),
    Bug(
        "not_followed",
        "A column that a source gains is not looked at.",
        in_code(Watch.meet, "for object_, table in captured.tables.items():", "for object_, table in ():"),
    ),
)
