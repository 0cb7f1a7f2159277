"""The oracle of the simulation: it must see what differs, and only that."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tieout.sim.world.oracle import differences as told_differences

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRUTH: dict[str, dict[str, Any]] = {
    "A1": {"id": "A1", "name": "Zoë", "amount": "1.10", "seen_at": "2026-11-20T13:00:00+01:00", "about": '{"a": 1.50}'},
    "A2": {"id": "A2", "name": "", "amount": None, "seen_at": None, "about": None},
}


def differences(truth: dict[str, dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    return told_differences(truth, rows, documents={"about"})


def shown() -> list[dict[str, Any]]:
    return [
        {"id": "A1", "name": "Zoë", "amount": Decimal("1.10"), "seen_at": NOON, "about": '{"a":1.50}'},
        {"id": "A2", "name": "", "amount": None, "seen_at": None, "about": None},
    ]


def test_the_same_rows_differ_in_nothing() -> None:
    assert differences(TRUTH, shown()) == ""
    assert differences(TRUTH, list(reversed(shown()))) == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Zoe\u0308"),
        ("name", None),
        ("amount", Decimal("1.11")),
        ("amount", None),
        ("seen_at", NOON.replace(second=1)),
        ("about", '{"a": 1.5, "b": 2}'),
    ],
)
def test_another_value_is_seen(field: str, value: Any) -> None:
    rows = shown()
    rows[0][field] = value

    assert f"A1.{field} is" in differences(TRUTH, rows)


def test_an_empty_text_is_not_null() -> None:
    rows = shown()
    rows[1]["name"] = None

    assert differences(TRUTH, rows) == "A2.name is None, at the source ''"


def test_rows_too_few_too_many_and_twice_are_seen() -> None:
    first, second = shown()

    assert differences(TRUTH, [first]) == "A2 is missing"
    assert differences(TRUTH, [first, second, {**first, "id": "A3"}]) == "A3 is not at the source"
    assert differences(TRUTH, [first, first, second]) == "A1 stands here twice"


@pytest.mark.parametrize("text", ['"quoted" ', " null", '{"a":1}'])
def test_a_text_that_looks_like_a_document_is_compared_as_it_stands(text: str) -> None:
    truth = {"A1": {"id": "A1", "name": text.replace(" ", "") if " " in text else '{"a": 1}'}}

    assert "A1.name is" in differences(truth, [{"id": "A1", "name": text}])
