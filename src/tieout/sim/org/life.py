"""A working day: one deed at a time, of the kinds that fill a revenue org, some of them in transactions that end late.

`step` draws a deed and does it, or meets a row that another transaction holds, and lets it be. Who drives it says how
fast; its choices come from the `Random` it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from .errors import OrgError
from .ids import between
from .objects import INDUSTRIES, OPPORTUNITY_TYPES, SOURCES, STAGES, TIERS
from .org import Org
from .schema import Row
from .transaction import Transaction
from .words import COMPANY_FIRST, COMPANY_LAST, FIRST_NAMES, LAST_NAMES, PRODUCTS, STEPS, SUBJECTS

_TRIES: Final = 12
_PATH: Final = tuple(STAGES)[:6]
LOCKED: Final = "locked"


@dataclass(frozen=True, slots=True)
class _Late:
    deed: Transaction
    due: datetime


class Life:
    """`late_share` of the deeds commit up to `late_seconds` after they were done, with the first step behind that, or
    with `settle`. `done` counts the deeds by name."""

    def __init__(self, org: Org, *, late_share: float = 0.05, late_seconds: float = 30.0) -> None:
        self.org = org
        self.done: Counter[str] = Counter()
        self._late_share = late_share
        self._late_seconds = late_seconds
        self._late: list[_Late] = []

    def step(self, random: Random) -> str:
        """The name of what was done; `locked` if a row was held, `nothing` if there was none of the kind."""
        self._end_late(self.org.now())
        name, deed = random.choices(_DEEDS, _WEIGHTS)[0]
        user = self._pick(random, "User") or self.org.user
        work = self.org.begin(user=user, client="lightning" if random.random() < 0.5 else None)
        try:
            came = deed(self, random, work)
        except OrgError as error:
            work.rollback()
            if error.code != "UNABLE_TO_LOCK_ROW":
                raise
            self.done[LOCKED] += 1
            return LOCKED
        if came and random.random() < self._late_share:
            self._late.append(_Late(work, self.org.now() + timedelta(seconds=random.uniform(1, self._late_seconds))))
        else:
            work.commit()
        self.done[name if came else "nothing"] += 1
        return name if came else "nothing"

    def settle(self) -> None:
        """Commits what is still open."""
        for late in self._late:
            late.deed.commit()
        self._late.clear()

    def _end_late(self, now: datetime) -> None:
        for late in [each for each in self._late if each.due <= now]:
            late.deed.commit()
            self._late.remove(late)

    def _pick(self, random: Random, name: str, fits: Callable[[Row], bool] = lambda row: True) -> str | None:
        """A committed row that lives and fits, from anywhere."""
        bounds = self.org.store.bounds(name)
        for _ in range(_TRIES if bounds else 0):
            assert bounds is not None
            record = self.org.store.from_id(name, between(*bounds, random.random()))
            row = self.org.get(name, record) if record else None
            if row is not None and not row.get("IsDeleted") and fits(row):
                return record
        return None

    def _new_lead(self, random: Random, work: Transaction) -> bool:
        last = random.choice(LAST_NAMES)
        company = f"{random.choice(COMPANY_FIRST)} {random.choice(COMPANY_LAST)}"
        work.create("Lead", {"FirstName": random.choice(FIRST_NAMES), "LastName": last, "Company": company,
                             "Email": f"{random.getrandbits(40):x}@mail.example", "OwnerId": work.user,
                             "LeadSource": random.choice(SOURCES)})  # fmt: skip
        return True

    def _convert_lead(self, random: Random, work: Transaction) -> bool:
        lead = self._pick(random, "Lead", lambda row: not row["IsConverted"])
        row = self.org.get("Lead", lead) if lead else None
        if lead is None or row is None:
            return False
        account = work.create("Account", {"Name": row["Company"], "Industry": random.choice(INDUSTRIES),
                                          "Tier__c": random.choice(TIERS), "Type": "Prospect"})  # fmt: skip
        contact = work.create("Contact", {"FirstName": row["FirstName"], "LastName": row["LastName"],
                                          "Email": row["Email"], "AccountId": account})  # fmt: skip
        deal = self._deal(random, work, account)
        work.put("Lead", lead, {"IsConverted": 1, "Status": "Closed - Converted", "ConvertedAccountId": account,
                                "ConvertedContactId": contact, "ConvertedOpportunityId": deal})  # fmt: skip
        return True

    def _new_deal(self, random: Random, work: Transaction) -> bool:
        account = self._pick(random, "Account")
        return account is not None and bool(self._deal(random, work, account))

    def _deal(self, random: Random, work: Transaction, account: str) -> str:
        kind = random.choice(OPPORTUNITY_TYPES)
        closes = (self.org.now() + timedelta(days=random.randrange(10, 120))).date()
        return work.create("Opportunity", {
            "Name": f"{kind} {random.getrandbits(24):x}", "AccountId": account, "StageName": _PATH[0], "Type": kind,
            "CloseDate": closes, "Amount": f"{random.randrange(100_000, 50_000_000) / 100:.2f}", "OwnerId": work.user,
            "LeadSource": random.choice(SOURCES),
        })  # fmt: skip

    def _open_deal(self, random: Random) -> str | None:
        return self._pick(random, "Opportunity", lambda row: not row["IsClosed"])

    def _advance_deal(self, random: Random, work: Transaction) -> bool:
        """Often in two saves of one transaction, as a flow does."""
        deal = self._open_deal(random)
        if deal is None:
            return False
        stage = str((self.org.get("Opportunity", deal) or {})["StageName"])
        further = _PATH[min(_PATH.index(stage) + 1, len(_PATH) - 1)] if stage in _PATH else _PATH[0]
        work.update("Opportunity", deal, {"StageName": further})
        if random.random() < 0.5:
            work.update("Opportunity", deal, {"NextStep": random.choice(STEPS)})
        return True

    def _close_deal(self, random: Random, work: Transaction) -> bool:
        deal = self._open_deal(random)
        if deal is not None:
            won = random.random() < 0.4
            work.update("Opportunity", deal, {"StageName": "Closed Won" if won else "Closed Lost",
                                              "CloseDate": self.org.now().date()})  # fmt: skip
        return deal is not None

    def _reprice_deal(self, random: Random, work: Transaction) -> bool:
        deal = self._open_deal(random)
        if deal is not None:
            amount = None if random.random() < 0.03 else f"{random.randrange(100_000, 90_000_000) / 100:.2f}"
            work.update("Opportunity", deal, {"Amount": amount})
        return deal is not None

    def _describe_deal(self, random: Random, work: Transaction) -> bool:
        deal = self._open_deal(random)
        if deal is not None:
            words = " ".join(random.choices(SUBJECTS, k=random.choice((3, 30, 900))))
            work.update("Opportunity", deal, {"Description": words})
        return deal is not None

    def _add_lines(self, random: Random, work: Transaction) -> bool:
        deal = self._open_deal(random)
        for _ in range(random.randrange(1, 4) if deal else 0):
            code, name, price = random.choice(PRODUCTS)
            work.create("OpportunityLineItem", {"OpportunityId": deal, "ProductCode": code, "Name": name,
                                                "Quantity": random.randrange(1, 90), "UnitPrice": price})  # fmt: skip
        return deal is not None

    def _change_line(self, random: Random, work: Transaction) -> bool:
        line = self._pick(random, "OpportunityLineItem")
        if line is not None and random.random() < 0.2:
            work.delete("OpportunityLineItem", line)
        elif line is not None:
            work.update("OpportunityLineItem", line, {"Quantity": random.randrange(1, 90)})
        return line is not None

    def _new_task(self, random: Random, work: Transaction) -> bool:
        what = self._pick(random, random.choice(("Opportunity", "Opportunity", "Account")))
        who = self._pick(random, "Contact")
        done = random.random() < 0.4
        work.create("Task", {"Subject": random.choice(SUBJECTS), "WhatId": what, "WhoId": who, "OwnerId": work.user,
                             "Status": "Completed" if done else "Not Started",
                             "ActivityDate": self.org.now().date()})  # fmt: skip
        return True

    def _finish_task(self, random: Random, work: Transaction) -> bool:
        task = self._pick(random, "Task", lambda row: not row["IsClosed"])
        if task is not None:
            work.update("Task", task, {"Status": "Completed"})
        return task is not None

    def _new_meeting(self, random: Random, work: Transaction) -> bool:
        begins = self.org.now() + timedelta(hours=random.randrange(1, 200))
        work.create("Event", {"Subject": "Demo", "WhatId": self._pick(random, "Opportunity"), "StartDateTime": begins,
                              "EndDateTime": begins + timedelta(hours=1), "OwnerId": work.user})  # fmt: skip
        return True

    def _ask_desk(self, random: Random, work: Transaction) -> bool:
        deal = self._open_deal(random)
        work.create("Deal_Desk__c", {"Opportunity__c": deal, "Discount__c": random.randrange(0, 45)})
        return True

    def _approve_desk(self, random: Random, work: Transaction) -> bool:
        desk = self._pick(random, "Deal_Desk__c", lambda row: row["Status__c"] == "Submitted")
        if desk is not None:
            work.update("Deal_Desk__c", desk, {"Status__c": "Approved", "Approved_At__c": self.org.now()})
        return desk is not None

    def _edit_contact(self, random: Random, work: Transaction) -> bool:
        contact = self._pick(random, "Contact")
        if contact is not None:
            given = random.choice(({"Phone": f"+1 555 {random.randrange(10**7):07d}"}, {"Phone": ""},
                                   {"LastName": random.choice(LAST_NAMES)}, {"HasOptedOutOfEmail": True}))  # fmt: skip
            work.update("Contact", contact, given)
        return contact is not None

    def _edit_account(self, random: Random, work: Transaction) -> bool:
        """A new tier is seen in the formulas of its deals, whose stamps do not move."""
        account = self._pick(random, "Account")
        if account is not None:
            work.update(
                "Account", account, {"Tier__c": random.choice(TIERS), "NumberOfEmployees": random.randrange(9999)}
            )
        return account is not None

    def _delete(self, random: Random, work: Transaction) -> bool:
        name = random.choice(("Lead", "Task", "Opportunity", "Contact", "Deal_Desk__c", "Event"))
        record = self._pick(random, name)
        if record is not None:
            work.delete(name, record)
        return record is not None

    def _undelete(self, random: Random, work: Transaction) -> bool:
        name = random.choice(("Lead", "Task", "Opportunity", "Contact"))
        binned = self.org.binned(name)
        if binned:
            work.undelete(name, random.choice(binned))
        return bool(binned)

    def _merge(self, random: Random, work: Transaction) -> bool:
        name = random.choice(("Lead", "Contact", "Account"))
        one, other = (self._pick(random, name, lambda row: not row.get("IsConverted")) for _ in range(2))
        if one is None or other is None or one == other:
            return False
        work.merge(name, one, [other])
        return True

    def _sweep(self, random: Random, work: Transaction) -> bool:
        """A flow that gives many rows the same value: their changes share events."""
        name = random.choice(("Contact", "Opportunity"))
        records = {self._pick(random, name) for _ in range(random.randrange(5, 40))} - {None}
        value = (
            {"Title": f"Batch {random.getrandbits(16)}"} if name == "Contact" else {"NextStep": random.choice(SUBJECTS)}
        )
        for record in sorted(str(each) for each in records):
            work.update(name, record, value)
        return bool(records)


_ODDS: Final[dict[Callable[[Life, Random, Transaction], bool], float]] = {
    Life._new_lead: 8, Life._convert_lead: 4, Life._new_deal: 8, Life._advance_deal: 16, Life._close_deal: 6,
    Life._reprice_deal: 10, Life._describe_deal: 3, Life._add_lines: 8, Life._change_line: 6, Life._new_task: 10,
    Life._finish_task: 5, Life._new_meeting: 3, Life._ask_desk: 2, Life._approve_desk: 2, Life._edit_contact: 6,
    Life._edit_account: 4, Life._delete: 2.5, Life._undelete: 1, Life._merge: 0.7, Life._sweep: 0.5,
}  # fmt: skip
_DEEDS: Final = [(deed.__name__.strip("_"), deed) for deed in _ODDS]
_WEIGHTS: Final = list(_ODDS.values())
