"""An org with a past: years of accounts, deals and activities, put beneath the transactions, without events.

Figures hang together: roll-ups are the sums of their children, closed deals are old, ids rise with CreatedDate. With
`gallery`, some rows are of the kind that breaks pipelines (`gallery.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Final

from .gallery import hang
from .objects import INDUSTRIES, LEAD_STATUSES, OPPORTUNITY_TYPES, REGIONS, SOURCES, STAGES, TIERS
from .org import Org
from .schema import Row
from .store import SQL
from .words import (
    CITIES,
    COMPANY_FIRST,
    COMPANY_LAST,
    FIRST_NAMES,
    FORMS,
    LAST_NAMES,
    MEETINGS,
    PRODUCTS,
    ROLES,
    STEPS,
    SUBJECTS,
    TITLES,
)  # fmt: skip

DAY: Final = 86_400
_CHUNK: Final = 20_000
_OPEN_STAGES: Final = tuple(STAGES)[:6]
_TIMES: Final = tuple(f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.000Z" for s in range(DAY))


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of each object, and the years that they spread over. `deleted_share` of the deals, leads and tasks went into
    the recycle bin within the last ten days."""

    users: int = 25
    accounts: int = 200
    contacts: int = 500
    leads: int = 300
    opportunities: int = 400
    line_items: int = 800
    tasks: int = 1_000
    events: int = 300
    deal_desks: int = 60
    years: float = 3.0
    deleted_share: float = 0.004
    gallery: bool = True

    @classmethod
    def of(cls, opportunities: int) -> Size:
        """A company of so many deals."""
        half = opportunities // 2
        return cls(
            users=max(10, opportunities // 400), accounts=half, contacts=opportunities, leads=opportunities,
            opportunities=opportunities, line_items=opportunities * 2, tasks=opportunities * 3, events=half,
            deal_desks=opportunities // 10,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """What the rows are made from. Ids are given out before the rows, so that children may be written first."""

    random: Random
    now: int
    """In epoch seconds."""
    start: int
    users: Sequence[str]
    automation: str


def fill(org: Org, size: Size, *, seed: int = 1) -> None:
    """Into an org that holds nothing yet."""
    now = int(org.now().timestamp())
    ids = {
        name: org.ids.many(org.schemas[name].key_prefix, count)
        for name, count in {
            "User": size.users, "Account": size.accounts, "Contact": size.contacts, "Lead": size.leads,
            "Opportunity": size.opportunities, "OpportunityLineItem": size.line_items, "Task": size.tasks,
            "Event": size.events, "Deal_Desk__c": size.deal_desks,
        }.items()
    }  # fmt: skip
    past = Past(Random(seed), now, now - int(size.years * 365 * DAY), ids["User"], org.automation)
    with org.store.lock, org.store.at_once():
        _put(org, "User", users(past, ids["User"]))
        totals = dict.fromkeys(ids["Opportunity"], 0)
        _put(org, "OpportunityLineItem", lines(past, ids["OpportunityLineItem"], ids["Opportunity"], totals))
        active: dict[str, str] = {}
        _put(org, "Task", tasks(past, ids["Task"], ids["Opportunity"], ids["Account"], ids["Contact"], active))
        pipeline = dict.fromkeys(ids["Account"], 0)
        _put(org, "Opportunity", deals(past, ids["Opportunity"], ids["Account"], totals, pipeline, active))
        _put(org, "Account", accounts(past, ids["Account"], pipeline, active))
        _put(org, "Contact", contacts(past, ids["Contact"], ids["Account"]))
        _put(org, "Lead", leads(past, ids["Lead"]))
        _put(org, "Event", meetings(past, ids["Event"], ids["Opportunity"], ids["Contact"]))
        _put(org, "Deal_Desk__c", desks(past, ids["Deal_Desk__c"], ids["Opportunity"]))
        for name in ("Lead", "Event", "Contact"):
            _delete(org, past, name, ids[name], size.deleted_share)
        if size.gallery:
            hang(org, past.random)
    org.skip_numbers("Deal_Desk__c", size.deal_desks)


def _put(org: Org, name: str, rows: Iterator[Row]) -> None:
    """Every row has the same columns; those that are not mentioned hold the field's default."""
    sobject = org.schemas[name]
    rest = {field.name: field.default for field in sobject.stored_fields}
    while chunk := list(islice(rows, _CHUNK)):
        columns = tuple(rest | chunk[0])
        org.store.insert(name, columns, [tuple((rest | row).values()) for row in chunk])


def _delete(org: Org, past: Past, name: str, ids: Sequence[str], share: float) -> None:
    for record in past.random.sample(ids, int(len(ids) * share)):
        at = moment(past.now - past.random.randrange(3_600, 10 * DAY))
        org.store.update(name, record, {"IsDeleted": 1, "SystemModstamp": at, "LastModifiedDate": at})
        org.store.execute(SQL("log_deletion"), (name, record, at, f"past {record}", 1))


@cache
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def moment(seconds: int) -> str:
    """As stored, from epoch seconds."""
    return _day(seconds // DAY) + _TIMES[seconds % DAY]


def days(past: Past, count: int, *, until: int = 0) -> Iterator[tuple[int, int]]:
    """When each row was created, ever later, and last modified, in epoch seconds; nothing in the last `until`."""
    end = past.now - until - 60
    step = (end - past.start) / max(count, 1)
    draw = past.random.random
    for at in range(count):
        created = int(past.start + (at + draw()) * step)
        yield created, min(created + int((end - created) * draw() ** 4), end)


def audit(past: Past, created: int, modified: int) -> Row:
    """One row in fifty has a stamp that moved after its last edit."""
    draw, users_ = past.random.random, past.users
    moved = modified + int(draw() * (past.now - 60 - modified)) if draw() < 0.02 else modified
    by, then = users_[int(draw() * len(users_))], users_[int(draw() * len(users_))]
    return {"CreatedDate": moment(created), "CreatedById": by, "LastModifiedDate": moment(modified),
            "LastModifiedById": then, "SystemModstamp": moment(moved)}  # fmt: skip


def _owner(past: Past) -> str:
    return past.users[int(past.random.random() * len(past.users))]


def users(past: Past, ids: Sequence[str]) -> Iterator[Row]:
    pick = past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True)):
        first, last = pick(FIRST_NAMES), pick(LAST_NAMES)
        mail = f"user{at}@sales.example"
        stamps = {
            "CreatedDate": moment(created),
            "LastModifiedDate": moment(modified),
            "SystemModstamp": moment(modified),
        }
        yield {"Id": record, "Username": mail, "Name": f"{first} {last}", "Email": mail, "IsActive": int(at % 17 != 16),
               "ManagerId": ids[at // 8] if at // 8 != at else None, "UserRoleName__c": pick(ROLES),
               "Region__c": pick(REGIONS), **stamps}  # fmt: skip


def company(random: Random, at: int) -> str:
    return f"{random.choice(COMPANY_FIRST)} {random.choice(COMPANY_LAST)} {random.choice(FORMS)} {at}"


def accounts(past: Past, ids: Sequence[str], pipeline: dict[str, int], active: dict[str, str]) -> Iterator[Row]:
    random, pick = past.random, past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True)):
        city, country = pick(CITIES)
        employees = int(10 ** random.uniform(1, 5))
        yield {
            "Id": record, "Name": company(random, at), "Type": pick(("Prospect", "Customer", "Customer", "Partner")),
            "Industry": pick(INDUSTRIES), "OwnerId": _owner(past), "BillingStreet": f"{at % 300 + 1} Main Street",
            "BillingCity": city, "BillingCountry": country, "BillingPostalCode": f"{at % 100_000:05d}",
            "ParentId": ids[at // 10] if at % 9 == 8 else None, "Phone": f"+1 555 {at % 10_000_000:07d}",
            "Website": f"https://www{at}.example", "NumberOfEmployees": employees,
            "AnnualRevenue": str(employees * random.randrange(80_000, 400_000)),
            "Tier__c": TIERS[min(3, 5 - len(str(employees)))],
            "Open_Pipeline__c": _money(pipeline[record]), "LastActivityDate": active.get(record),
            **audit(past, created, modified),
        }  # fmt: skip


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def contacts(past: Past, ids: Sequence[str], accounts_: Sequence[str]) -> Iterator[Row]:
    pick = past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True)):
        first, last = pick(FIRST_NAMES), pick(LAST_NAMES)
        city, country = pick(CITIES)
        yield {"Id": record, "AccountId": pick(accounts_) if accounts_ else None, "FirstName": first, "LastName": last,
               "Name": f"{first} {last}", "Email": f"contact{at}@mail.example", "Title": pick(TITLES),
               "Phone": f"+44 20 {at % 10_000_000:07d}", "MailingCity": city, "MailingCountry": country,
               "OwnerId": _owner(past), "HasOptedOutOfEmail": int(at % 23 == 0),
               **audit(past, created, modified)}  # fmt: skip


