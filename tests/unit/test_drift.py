"""What of a source's columns is drift, and what each policy makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.telling import contract_of
from tieout.base.types import Column, ColumnType
from tieout.contract.drift import Policy, What, compare, followed
from tieout.contract.widening import holds_all_of, keeps_key, widens

CONTRACT = contract_of(required=["name"], n="integer", amount="decimal(10,2)", name="text")
KNOWN = {"id": "text", "n": "integer", "amount": "numeric(10,2)", "name": "varchar(10)", "secret": "text"}


def shown(**changed: str | None) -> dict[str, Column]:
    """What the source shows now; None: no longer."""
    words = {**KNOWN, **changed}
    return {
        name: Column(name, ColumnType.parse(word), physical=word) for name, word in words.items() if word is not None
    }


def told(policy: Policy = Policy.EVOLVE, aside: frozenset[str] = frozenset(), **changed: str | None) -> list[object]:
    found = compare(CONTRACT, policy, KNOWN, shown(**changed), is_whole=True, aside=aside)
    return [(one.what, one.column.name) for one in found]


def test_what_was_there_all_along_is_no_drift() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("changed", "evolve", "freeze"),
    [
        ({"new": "date"}, What.ADDED, What.ASIDE),
        ({"n": "bigint"}, What.WIDENED, What.RETYPED),
        ({"amount": "numeric(12,2)"}, What.WIDENED, What.RETYPED),
        ({"amount": "text"}, What.RETYPED, What.RETYPED),
        ({"amount": "numeric"}, What.RETYPED, What.RETYPED),
        ({"n": None}, What.REMOVED, What.REMOVED),
        ({"NAME": "text"}, What.ASIDE, What.ASIDE),
        ({"_key": "text"}, What.ASIDE, What.ASIDE),
    ],
)
def test_each_change_is_followed_or_told(changed: dict[str, str | None], evolve: What, freeze: What) -> None:
    (name,) = changed

    assert told(Policy.EVOLVE, **changed) == [(evolve, name)]
    assert told(Policy.FREEZE, **changed) == [(freeze, name)]


@pytest.mark.parametrize("changed", [{"name": "text"}, {"n": "smallint"}, {"amount": "numeric(8,1)"}])
def test_a_type_of_which_the_contract_holds_all_needs_no_change(changed: dict[str, str]) -> None:
    assert told(Policy.FREEZE, **changed) == []


def test_a_column_that_was_kept_apart_follows_when_its_owner_wishes() -> None:
    aside = frozenset({"secret"})

    assert told(Policy.FREEZE, aside) == []
    assert told(Policy.EVOLVE, aside) == [(What.ADDED, "secret")]


def test_what_the_source_has_no_longer_it_promises_no_longer() -> None:
    found = compare(CONTRACT, Policy.EVOLVE, KNOWN, shown(name=None, new="date"), is_whole=True, aside=())

    columns = followed(CONTRACT, found)

    assert columns[:-1] == (*CONTRACT.columns[:-1], replace(CONTRACT.columns[-1], required=False))
    assert (columns[-1].name, columns[-1].required) == ("new", False)


@pytest.mark.parametrize(
    ("old", "new", "is_wider"),
    [
        ("smallint", "integer", True),
        ("bigint", "integer", False),
        ("bigint", "bigint", False),
        ("integer", "decimal(12,2)", True),
        ("integer", "decimal(11,2)", False),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("decimal(10,2)", "decimal(11,3)", True),
        ("decimal(10,2)", "numeric", False),
        ("bigint", "numeric", True),
        ("real", "double", True),
        ("integer", "text", False),
        ("date", "timestamp", False),
    ],
)
def test_a_type_is_wider_when_it_holds_all_of_the_other_exactly(old: str, new: str, is_wider: bool) -> None:
    one, other = ColumnType.parse(old), ColumnType.parse(new)

    assert widens(one, other) is is_wider
    assert holds_all_of(other, one.duckdb) is is_wider


def test_a_longer_integer_is_the_same_key() -> None:
    assert keeps_key(ColumnType.parse("integer"), ColumnType.parse("bigint"))
    assert not keeps_key(ColumnType.parse("integer"), ColumnType.parse("decimal(20,2)"))
    assert not keeps_key(ColumnType.parse("text"), ColumnType.parse("integer"))
