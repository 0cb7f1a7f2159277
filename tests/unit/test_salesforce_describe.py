"""Ids, what describe says as columns, and questions that ask for them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.salesforce import OPPORTUNITY, described
from tieout.base.errors import Broken, Misconfigured, Rejected
from tieout.base.types import ColumnType
from tieout.capture.salesforce import soql
from tieout.capture.salesforce.describe import SField, SObject
from tieout.capture.salesforce.ids import is_id, to18

IDS = ["001A0000006Vm9rIAC", "0015f00002JUXA8AAP", "0055f000005mc66AAA", "005R0000000UyrWIAS", "00QZZZZZZZZZZZZ255"]


def field(name: str = "X__c", **told: object) -> SField:
    return SField.of({"name": name, **told})


@pytest.mark.parametrize("whole", IDS)
def test_an_id_of_fifteen_gets_its_last_three(whole: str) -> None:
    assert to18(whole[:15]) == to18(whole) == whole
    assert is_id(whole)
    assert is_id(whole[:15])


@pytest.mark.parametrize(
    "text",
    [
        "001A0000006Vm9rIAD",
        "001a0000006vm9rIAC",
        "001A0000006Vm9riac",
        "001A0000006Vm9r ",
        "001A0000006Vm9rIA",
        "001",
        "001*",
        "",
    ],
)
def test_what_is_no_id_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        to18(text)

    assert not is_id(text)


@pytest.mark.parametrize(
    ("told", "type_", "physical"),
    [
        ({"type": "string", "length": 255}, "text", "string(255)"),
        ({"type": "picklist", "length": 255}, "text", "picklist"),
        ({"type": "currency", "precision": 18, "scale": 2}, "decimal(18,2)", "currency(18,2)"),
        ({"type": "percent", "precision": 3, "scale": 0}, "decimal(3,0)", "percent(3,0)"),
        ({"type": "double", "precision": 0, "scale": 0}, "numeric", "double(0,0)"),
        ({"type": "double", "precision": 50, "scale": 2}, "numeric", "double(50,2)"),
        ({"type": "int", "digits": 9}, "bigint", "int"),
        ({"type": "long"}, "bigint", "long"),
        ({"type": "boolean"}, "boolean", "boolean"),
        ({"type": "date"}, "date", "date"),
        ({"type": "datetime"}, "timestamptz", "datetime"),
        ({"type": "time"}, "time", "time"),
        ({"type": "hologram"}, "text", "hologram"),
    ],
)
def test_a_type_is_told_in_our_words_and_in_theirs(told: dict[str, object], type_: str, physical: str) -> None:
    assert (field(**told).type, field(**told).physical) == (ColumnType.parse(type_), physical)


def test_derived_is_what_no_event_tells() -> None:
    formula = {"type": "double", "calculated": True, "calculatedFormula": "1 + 1"}
    roll_up = {"type": "currency", "calculated": True, "calculatedFormula": None}

    assert field(**formula).is_derived
    assert field(**formula).is_formula
    assert not field(**roll_up).is_derived
    assert field("SystemModstamp", type="datetime").is_derived
    assert not field("LastModifiedDate", type="datetime").is_derived


def test_only_what_whoever_makes_a_row_must_give_is_required() -> None:
    told = {"createable": True, "nillable": False}

    assert field(**told).is_required
    assert not field(**told, defaultedOnCreate=True).is_required
    assert not field(createable=False, nillable=False).is_required


def test_values_that_may_no_longer_be_chosen_are_kept_apart() -> None:
    values = [{"value": "Hot", "active": True}, {"value": "Cold", "active": False}]

    told = field(type="picklist", picklistValues=values)

    assert (told.picklist, told.picklist_inactive) == (("Hot",), ("Cold",))


def test_an_object_is_its_readable_fields_in_their_order() -> None:
    left_out = [{"name": "Body", "type": "base64"}, {"name": "LastViewedDate", "type": "datetime"}]
    known = described([*left_out, {"name": "Id", "type": "id"}, {"name": "Name", "type": "string", "nillable": False}])

    told = SObject.of(known).described()

    assert (told.object, told.key) == ("opportunity", ("Id",))
    assert [(column.name, column.required) for column in told.columns] == [("Id", True), ("Name", False)]


def test_a_fingerprint_tells_another_type_and_not_another_picklist() -> None:
    wider = described([*described()["fields"][:-1], {"name": "SystemModstamp", "type": "string"}])
    listed = described([{**each, "picklistValues": [{"value": "A", "active": True}]} for each in described()["fields"]])

    assert SObject.of(wider).fingerprint != OPPORTUNITY.fingerprint
    assert SObject.of(listed).fingerprint == OPPORTUNITY.fingerprint


def test_a_window_has_no_order_unless_asked_for() -> None:
    question = soql.window(OPPORTUNITY, OPPORTUNITY.named({"Id", "Name"}), 0, 86_400)

    assert question == (
        "SELECT Id, Name FROM Opportunity"
        " WHERE SystemModstamp >= 1970-01-01T00:00:00Z AND SystemModstamp < 1970-01-02T00:00:00Z"
    )
    assert soql.ordered(question, OPPORTUNITY) == f"{question} ORDER BY SystemModstamp, Id"


def test_rows_without_a_stamp_have_no_window() -> None:
    bare = SObject.of(described([{"name": "Id", "type": "id"}]))

    with pytest.raises(Misconfigured):
        soql.window(bare, bare.fields, 0)


def test_ids_are_asked_for_in_groups_that_fit_an_address() -> None:
    ids = [to18(f"006{number:012d}") for number in range(3_000)]

    groups = list(soql.by_ids(OPPORTUNITY.fields, OPPORTUNITY, ids))

    assert [id_ for _, group in groups for id_ in group] == ids
    assert len(groups) > 2
    assert all(len(quote(question, safe="")) < 14_000 and soql.fits(question) for question, _ in groups)
    assert all(question.count("'") == 2 * len(group) for question, group in groups)


def test_so_many_fields_that_no_id_fits_are_not_asked_for_by_id() -> None:
    many = SObject.of(described([{"name": f"A_very_long_name_{number}__c"} for number in range(1_000)]))

    with pytest.raises(Misconfigured):
        list(soql.by_ids(many.fields, many, [IDS[0]]))


def test_only_a_name_is_asked_for() -> None:
    with pytest.raises(Broken):
        soql.count(SObject.of(described(name="Account WHERE Id != null")))
