"""A contract's document becomes a contract, or says in one sentence what to write instead."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType, Described
from tieout.contract import odcs
from tieout.contract.contract import Contract

STREAM = Stream("erp", "account")

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: erp.account
name: account
version: 1.0.0
status: active
"""

LEAST = """\
schema:
  - name: account
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: number, physicalType: "decimal(18,2)", classification: confidential}
"""


def contract_of(folder: Path, text: str) -> Contract:
    path = folder / "account.yaml"
    path.write_text(text, encoding="utf-8")
    return odcs.load(path, STREAM)


def complaint_about(folder: Path, text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        contract_of(folder, text)
    return str(caught.value).removeprefix(f"{folder}/")


def columns_of(folder: Path, *properties: str) -> dict[str, str]:
    """Name -> type of a contract with these properties beside its key."""
    lines = "".join(
        f"      - {{{text}}}\n" for text in ("name: id, logicalType: string, primaryKey: true", *properties)
    )
    contract = contract_of(folder, f"{HEAD}schema:\n  - name: account\n    properties:\n{lines}")
    return {column.name: str(column.type) for column in contract.fields}


def test_the_least_contract(tmp_path: Path) -> None:
    contract = contract_of(tmp_path, HEAD + LEAST)

    assert (contract.stream, contract.version, contract.status) == (STREAM, "1.0.0", "active")
    assert contract.key == ("id",)
    assert contract.columns == (
        Column("id", ColumnType.parse("text"), required=True),
        Column("amount", ColumnType.parse("decimal(18,2)"), physical="decimal(18,2)"),
    )


@pytest.mark.parametrize(
    ("logical", "kind"),
    [
        ("string", "text"),
        ("integer", "bigint"),
        ("number", "numeric"),
        ("boolean", "boolean"),
        ("date", "date"),
        ("timestamp", "timestamptz"),
        ("time", "time"),
        ("object", "json"),
        ("array", "json"),
    ],
)
def test_a_logical_type_alone_decides(tmp_path: Path, logical: str, kind: str) -> None:
    assert columns_of(tmp_path, f"name: a, logicalType: {logical}") == {"a": kind}


def test_a_physical_type_that_is_known_wins(tmp_path: Path) -> None:
    columns = columns_of(
        tmp_path,
        "name: a, logicalType: number, physicalType: double precision",
        "name: b, logicalType: timestamp, physicalType: timestamp without time zone",
        "name: c, physicalType: varchar(40)",
    )

    assert columns == {"a": "double", "b": "timestamp", "c": "text"}


def test_a_physical_type_that_is_not_known_leaves_it_to_the_logical_one(tmp_path: Path) -> None:
    columns = columns_of(
        tmp_path,
        "name: a, logicalType: string, physicalType: mood",
        "name: b, logicalType: number, physicalType: decimal",
    )

    assert columns == {"a": "text", "b": "numeric"}


def test_the_key_stands_in_the_order_of_its_positions(tmp_path: Path) -> None:
    contract = contract_of(
        tmp_path,
        HEAD
        + "schema:\n  - name: account\n    properties:\n"
        + "      - {name: line, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}\n"
        + "      - {name: order, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}\n",
    )

    assert contract.key == ("order", "line")


def test_a_key_without_positions_stands_in_the_order_of_the_document(tmp_path: Path) -> None:
    contract = contract_of(
        tmp_path,
        HEAD
        + "schema:\n  - name: account\n    properties:\n"
        + "      - {name: line, logicalType: integer, primaryKey: true, primaryKeyPosition: -1}\n"
        + "      - {name: order, logicalType: integer, primaryKey: true}\n",
    )

    assert contract.key == ("line", "order")


def test_words_of_yaml_can_be_names_of_columns(tmp_path: Path) -> None:
    assert set(columns_of(tmp_path, "name: on, logicalType: date", "name: no, logicalType: date")) == {"on", "no"}


def test_the_rest_of_the_standard_may_stand_in_it(tmp_path: Path) -> None:
    text = HEAD + LEAST + (
        "contractCreatedTs: 2026-11-20T10:00:00Z\n"
        "description: {purpose: Accounts}\n"
        "team: {name: sales, members: [{username: ann, role: owner}]}\n"
        "slaProperties: [{property: latency, value: 15, unit: m}]\n"
        "customProperties: [{property: deletes, value: tombstone}]\n"
    )  # fmt: skip

    assert contract_of(tmp_path, text).key == ("id",)


def test_the_digest_follows_the_meaning_and_nothing_else(tmp_path: Path) -> None:
    first = contract_of(tmp_path, HEAD + LEAST).digest

    reworded = contract_of(tmp_path, HEAD.replace("1.0.0", "2.0.0") + LEAST.replace("decimal(18,2)", "numeric(18, 2)"))
    stricter = contract_of(tmp_path, HEAD + LEAST.replace("classification: confidential", "required: true"))
    wider = contract_of(tmp_path, HEAD + LEAST.replace("18,2", "20,2"))

    assert reworded.digest == first
    assert len({first, stricter.digest, wider.digest}) == 3


WRONG: list[tuple[str, str, str]] = [
    ("a missing word of the standard", HEAD.replace("status: active\n", "") + LEAST,
     "account.yaml:1: status is missing."),
    ("no schema", HEAD, "account.yaml:1: schema is missing."),
    ("a version of another age", HEAD.replace("v3.1.0", "v2.2.0") + LEAST,
     'account.yaml:1: apiVersion is "v2.2.0"; allowed: v3.0.0, v3.0.1, v3.0.2, v3.1.0.'),
    ("another kind", HEAD.replace("DataContract", "DataProduct") + LEAST,
     'account.yaml:2: kind is "DataProduct"; allowed: DataContract.'),
    ("a version that is a number", HEAD.replace("1.0.0", "1.0") + LEAST,
     "account.yaml:5: version is 1.0; write text (in quotes, if it looks like a number)."),
    ("two tables", HEAD + LEAST + "  - name: other\n",
     "account.yaml:7: schema has 2 entries; write one, for this stream's rows."),
    ("no column", HEAD + "schema:\n  - name: account\n",
     "account.yaml:8: schema[0].properties is missing."
     " Write one entry with name and logicalType for each column."),
    ("a column without a name", HEAD + LEAST.replace("{name: amount, ", "{"),
     "account.yaml:11: schema[0].properties[1].name is missing."),
    ("a column without a type", HEAD + LEAST.replace("logicalType: string, ", ""),
     "account.yaml:10: schema[0].properties[0].logicalType is missing;"
     " allowed: string, integer, number, boolean, date, timestamp, time, object, array."),
    ("a misspelt type", HEAD + LEAST.replace("logicalType: string", "logicalType: strng"),
     'account.yaml:10: schema[0].properties[0].logicalType is "strng";'
     " allowed: string, integer, number, boolean, date, timestamp, time, object, array. Did you mean string?"),
    ("a word that is not the standard's", HEAD + LEAST.replace("primaryKey:", "primarykey:"),
     "Did you mean primaryKey?"),
    ("a yes that is no boolean", HEAD + LEAST.replace("required: true", "required: yes"),
     'account.yaml:10: schema[0].properties[0].required is "yes"; write true or false.'),
    ("a position twice",
     HEAD + LEAST.replace("classification: confidential", "primaryKey: true, primaryKeyPosition: 1"),
     "account.yaml:11: schema[0].properties[1].primaryKeyPosition is 1;"
     " number the columns of the key 1, 2, and so on, each once."),
    ("a position for one half of the key", HEAD + LEAST.replace("classification: confidential", "primaryKey: true"),
     "account.yaml:11: schema[0].properties[1].primaryKeyPosition is missing,"
     " while other columns of the key have one."),
    ("no key", HEAD + LEAST.replace("primaryKey: true, primaryKeyPosition: 1", "unique: true"),
     "account.yaml:9: schema[0].properties do not make a contract: the contract of erp.account has no usable key."
     " Mark one or more properties with primaryKey: true and primaryKeyPosition."),
    ("a column twice", HEAD + LEAST.replace("name: amount", "name: ID"),
     "account.yaml:9: schema[0].properties do not make a contract: the contract of erp.account names a column twice"
     " (upper and lower case are one)."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [wrong[1:] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_a_wrong_contract_is_answered_with_the_right_one(tmp_path: Path, text: str, expected: str) -> None:
    complaint = complaint_about(tmp_path, text)

    assert complaint.endswith(expected)
    assert complaint.startswith("account.yaml:")


def test_a_type_that_nobody_knows_says_which_there_are(tmp_path: Path) -> None:
    complaint = complaint_about(tmp_path, HEAD + LEAST.replace("logicalType: string", "physicalType: mood"))

    assert complaint.startswith('account.yaml:10: schema[0].properties[0].physicalType is "mood", which is not known')
    assert "decimal(p,s)" in complaint


def test_a_draft_says_that_it_is_one_and_keeps_the_sources_words(tmp_path: Path) -> None:
    described = Described(
        object="account",
        columns=(
            Column("id", ColumnType.parse("bigint"), required=True, physical="bigint"),
            Column("mood", ColumnType.parse("text"), physical="mood"),
            Column("tags", ColumnType.parse("json"), physical="text[]"),
            Column("fee", ColumnType.parse("numeric"), physical="money"),
            Column("span", ColumnType.parse("bigint"), physical="date"),
        ),
        key=("id",),
        note="Something is left out.",
    )

    contract = contract_of(tmp_path, odcs.draft(STREAM, described))

    assert "limitations: Something is left out." in odcs.draft(STREAM, described)
    assert (contract.status, contract.columns, contract.key) == ("draft", described.columns, described.key)


def test_a_contract_stands_under_the_streams_own_name(tmp_path: Path) -> None:
    assert odcs.find(tmp_path, Stream("erp", "odd name.v2")) == tmp_path / "contracts/erp/odd name.v2.yaml"


def promising(entry: str) -> str:
    return f"{HEAD}slaProperties:\n  - {{{entry}}}\n{LEAST}"


@pytest.mark.parametrize(
    ("entry", "about", "seconds"),
    [
        ("property: latency, value: 5, unit: min", "latency", 300.0),
        ("property: latency, value: 15, unit: m", "latency", 900.0),
        ("property: Freshness, value: 0.5, unit: h", "latency", 1800.0),
        ("property: ly, value: 4, unit: d, element: account.amount", "latency", 345_600.0),
        ("property: frequency, value: 1, valueExt: 1, unit: Days", "frequency", 86_400.0),
    ],
)
def test_a_promise_about_time_is_read_in_the_standards_words(
    tmp_path: Path, entry: str, about: str, seconds: float
) -> None:
    promised = contract_of(tmp_path, promising(entry))

    assert [(str(one.about), one.seconds) for one in promised.promises] == [(about, seconds)]
    assert promised.digest == contract_of(tmp_path, HEAD + LEAST).digest


def test_what_else_an_owner_promises_is_left_to_others(tmp_path: Path) -> None:
    assert contract_of(tmp_path, promising("property: retention, value: 3, unit: fortnights")).promises == ()


@pytest.mark.parametrize(
    ("entry", "place", "mend"),
    [
        ("property: latency, value: 5, unit: minuts", 'unit is "minuts"', "Did you mean minutes?"),
        ("property: latency, value: 1, unit: month", 'unit is "month"', "allowed: s, sec"),
        ("property: latency, value: 5", "unit is missing", "allowed: s, sec"),
        ("property: latency, value: soon, unit: min", 'value is "soon"', "write a number above 0"),
        ("property: latency, value: 0, unit: min", "value is 0", "write a number above 0"),
        ("property: latency, value: true, unit: min", "value is true", "write a number above 0"),
    ],
)
def test_a_promise_that_cannot_be_told_is_refused_with_its_mend(
    tmp_path: Path, entry: str, place: str, mend: str
) -> None:
    complaint = complaint_about(tmp_path, promising(entry))

    assert complaint.startswith(f"account.yaml:8: slaProperties[0].{place}")
    assert mend in complaint


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", None),
        ("team: {name: Sales data}", "Sales data"),
        ("team: {name: Sales data, members: [{username: ann, name: Ann Lee, role: Data Owner}]}", "Ann Lee"),
        ("team: {name: Sales data, members: [{username: ann, role: Engineer}]}", "Sales data"),
        ("team: [{username: ann, role: OWNER}, {username: bob, role: owner}]", "ann, bob"),
        ("team: [{username: ann, role: owner, dateOut: 2024-01-01}, {username: bob, role: owner}]", "bob"),
        ("team: [{username: ann, role: Engineer}]", None),
        ("team: [{username: ann}]", None),
        ("support: [{channel: '#news', scope: announcements}]", None),
        ("support: [{channel: '#sales'}, {channel: desk, url: 'mailto:desk@example.com'}]",
         "#sales, desk (mailto:desk@example.com)"),
        ('team: {name: "Sales\\n data"}', "Sales data"),
    ],
)  # fmt: skip
def test_a_contract_names_who_answers_for_it(tmp_path: Path, said: str, told: str | None) -> None:
    owner = contract_of(tmp_path, f"{HEAD}{said}\n{LEAST}").owner

    assert (None if owner is None else str(owner)) == told


def test_what_the_standard_does_not_know_of_a_team_is_refused(tmp_path: Path) -> None:
    found = complaint_about(tmp_path, f"{HEAD}team: {{nmae: Sales}}\n{LEAST}")

    assert "team.nmae is not a setting" in found


def custom(name: str, value: str) -> str:
    return f"{HEAD}customProperties: [{{property: {name}, value: {value}}}]\n{LEAST}"


def test_a_contract_says_how_long_a_row_may_wait_and_which_days_are_unlike_others(tmp_path: Path) -> None:
    days = contract_of(tmp_path, custom("exceptional_days", "[2026-12-24, 01-01, month_end]")).exceptional

    assert contract_of(tmp_path, custom("quarantine", "36h")).quarantine_seconds == 36 * 3600
    assert contract_of(tmp_path, HEAD + LEAST).quarantine_seconds is None
    named = [date(2026, 12, 24), date(2027, 1, 1), date(2028, 2, 29), date(2026, 11, 30)]
    others = [date(2025, 12, 24), date(2028, 2, 28), date(2026, 12, 30)]
    assert all(days.names(day) for day in named)
    assert not any(days.names(day) for day in others)
    assert contract_of(tmp_path, custom("exceptional_days", "02-29")).exceptional.names(date(2028, 2, 29))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("quarantine", "soon", 'value is "soon"; write a whole number'),
        ("quarantine", "[]", "value is a list; write a whole number"),
        ("exceptional_days", "[12-25, 2026-13-01]", "names 2026-13-01, which is no day; write a date"),
        ("exceptional_days", "[1-1]", "names 1-1, which is no day"),
        ("exceptional_days", "[20261225]", "names 20261225, which is no day"),
        ("exceptional_days", "[2026-W52-5]", "names 2026-W52-5, which is no day"),
        ("exceptional_days", "easter", "names easter, which is no day"),
    ],
)
def test_a_custom_property_of_ours_that_makes_no_sense_is_refused(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    assert told in complaint_about(tmp_path, custom(name, value))
