"""A simulated org in a process of its own, so that what it spends is not counted as ours.

`python -m bench.org OPPORTUNITIES ACCOUNTS` serves it until its standard input ends. It says where it is in a line of
JSON, and after each line that it reads, a number, that so many deals were changed meanwhile, one a transaction.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import IO, Any

from tieout.base.errors import Broken
from tieout.run.clock import SystemClock
from tieout.sim.org.seedling import Size
from tieout.sim.revops.company import Company

_STAGES = ("Prospecting", "Qualification", "Needs Analysis", "Proposal")
_EMPTY = Size(users=100, accounts=0, contacts=0, leads=0, line_items=0, tasks=0, events=0, deal_desks=0, gallery=False)


@dataclass(frozen=True, slots=True)
class Served:
    """`environment`: what a project's file asks of it; `events`: the address of its Pub/Sub API."""

    environment: Mapping[str, str]
    events: str
    _talk: tuple[IO[str], IO[str]]

    def change(self, deals: int) -> None:
        """Returns when all are committed, and told of."""
        there, here = self._talk
        there.write(f"{deals}\n")
        there.flush()
        if here.readline().strip() != str(deals):
            raise Broken("bench: the simulated org has fallen over.")


@contextmanager
def served(deals: int, *, accounts: int) -> Iterator[Served]:
    arguments = [sys.executable, "-m", "bench.org", str(deals), str(accounts)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None, "it is a pipe"
    assert process.stdout is not None, "so is this"
    try:
        told = json.loads(process.stdout.readline())
        yield Served(told["environment"], told["events"], (process.stdin, process.stdout))
    finally:
        process.kill()
        process.wait()


def serve(deals: int, accounts: int) -> None:
    size = replace(_EMPTY, opportunities=deals, accounts=accounts)
    company = Company(SystemClock(), seed=1, size=size)
    company.start()
    _say({"environment": dict(company.environment), "events": company.pubsub.target})
    ids = company.org.select("SELECT Id FROM Opportunity").ids
    dice, number = Random(2), 0
    for line in sys.stdin:
        for _ in range(int(line)):
            number += 1
            _change(company, dice.choice(ids), number, dice)
        _say(int(line))


def _change(company: Company, deal: str, number: int, dice: Random) -> None:
    """Four fields that a person changed, with the two that the org then sets."""
    fields = {
        "NextStep": str(number),
        "StageName": dice.choice(_STAGES),
        "Amount": f"{dice.randrange(1_000, 10_000_000)}.{number % 100:02d}",
        "CloseDate": f"2027-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}",
    }
    with company.org.transaction(user=company.org.user) as deed:
        deed.update("Opportunity", deal, fields)


def _say(told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
