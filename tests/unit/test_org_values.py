"""Ids, values and queries of the simulated org."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.org import account, deal, org_at_noon
from tieout.sim.org import values
from tieout.sim.org.errors import OrgError
from tieout.sim.org.ids import Ids, eighteen
from tieout.sim.org.objects import ACCOUNT, CONTACT, DEAL_DESK, OPPORTUNITY
from tieout.sim.org.org import Org
from tieout.sim.org.schema import Field, SObject


def field(sobject: SObject, name: str) -> Field:
    found = sobject.field(name)
    assert found is not None
    return found


AMOUNT, REVENUE = field(OPPORTUNITY, "Amount"), field(ACCOUNT, "AnnualRevenue")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("0015f00002JUXA8", "0015f00002JUXA8AAP"),
        ("0055f000005mc66", "0055f000005mc66AAA"),
        ("005R0000000UyrW", "005R0000000UyrWIAS"),
    ],
)
def test_an_id_gets_its_checksum(short: str, full: str) -> None:
    assert eighteen(short) == eighteen(full) == eighteen(full.lower()) == full


def test_ids_sort_by_when_they_were_given_out() -> None:
    given = Ids().many("006", 5_000)

    assert len(set(given)) == 5_000
    assert given == sorted(given)
    assert len({each.lower() for each in given}) == 5_000, "the checksum tells apart what case alone would not"
    assert len({each[:15].lower() for each in given}) < 5_000


@pytest.mark.parametrize("given", ["", "001", "001A0000006Vm9!", "001A0000006Vm9rI"])
def test_what_is_no_id_is_refused(given: str) -> None:
    with pytest.raises(OrgError) as refused:
        eighteen(given)

    assert refused.value.code == "MALFORMED_ID"


@pytest.mark.parametrize(
    ("of", "given", "kept"),
    [
        (AMOUNT, "1.0E7", "10000000.00"),
        (AMOUNT, Decimal("0.005"), "0.01"),
        (AMOUNT, -0.0, "0.00"),
        (AMOUNT, "9999999999999999.99", "9999999999999999.99"),
        (REVENUE, 12, "12"),
        (field(ACCOUNT, "Name"), "  Acme\t\x00 ", "Acme"),
        (field(ACCOUNT, "Phone"), "   ", None),
        (field(CONTACT, "HasOptedOutOfEmail"), None, 0),
        (field(CONTACT, "HasOptedOutOfEmail"), "TRUE", 1),
        (field(OPPORTUNITY, "CloseDate"), "4000-12-31", "4000-12-31"),
        (field(DEAL_DESK, "Approved_At__c"), "2024-05-01T10:20:30.000+0200", "2024-05-01T08:20:30.000Z"),
        (field(OPPORTUNITY, "AccountId"), "001A0000006Vm9r", "001A0000006Vm9rIAC"),
    ],
)
def test_a_value_is_kept_by_the_rules_of_its_field(of: Field, given: object, kept: object) -> None:
    assert values.stored(of, given) == kept


@pytest.mark.parametrize(
    ("of", "given", "code"),
    [
        (AMOUNT, "10000000000000000", "NUMBER_OUTSIDE_VALID_RANGE"),
        (AMOUNT, "much", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        (field(ACCOUNT, "Name"), "x" * 256, "STRING_TOO_LONG"),
        (field(CONTACT, "Email"), "nobody", "INVALID_EMAIL_ADDRESS"),
        (field(DEAL_DESK, "Status__c"), "Maybe", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (field(OPPORTUNITY, "CloseDate"), "31.12.2026", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ],
)
def test_a_value_that_breaks_them_is_refused(of: Field, given: object, code: str) -> None:
    with pytest.raises(OrgError) as refused:
        values.stored(of, given)

    assert (refused.value.code, refused.value.fields) == (code, (of.name,))


@pytest.mark.parametrize(
    ("of", "kept", "cell"),
    [
        (AMOUNT, "45000.00", "45000.0"),
        (AMOUNT, "10000000.00", "1.0E7"),
        (AMOUNT, "12345678.90", "1.23456789E7"),
        (AMOUNT, "-20000000.50", "-2.00000005E7"),
        (REVENUE, "350000000", "350000000"),
        (field(CONTACT, "HasOptedOutOfEmail"), 1, "true"),
        (field(ACCOUNT, "Phone"), None, ""),
        (field(DEAL_DESK, "Approved_At__c"), "2024-05-01T08:20:30.000Z", "2024-05-01T08:20:30.000Z"),
    ],
)
def test_bulk_writes_it_in_its_way(of: Field, kept: str | int | None, cell: str) -> None:
    assert values.bulk(of, kept) == cell


def test_a_database_would_write_it_plainly() -> None:
    assert values.plain(AMOUNT, "45000.00") == "45000.00"
    assert values.plain(field(CONTACT, "HasOptedOutOfEmail"), 0) == "false"
    assert values.plain(Field("T", "time"), "10:20:30.000Z") == "10:20:30.000"
    assert values.plain(AMOUNT, None) is None


@pytest.fixture
def org() -> Org:
    org, _ = org_at_noon()
    with org.transaction() as deed:
        big = account(deed, "Big O'Hara", Tier__c="SMB", AnnualRevenue=4_000_000, Phone="50%_x")
        small = account(deed, "small", NumberOfEmployees=10)
        deal(deed, big, Name="a", Amount="1200.50")
        deal(deed, big, Name="b", Amount="90")
        deal(deed, small, Name="c", StageName="Closed Won")
        deal(deed, None, Name="d", Amount="10000")
    return org


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Amount > 100", "ad"),
        ("amount >= 90 AND AMOUNT < 1200.5", "b"),
        ("Amount = null", "c"),
        ("Amount != 90", "acd"),
        ("Account.Name = 'BIG o\\'hara'", "ab"),
        ("Account.Name != 'small'", "abd"),
        ("Account.Phone LIKE '%0\\%\\_%'", "ab"),
        ("AccountId = null OR (IsWon = true AND IsClosed = true)", "cd"),
        ("NOT (Name IN ('a', 'B'))", "cd"),
        ("Name NOT IN ('a', 'b', 'c')", "d"),
        ("Account_Tier__c = 'smb'", "ab"),
        ("ExpectedRevenue > 100", "ad"),
        ("Account.Health_Score__c > 1", "ab"),
        ("CreatedDate = TODAY AND CreatedDate > 2026-11-20T12:00:00.000+0100", ""),
        ("CreatedDate >= 2026-11-20T13:00:00+01:00", "abcd"),
        ("CreatedDate > LAST_N_DAYS:2 AND CloseDate = 2026-12-31", "abcd"),
    ],
)
def test_a_query_finds_its_rows(org: Org, where: str, names: str) -> None:
    found = org.select(f"sElEcT name FROM opportunity WHERE {where} ORDER BY Name")

    assert "".join(str(row[0]) for row in found.page(0, 10)) == names


def test_an_id_is_found_in_either_form_and_in_its_case_alone(org: Org) -> None:
    record = str(org.rows("Opportunity")[0]["Id"])

    assert org.select(f"SELECT Id FROM Opportunity WHERE Id = '{record}'").ids == [record]
    assert org.select(f"SELECT Id FROM Opportunity WHERE Id IN ('{record[:15]}')").ids == [record]
    assert org.select(f"SELECT Id FROM Opportunity WHERE Id = '{record[:15].swapcase()}'").ids == []


def test_it_orders_limits_counts_and_groups(org: Org) -> None:
    ordered = org.select("SELECT Name FROM Opportunity ORDER BY Amount DESC NULLS LAST, Name LIMIT 3")
    grouped = org.select("SELECT IsWon, COUNT(Id) n, MAX(Amount) FROM Opportunity GROUP BY IsWon")

    assert [row[0] for row in ordered.page(0, 10)] == ["d", "a", "b"]
    assert org.select("SELECT COUNT() FROM Opportunity WHERE Amount > 100").total == 2
    assert grouped.page(0, 10) == [(0, 3, 10000.0), (1, 1, None)]


@pytest.mark.parametrize(
    ("soql", "code", "saying"),
    [
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Id FRM Account", "MALFORMED_QUERY", "unexpected token: 'FRM'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY", "Column:37"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Id = null OR Id = null", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Opportunity WHERE Nope.Name = 'a'", "INVALID_FIELD", "relationship 'Nope'"),
        ("SELECT Id FROM Opportunity WHERE Amount = 'a'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "type dateTime"),
        ("SELECT Id FROM Opportunity WHERE Description = 'a'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "grouped"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY", ""),
    ],
)
def test_a_query_that_is_wrong_is_told_why(org: Org, soql: str, code: str, saying: str) -> None:
    with pytest.raises(OrgError) as refused:
        org.select(soql)

    assert refused.value.code == code
    assert saying in refused.value.message
