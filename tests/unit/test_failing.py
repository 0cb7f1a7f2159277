"""What a row in quarantine failed is read from the judge's own sentences, whatever the columns are called."""

from __future__ import annotations

import pytest

from tests.telling import Say, contract_of, judged_of
from tieout.contract.contract import Contract
from tieout.contract.fault import Failing, failing_of

STRICT = contract_of(required=["b"], a="integer", b="text")


def fault_of(say: Say, contract: Contract) -> str:
    (fault,) = judged_of([say], contract).changes["_fault"].to_pylist()
    return str(fault)


@pytest.mark.parametrize(
    ("fields", "failing"),
    [
        ({"a": "many", "b": "x"}, Failing("a", "type: integer", "many")),
        ({"a": "3, not 4", "b": "x"}, Failing("a", "type: integer", "3, not 4")),
        ({"a": "1", "b": None}, Failing("b", "required: true", None)),
    ],
)
def test_the_column_the_rule_and_the_value_are_told(fields: dict[str, str | None], failing: Failing) -> None:
    fault = fault_of(Say("image", "k1", 1, fields), STRICT)

    assert failing_of(fault, ["id", "a", "b"]) == failing


def test_a_column_whose_name_reads_like_a_sentence_is_told_whole() -> None:
    contract = contract_of(**{"a": "integer", "a is b": "integer"})
    fault = fault_of(Say("image", "k1", 1, {"a": "1", "a is b": "many"}), contract)

    assert failing_of(fault, ["id", "a", "a is b"]) == Failing("a is b", "type: integer", "many")


def test_a_column_that_the_contract_has_no_more_is_told_too() -> None:
    assert failing_of("wrong_type: gone is 1.5, not bigint", ["id"]) == Failing("gone", "type: bigint", "1.5")


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("null_key: id is null", Failing("id", "primaryKey: true", None)),
        ('wrong_key: the key is ["no"], not ["id"]', Failing(None, 'primaryKey: ["id"]', '["no"]')),
        ("undecodable: unexpected end", None),
        ("bad_order", None),
        ("sweep_not_certified: 1 key could not be read", None),
    ],
)
def test_a_key_is_told_and_what_no_contract_was_asked_about_is_not(fault: str, failing: Failing | None) -> None:
    assert failing_of(fault, ["id"]) == failing
