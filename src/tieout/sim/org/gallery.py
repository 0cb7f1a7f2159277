"""The kinds of row that break pipelines: put where ordinary ones stood, beneath all rules, as old orgs have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final

from .ids import eighteen
from .org import Org
from .schema import Row
from .soql import written
from .values import stamp
from .words import EDGE_NAMES, LONG_NOTE

LOST_PARENT: Final = eighteen("0015f0zzzzzzzzz")
"""An account that was deleted for good, long ago; some deals still name it."""
_DEALS: Final[tuple[Row, ...]] = (
    {"Amount": None, "StageName": "Closed Won", "Probability": "100", "IsClosed": 1, "IsWon": 1,
     "ForecastCategoryName": "Closed"},
    {"CloseDate": "4000-12-31"}, {"CloseDate": "1700-01-01"},
    {"Type": "Legacy Type"}, {"LeadSource": "Web "}, {"Description": LONG_NOTE},
    {"Description": "a" * 32_000}, {"NextStep": "#N/A"}, {"NextStep": '""'}, {"NextStep": "\\N"},
)  # fmt: skip


def hang(org: Org, random: Random) -> None:
    """Amounts and parents change on closed deals only: the sums of accounts stay what they are."""
    _each(org, "Account", random, [{"Name": name} for name in EDGE_NAMES])
    closed = org.select("SELECT Id FROM Opportunity WHERE IsClosed = true", as_system=True).ids
    future, old = stamp(org.now() + timedelta(days=2)), "1998-02-28T23:59:59.000Z"
    changes: list[Row] = [
        *_DEALS,
        {"AccountId": LOST_PARENT},
        {"LastModifiedDate": future},
        {"CreatedDate": old},
        {"Amount": "9999999999999999.99"},
        {"Amount": "-0.01"},
        {"Amount": "10000000.00"},
        {"Name": "Trailing\u00a0space\u00a0"},
    ]
    _put(org, "Opportunity", closed[-len(changes) :], changes)
    mails: list[Row] = [
        {"Email": "SAME@MAIL.EXAMPLE"},
        {"Email": "same@mail.example"},
        {"FirstName": None, "Name": "Solo"},
    ]
    _each(org, "Contact", random, mails)
    _each(org, "Deal_Desk__c", random, ({"Discount__c": "999.99"}, {"Notes__c": LONG_NOTE * 100}, {"Notes__c": "=1+1"}))


def _each(org: Org, name: str, random: Random, changes: Sequence[Row]) -> None:
    ids = org.select(written("Id", name), as_system=True).ids
    _put(org, name, random.sample(ids, min(len(changes), len(ids))), changes)


def _put(org: Org, name: str, ids: Sequence[str], changes: Sequence[Row]) -> None:
    for record, change in zip(ids, changes, strict=False):
        org.store.update(name, record, change)
