"""Whom a contract lets see its rows, read from its document."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.base.stream import Stream
from tieout.contract import odcs
from tieout.contract.classified import WORDS, Classification, Classified, load_classified, strictest

STREAM = Stream("crm", "person")
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "contracts.md").read_text(encoding="utf-8")


def classified(folder: Path, *columns: str, row_access: str = "") -> Classified:
    lines = "\n".join(f"      - {{{column}}}" for column in columns)
    custom = f"customProperties: [{{property: row_access, value: {row_access}}}]\n" if row_access else ""
    path = folder / "person.yaml"
    path.write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: p\nname: p\nversion: 1.0.0\nstatus: active\n"
        f"{custom}schema:\n  - name: person\n    properties:\n"
        "      - {name: id, logicalType: string, primaryKey: true}\n"
        f"{lines}\n",
        encoding="utf-8",
    )
    return load_classified(path, odcs.load(path, STREAM))


def test_a_column_has_the_class_of_its_word_in_either_case(tmp_path: Path) -> None:
    found = classified(
        tmp_path,
        "name: mail, logicalType: string, classification: PII",
        "name: salary, logicalType: number, classification: financial",
        "name: health, logicalType: string, classification: restricted",
        "name: city, logicalType: string, classification: internal",
        "name: note, logicalType: string",
    )

    assert found.columns == {
        "mail": Classification.PERSONAL,
        "salary": Classification.FINANCIAL,
        "health": Classification.SENSITIVE,
    }
    assert found.is_personal


def test_money_alone_is_not_about_people(tmp_path: Path) -> None:
    assert not classified(tmp_path, "name: amount, logicalType: number, classification: financial").is_personal


def test_what_is_hidden_wins_over_what_is_masked_and_that_over_money() -> None:
    order = [Classification.SENSITIVE, Classification.PERSONAL, Classification.FINANCIAL, None]

    for first, later in combinations(order, 2):
        assert strictest([later, first]) == strictest([first, later]) == first
    assert set(order) == {*Classification, None}
    assert strictest([]) is None


def test_a_column_is_as_strict_as_what_lies_within_it(tmp_path: Path) -> None:
    inner = "properties: [{name: a, logicalType: string, classification: personal}]"
    items = "items: {name: b, logicalType: string, classification: sensitive}"

    found = classified(
        tmp_path, f"name: address, logicalType: object, {inner}", f"name: notes, logicalType: array, {items}"
    )

    assert found.columns == {"address": Classification.PERSONAL, "notes": Classification.SENSITIVE}


def test_a_misspelt_word_is_refused_since_it_would_leave_the_column_open(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        classified(tmp_path, "name: mail, logicalType: string, classification: persnal")

    place = "person.yaml:11: schema[0].properties[1].classification"
    assert refused.value.message == f'{tmp_path}/{place} is "persnal"; allowed: {", ".join(WORDS)}.'
    assert refused.value.hint == "Did you mean personal?"


def test_rows_are_divided_by_an_open_column(tmp_path: Path) -> None:
    column = "name: region, logicalType: string"

    assert classified(tmp_path, column, row_access="region").rows_by == "region"


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("name: other, logicalType: string", "names no column of this contract"),
        ("name: region, logicalType: timestamp", "which is timestamptz; write one of text, whole numbers"),
        ("name: region, logicalType: string, classification: personal", "which is classified personal"),
    ],
)
def test_rows_cannot_be_divided_by_what_no_policy_could_read(tmp_path: Path, column: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        classified(tmp_path, column, row_access="region")

    assert told in refused.value.message


def test_every_word_of_a_classification_is_told() -> None:
    section = PAGE.partition("## Who may see")[2].partition("\n## ")[0]

    assert not [word for word in WORDS if f"`{word}`" not in section]
    assert "`row_access`" in section