def leads(past: Past, ids: Sequence[str]) -> Iterator[Row]:
    pick = past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True)):
        first, last = pick(FIRST_NAMES), pick(LAST_NAMES)
        yield {"Id": record, "FirstName": first, "LastName": last, "Name": f"{first} {last}",
               "Company": company(past.random, at), "Email": f"lead{at}@mail.example",
               "Status": pick((*LEAD_STATUSES[:2], LEAD_STATUSES[3])), "LeadSource": pick(SOURCES),
               "OwnerId": _owner(past), **audit(past, created, modified)}  # fmt: skip


def deals(
    past: Past, ids: Sequence[str], accounts_: Sequence[str], totals: dict[str, int], pipeline: dict[str, int],
    active: dict[str, str],
) -> Iterator[Row]:  # fmt: skip
    """A deal closes within some ninety days; what is older is won or lost."""
    random, pick = past.random, past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True)):
        closes = created + int(random.expovariate(1 / 60) * DAY) + 7 * DAY
        stage = pick(_OPEN_STAGES) if closes > past.now else "Closed Won" if random.random() < 0.4 else "Closed Lost"
        probability, forecast, closed, won = STAGES[stage]
        cents = totals[record] or int(10 ** random.uniform(5.5, 8.5))
        account = accounts_[int(random.random() ** 2 * len(accounts_))] if accounts_ else None
        if account and not closed:
            pipeline[account] += cents
        kind = pick(OPPORTUNITY_TYPES)
        yield {
            "Id": record, "AccountId": account, "OwnerId": _owner(past), "Name": f"{kind} {at}", "StageName": stage,
            "Amount": _money(cents), "Probability": str(probability), "CloseDate": _day(closes // DAY), "Type": kind,
            "ForecastCategoryName": forecast, "IsClosed": closed, "IsWon": won, "LeadSource": pick(SOURCES),
            "NextStep": pick(STEPS), "Description": f"Deal {at}, asked for by procurement." if at % 5 == 0 else None,
            "Renewal_Of__c": ids[at // 2] if kind == "Renewal" and at > 1 else None,
            "Contract_End__c": _day(closes // DAY + 365) if won else None, "Line_Total__c": _money(totals[record]),
            "LastActivityDate": active.get(record), **audit(past, created, modified),
        }  # fmt: skip


def lines(past: Past, ids: Sequence[str], deals_: Sequence[str], totals: dict[str, int]) -> Iterator[Row]:
    random, pick = past.random, past.random.choice
    for record, (created, modified) in zip(ids, days(past, len(ids)), strict=True):
        deal = deals_[int(random.random() * len(deals_))]
        code, name, price = pick(PRODUCTS)
        quantity, cents = random.randrange(1, 200), price * random.randrange(70, 101)
        totals[deal] += quantity * cents
        yield {"Id": record, "OpportunityId": deal, "ProductCode": code, "Name": name, "Quantity": f"{quantity}.00",
               "UnitPrice": _money(cents), "TotalPrice": _money(quantity * cents),
               "ServiceDate": _day(created // DAY + 30), **audit(past, created, modified)}  # fmt: skip


def tasks(
    past: Past, ids: Sequence[str], deals_: Sequence[str], accounts_: Sequence[str], contacts_: Sequence[str],
    active: dict[str, str],
) -> Iterator[Row]:  # fmt: skip
    """What was done more than a year ago is archived."""
    random, pick = past.random, past.random.choice
    year_ago = past.now - 365 * DAY
    for record, (created, modified) in zip(ids, days(past, len(ids)), strict=True):
        among = deals_ if random.random() < 0.7 else accounts_
        what = among[int(random.random() * len(among))] if among else None
        done = modified < past.now - 20 * DAY or random.random() < 0.3
        due = _day(created // DAY + random.randrange(14))
        if done and what:
            active[what] = max(active.get(what, ""), due)
        yield {"Id": record, "WhoId": pick(contacts_) if contacts_ and random.random() < 0.8 else None, "WhatId": what,
               "OwnerId": _owner(past), "Subject": pick(SUBJECTS), "Status": "Completed" if done else "Not Started",
               "Priority": pick(("High", "Normal", "Normal", "Low")), "ActivityDate": due, "IsClosed": int(done),
               "IsArchived": int(done and modified < year_ago), **audit(past, created, modified)}  # fmt: skip


def meetings(past: Past, ids: Sequence[str], deals_: Sequence[str], contacts_: Sequence[str]) -> Iterator[Row]:
    random, pick = past.random, past.random.choice
    for record, (created, modified) in zip(ids, days(past, len(ids)), strict=True):
        begins = created + random.randrange(1, 20) * DAY
        begins -= begins % 1_800
        yield {"Id": record, "WhoId": pick(contacts_) if contacts_ else None,
               "WhatId": pick(deals_) if deals_ else None,
               "OwnerId": _owner(past), "Subject": pick(MEETINGS), "StartDateTime": moment(begins),
               "EndDateTime": moment(begins + 3_600), "IsArchived": int(begins < past.now - 365 * DAY),
               **audit(past, created, modified)}  # fmt: skip


def desks(past: Past, ids: Sequence[str], deals_: Sequence[str]) -> Iterator[Row]:
    random, pick = past.random, past.random.choice
    for at, (record, (created, modified)) in enumerate(zip(ids, days(past, len(ids)), strict=True), 1):
        approved = random.random() < 0.6
        yield {"Id": record, "Name": f"DD-{at:06d}", "OwnerId": _owner(past), "Opportunity__c": pick(deals_),
               "Status__c": "Approved" if approved else pick(("Submitted", "In Review", "Rejected")),
               "Discount__c": f"{random.randrange(0, 5000) / 100:.2f}",
               "Approved_At__c": moment(modified) if approved else None,
               "Notes__c": f"Asked for a rebate, case {at}.\nMargin checked." if at % 3 == 0 else None,
               **audit(past, created, modified)}  # fmt: skip
