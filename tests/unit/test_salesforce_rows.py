"""Rows that were read of an org, as changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.salesforce import NOON, OPPORTUNITY, ROW, bulk, rest
from tieout.base.change import CAPTURED
from tieout.base.errors import Broken, Transient
from tieout.capture.salesforce.refusal import as_json
from tieout.capture.salesforce.rows import deletes, from_csv, from_json, images, patches, presence

OTHER = "0065f00002JUXA9AAP"
STAMP = 1777630830
"""Of `ROW`, in seconds."""


def read(*rows: dict[str, Any]) -> pa.Table:
    return from_csv(bulk(rows), OPPORTUNITY.fields)


def seen(rows: pa.Table, *, watermark: int = 0, since: int = 0) -> list[dict[str, Any]]:
    told = images(
        rows, OPPORTUNITY, watermark=watermark, read_start_us=7, read_at=NOON, since=since, origin="bulk 750", first=3
    )
    assert told.schema.names[: len(CAPTURED)] == CAPTURED.names
    return told.to_pylist()


def test_the_channels_write_a_row_alike() -> None:
    large = ROW | {"Amount": "1.0E7", "Weight__c": "1.50", "Description": 'said "no",\nand left'}

    told = read(large)

    assert told == from_json(as_json(rest([large]), doing="reading")["records"], OPPORTUNITY.fields)
    assert told.to_pylist() == [
        large
        | {"Amount": "10000000.00", "Weight__c": "1.5", "Seats__c": "7", "IsDeleted": "false"}
        | {"Opens_At__c": "10:20:30.000"}
    ]


def test_a_number_that_fits_its_type_in_no_way_is_left_to_the_contract() -> None:
    told = read(ROW | {"Amount": "1.005"}, ROW | {"Amount": "n/a"}, ROW | {"Amount": "1e400"}, ROW | {"Amount": "2.50"})

    assert told["Amount"].to_pylist()[:2] == ["1.005", "n/a"]
    assert len(told["Amount"].to_pylist()[2]) == len("1.00") + 400
    assert told["Amount"].to_pylist()[3] == "2.50"


def test_a_column_that_was_not_told_is_not_there() -> None:
    few = {"Id": ROW["Id"], "Amount": None}

    assert read(few).column_names == ["Id", "Amount"]
    assert from_json([few], OPPORTUNITY.fields) == read(few)


def test_the_empty_text_is_null_in_each_channel() -> None:
    told = [{"Id": ROW["Id"], "Name": ""}]

    assert from_json(told, OPPORTUNITY.fields) == from_csv(bulk(told), OPPORTUNITY.fields)
    assert from_json(told, OPPORTUNITY.fields)["Name"].to_pylist() == [None]


def test_a_page_without_rows_has_none() -> None:
    assert read().num_rows == 0
    assert from_csv(b"", OPPORTUNITY.fields).num_rows == 0
    assert seen(read()) == []


def test_a_row_larger_than_what_is_parsed_at_once_is_read() -> None:
    large = ROW | {"Description": "ä\n" * 2**20}

    assert read(ROW, large, ROW)["Description"].to_pylist()[1] == large["Description"]


def test_a_page_that_was_cut_off_is_asked_for_again() -> None:
    page = bulk([ROW, ROW])

    with pytest.raises(Transient):
        from_csv(bulk([ROW]), OPPORTUNITY.fields, rows=2)
    with pytest.raises(Transient):
        from_csv(page[:-30], OPPORTUNITY.fields)


def test_an_image_stands_at_its_stamp_or_at_the_watermark() -> None:
    (earlier,), (later,) = seen(read(ROW), watermark=STAMP - 1), seen(read(ROW), watermark=STAMP + 1)

    assert (earlier["_position"], later["_position"]) == (STAMP, STAMP + 1)
    assert (earlier["_kind"], earlier["_class"], earlier["_minor"], earlier["_rank"]) == ("image", 0, 7, 0)
    assert (earlier["_origin"], earlier["_ordinal"], earlier["_fault"]) == ("bulk 750", 3, None)


def test_a_cover_names_just_the_columns_that_are_there() -> None:
    (told,) = seen(read({"Id": ROW["Id"], "Amount": "1.00"}))

    assert told["_cover"] == '["Amount","Id"]'
    assert "Name" not in told


def test_rows_are_numbered_within_their_origin() -> None:
    assert [row["_ordinal"] for row in seen(read(ROW, ROW, ROW))] == [3, 4, 5]


def test_what_is_first_seen_happened_at_its_stamp() -> None:
    (new,), (known,) = seen(read(ROW), since=STAMP - 1), seen(read(ROW), since=STAMP)

    assert new["_observed_at"] == datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC)
    assert known["_observed_at"] == NOON


def test_a_deleted_row_is_a_delete_that_says_what_it_held() -> None:
    (told,) = seen(read(ROW | {"IsDeleted": True}))

    assert (told["_kind"], told["Name"]) == ("delete", ROW["Name"])
    assert "Name" in told["_cover"]


def test_a_stamp_before_1970_is_floored() -> None:
    (told,) = seen(read(ROW | {"SystemModstamp": "1969-12-31T23:59:58.500Z"}), watermark=-10)

    assert told["_position"] == -2


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"Id": None}, "undecodable: column Id is null"),
        ({"Id": "0065f00002"}, "undecodable: column Id is 0065f00002, which is no id of Salesforce"),
        ({"SystemModstamp": None}, "undecodable: column SystemModstamp is null"),
        ({"SystemModstamp": "yesterday"}, "undecodable: column SystemModstamp is yesterday"),
    ],
)
def test_a_row_that_cannot_be_placed_has_a_fault_and_the_others_none(wrong: dict[str, Any], fault: str) -> None:
    first, second = seen(read(ROW | wrong, ROW), watermark=5)

    assert (first["_fault"], first["_position"]) == (fault, STAMP if "Id" in wrong else 5)
    assert (second["_fault"], second["_position"]) == (None, STAMP)


def test_an_id_of_fifteen_becomes_one_of_eighteen() -> None:
    (told,) = seen(read(ROW | {"Id": ROW["Id"][:15]}))

    assert (told["Id"], told["_fault"]) == (ROW["Id"], None)


def test_rows_are_never_read_without_their_ids() -> None:
    with pytest.raises(Broken):
        seen(read({"Amount": "1.00"}))


def test_a_patch_speaks_of_its_columns_alone() -> None:
    rows = read({"Id": ROW["Id"], "Amount": "1.00", "SystemModstamp": ROW["SystemModstamp"]})

    (told,) = patches(
        rows, OPPORTUNITY, watermark=0, read_start_us=7, read_at=NOON, since=0, origin="bulk", first=0
    ).to_pylist()

    assert (told["_kind"], told["_cover"]) == ("patch", '["Amount","Id","SystemModstamp"]')


def test_the_log_of_deletions_tells_each_at_its_own_second() -> None:
    told = deletes(
        [(ROW["Id"], STAMP), (OTHER, STAMP + 5)], read_start_us=7, read_at=NOON, since=STAMP, origin="log", first=0
    ).to_pylist()

    assert [(row["_kind"], row["Id"], row["_position"]) for row in told] == [
        ("delete", ROW["Id"], STAMP),
        ("delete", OTHER, STAMP + 5),
    ]
    assert [row["_observed_at"] for row in told] == [NOON, datetime(2026, 5, 1, 10, 20, 35, tzinfo=UTC)]
    assert deletes([], read_start_us=7, read_at=NOON, since=0, origin="log", first=0).num_rows == 0


def test_of_ids_that_were_asked_for_each_is_there_or_dead() -> None:
    told = presence(
        [OTHER[:15], ROW["Id"], OTHER],
        read(ROW),
        OPPORTUNITY,
        watermark=STAMP + 9,
        read_start_us=7,
        read_at=NOON,
        since=0,
        origin="ids",
        first=0,
    ).to_pylist()

    assert [(row["Id"], row["_kind"], row["_position"], row["_ordinal"]) for row in told] == [
        (ROW["Id"], "image", STAMP + 9, 0),
        (OTHER, "delete", STAMP + 9, 1),
    ]
    assert (told[1]["Name"], told[1]["_cover"]) == (None, "[]")
