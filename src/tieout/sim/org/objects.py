"""The org's objects as they are on its first day."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from .fields import (
    audit,
    boolean,
    currency,
    date,
    datetime_,
    double,
    email,
    formula,
    ident,
    integer,
    percent,
    phone,
    picklist,
    reference,
    rollup,
    text,
    textarea,
    url,
)  # fmt: skip
from .schema import Field, Formula, Rollup, SObject, Stored

STAGES: Final[dict[str, tuple[int, str, int, int]]] = {
    "Prospecting": (10, "Pipeline", 0, 0),
    "Qualification": (20, "Pipeline", 0, 0),
    "Needs Analysis": (35, "Pipeline", 0, 0),
    "Value Proposition": (50, "Best Case", 0, 0),
    "Proposal/Price Quote": (70, "Best Case", 0, 0),
    "Negotiation/Review": (90, "Commit", 0, 0),
    "Closed Won": (100, "Closed", 1, 1),
    "Closed Lost": (0, "Omitted", 1, 0),
}
"""StageName -> Probability, ForecastCategoryName, IsClosed, IsWon."""
INDUSTRIES: Final = ("Banking", "Education", "Energy", "Government", "Healthcare", "Insurance", "Manufacturing",
                     "Media", "Retail", "Technology", "Telecommunications")  # fmt: skip
TIERS: Final = ("Strategic", "Enterprise", "Mid-Market", "SMB")
REGIONS: Final = ("AMER", "EMEA", "APAC", "LATAM")
SOURCES: Final = ("Web", "Phone Inquiry", "Partner Referral", "Trade Show", "Purchased List", "Other")
LEAD_STATUSES: Final = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
OPPORTUNITY_TYPES: Final = ("New Business", "Renewal", "Expansion")
TASK_STATUSES: Final = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
DESK_STATUSES: Final = ("Submitted", "In Review", "Approved", "Rejected")


def expected_revenue(amount: Stored, probability: Stored) -> Stored:
    if amount is None or probability is None:
        return None
    return f"{(Decimal(amount) * Decimal(probability) / 100).quantize(Decimal('0.01'), ROUND_HALF_UP):f}"


def health_score(revenue: Stored, employees: Stored) -> Stored:
    """Up to 60 for revenue (one a 2 million), up to 40 for employees (one a hundred)."""
    by_revenue = min(Decimal(revenue or 0) / 2_000_000, Decimal(60))
    by_size = min(Decimal(employees or 0) / 100, Decimal(40))
    return f"{(by_revenue + by_size).quantize(Decimal('0.1'), ROUND_HALF_UP):f}"


def risk(discount: Stored) -> Stored:
    share = Decimal(discount or 0)
    return "High" if share > 30 else "Medium" if share > 15 else "Low"


def itself(value: Stored) -> Stored:
    return value


def _person() -> tuple[Field, ...]:
    return (
        text("FirstName", 40, label="First Name", compound="Name"),
        text("LastName", 80, label="Last Name", nillable=False, compound="Name"),
        text("Name", 121, nillable=False, createable=False, updateable=False),
    )


def _address(kind: str, *parts: str) -> tuple[Field, ...]:
    lengths = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    compound = f"{kind}Address"
    whole = Field(compound, "address", createable=False, updateable=False)
    made = (
        textarea(f"{kind}{part}", 255, compound=compound)
        if part == "Street"
        else text(f"{kind}{part}", lengths[part], compound=compound)
        for part in parts
    )
    return (*made, whole)


USER = SObject("User", "User", "005", (
    ident(), text("Username", 80, nillable=False, unique=True), text("Name", 121, nillable=False),
    email("Email", nillable=False), boolean("IsActive"), reference("ManagerId", "User"),
    text("UserRoleName__c", 80, label="Role"), picklist("Region__c", REGIONS, label="Region"),
    *(field for field in audit() if field.name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")),
))  # fmt: skip

ACCOUNT = SObject("Account", "Account", "001", (
    ident(), boolean("IsDeleted", system=True), reference("MasterRecordId", "Account", system=True),
    text("Name", 255, label="Account Name", nillable=False),
    picklist("Type", ("Prospect", "Customer", "Partner", "Former Customer"), label="Account Type"),
    picklist("Industry", INDUSTRIES), reference("ParentId", "Account"), reference("OwnerId", "User", nillable=False),
    *_address("Billing", "Street", "City", "State", "PostalCode", "Country"),
    phone("Phone"), url("Website"), currency("AnnualRevenue", 18, 0), integer("NumberOfEmployees"),
    picklist("Tier__c", TIERS, label="Tier"),
    rollup(currency("Open_Pipeline__c", 18, 2, label="Open Pipeline"),
           Rollup("Opportunity", "AccountId", "Amount", ("IsClosed", 0))),
    formula(double("Health_Score__c", 4, 1, label="Health Score"), Formula(
        "ROUND(MIN(AnnualRevenue / 2000000, 60) + MIN(NumberOfEmployees / 100, 40), 1)",
        ("AnnualRevenue", "NumberOfEmployees"), health_score)),
    *audit(), date("LastActivityDate", system=True),
), tracked=True)  # fmt: skip

CONTACT = SObject("Contact", "Contact", "003", (
    ident(), boolean("IsDeleted", system=True), reference("MasterRecordId", "Contact", system=True),
    reference("AccountId", "Account"), *_person(), email("Email"), phone("Phone"), text("Title", 128),
    *_address("Mailing", "City", "Country"), reference("OwnerId", "User", nillable=False),
    boolean("HasOptedOutOfEmail"), *audit(),
), tracked=True)  # fmt: skip

LEAD = SObject("Lead", "Lead", "00Q", (
    ident(), boolean("IsDeleted", system=True), reference("MasterRecordId", "Lead", system=True), *_person(),
    text("Company", 255, nillable=False), email("Email"), picklist("Status", LEAD_STATUSES, default=LEAD_STATUSES[0]),
    picklist("LeadSource", SOURCES), reference("OwnerId", "User", nillable=False), boolean("IsConverted", system=True),
    reference("ConvertedAccountId", "Account", system=True), reference("ConvertedContactId", "Contact", system=True),
    reference("ConvertedOpportunityId", "Opportunity", system=True), *audit(),
), tracked=True)  # fmt: skip

OPPORTUNITY = SObject("Opportunity", "Opportunity", "006", (
    ident(), boolean("IsDeleted", system=True), reference("AccountId", "Account"),
    reference("OwnerId", "User", nillable=False), text("Name", 120, nillable=False),
    picklist("StageName", tuple(STAGES), label="Stage", nillable=False), currency("Amount", 18, 2),
    percent("Probability", 3, 0),
    formula(currency("ExpectedRevenue", 18, 2), Formula(
        "Amount * Probability / 100", ("Amount", "Probability"), expected_revenue)),
    date("CloseDate", nillable=False), picklist("Type", OPPORTUNITY_TYPES),
    picklist("ForecastCategoryName", ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")),
    boolean("IsClosed", system=True), boolean("IsWon", system=True), picklist("LeadSource", SOURCES),
    text("NextStep", 255), textarea("Description", 32000),
    reference("Renewal_Of__c", "Opportunity", label="Renewal Of"), date("Contract_End__c", label="Contract End"),
    formula(text("Account_Tier__c", 1300, label="Account Tier"), Formula(
        "TEXT(Account.Tier__c)", ("Account.Tier__c",), itself)),
    rollup(currency("Line_Total__c", 18, 2, label="Line Total"),
           Rollup("OpportunityLineItem", "OpportunityId", "TotalPrice")),
    *audit(), date("LastActivityDate", system=True),
), tracked=True)  # fmt: skip

OPPORTUNITY_LINE_ITEM = SObject("OpportunityLineItem", "Opportunity Product", "00k", (
    ident(), boolean("IsDeleted", system=True), reference("OpportunityId", "Opportunity", nillable=False),
    text("ProductCode", 255), text("Name", 376), double("Quantity", 10, 2, nillable=False),
    currency("UnitPrice", 18, 2), currency("TotalPrice", 18, 2), date("ServiceDate"), text("Description", 255),
    *audit(),
), tracked=True)  # fmt: skip

TASK = SObject("Task", "Task", "00T", (
    ident(), boolean("IsDeleted", system=True), reference("WhoId", "Contact", "Lead"),
    reference("WhatId", "Account", "Opportunity", "Deal_Desk__c"), reference("OwnerId", "User", nillable=False),
    text("Subject", 255), picklist("Status", TASK_STATUSES, default=TASK_STATUSES[0]),
    picklist("Priority", ("High", "Normal", "Low"), default="Normal"), date("ActivityDate", label="Due Date Only"),
    boolean("IsClosed", system=True), boolean("IsArchived", system=True), *audit(),
))  # fmt: skip

EVENT = SObject("Event", "Event", "00U", (
    ident(), boolean("IsDeleted", system=True), reference("WhoId", "Contact", "Lead"),
    reference("WhatId", "Account", "Opportunity", "Deal_Desk__c"), reference("OwnerId", "User", nillable=False),
    text("Subject", 255), datetime_("StartDateTime"), datetime_("EndDateTime"), boolean("IsAllDayEvent"),
    boolean("IsArchived", system=True), *audit(),
))  # fmt: skip

DEAL_DESK = SObject("Deal_Desk__c", "Deal Desk", "a0B", (
    ident(), boolean("IsDeleted", system=True), text("Name", 80, label="Case Number", system=True, auto_number=True),
    reference("OwnerId", "User", nillable=False), reference("Opportunity__c", "Opportunity", label="Opportunity"),
    picklist("Status__c", DESK_STATUSES, label="Status", default=DESK_STATUSES[0], restricted=True),
    percent("Discount__c", 5, 2, label="Discount"), datetime_("Approved_At__c", label="Approved At"),
    textarea("Notes__c", 131072, label="Notes"),
    formula(text("Risk__c", 1300, label="Risk"), Formula(
        'IF(Discount__c > 0.3, "High", IF(Discount__c > 0.15, "Medium", "Low"))', ("Discount__c",), risk)),
    *audit(),
))  # fmt: skip

FIRST_DAY: Final = (USER, ACCOUNT, CONTACT, LEAD, OPPORTUNITY, OPPORTUNITY_LINE_ITEM, TASK, EVENT, DEAL_DESK)
CASCADES: Final = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityLineItem", "OpportunityId"),),
}
"""What goes to the recycle bin with a row, and comes back with it: objects, and the field that names it."""
