"""A contract's file is amended as its owner would do it, and says exactly the old and the change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType
from tieout.contract import odcs
from tieout.contract.amend import next_version
from tieout.run.contracts import Contracts, describes_nothing

STREAM = Stream("erp", "account")
HEAD = """\
# The owner's own words.
apiVersion: v3.1.0
kind: DataContract
id: erp.account
name: account
version: 1.0.0   # raised by hand
status: active
schema:
"""
GAINED = (
    Column("discount", ColumnType.parse("numeric(10,2)"), physical="numeric(10,2)"),
    Column("no", ColumnType.parse("text"), physical='odd: "type"'),
    Column("tags", ColumnType.parse("json"), physical="text[]"),
)
FLOW_ITEMS = """\
  - name: account
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: integer, physicalType: "int"} # theirs
    # behind the columns
    description: of accounts
# the end
"""
FLOW_ALL = """\
- name: account
  properties: [{name: id, logicalType: string, primaryKey: true}, {name: amount, logicalType: integer}]  # all
"""
BLOCK = """\
- name: account
  properties:
  - name: id
    logicalType: string
    primaryKey: true

  - name: amount
    physicalType: int4
    required: true
    customProperties:
    - property: sourceType
      value: int4
    description: |
      long
      text

  # and this
  quality: []"""


def contracts_with(root: Path, text: str) -> tuple[Contracts, Path]:
    file = odcs.find(root, STREAM)
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode())
    return Contracts(root), file


@pytest.mark.parametrize("schema", [FLOW_ITEMS, FLOW_ALL, BLOCK], ids=["flow items", "flow", "block"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_columns_are_added_and_not_a_word_is_lost(tmp_path: Path, schema: str, line_end: str) -> None:
    contracts, file = contracts_with(tmp_path, (HEAD + schema).replace("\n", line_end))
    before = contracts.of(STREAM, describes_nothing)

    after = contracts.amend(before, (*before.columns, *GAINED))

    assert after is not None
    assert (after.columns, after.version) == ((*before.columns, *GAINED), "1.1.0")
    written = file.read_bytes().decode()
    assert line_end == "\n" or "\n" not in written.replace("\r\n", "")
    kept = [line for line in (HEAD + schema).replace("1.0.0", "1.1.0").splitlines() if "all" not in line]
    assert [line for line in kept if line not in written.splitlines()] == []


def test_a_type_and_a_promise_are_changed_where_they_stand(tmp_path: Path) -> None:
    contracts, file = contracts_with(tmp_path, HEAD + BLOCK)
    before = contracts.of(STREAM, describes_nothing)
    wide = replace(before.columns[1], type=ColumnType.parse("bigint"), physical="bigint", required=False)

    after = contracts.amend(before, (before.columns[0], wide))

    assert after is not None
    assert after.columns == (before.columns[0], wide)
    assert file.read_text() == (HEAD + BLOCK).replace("int4", "bigint").replace("1.0.0", "1.1.0").replace(
        "required: true", "required: false"
    )


def test_a_file_that_was_edited_meanwhile_is_left_alone(tmp_path: Path) -> None:
    contracts, file = contracts_with(tmp_path, HEAD + FLOW_ITEMS)
    before = contracts.of(STREAM, describes_nothing)
    edited = (HEAD + FLOW_ITEMS).replace("name: amount", "name: sum")
    file.write_text(edited)

    assert contracts.amend(before, (*before.columns, *GAINED)) is None
    assert [one.read_text() for one in file.parent.iterdir()] == [edited]


def test_a_type_that_no_word_of_the_file_tells_is_left_to_its_owner(tmp_path: Path) -> None:
    contracts, file = contracts_with(tmp_path, HEAD + FLOW_ALL)
    before = contracts.of(STREAM, describes_nothing)
    wide = replace(before.columns[1], type=ColumnType.parse("decimal(20,0)"), physical="decimal(20,0)")

    assert contracts.amend(before, (before.columns[0], wide)) is None
    assert file.read_text() == HEAD + FLOW_ALL


@pytest.mark.parametrize(("version", "then"), [("1.4.2", "1.5.0"), ("0.9.9", "0.10.0"), ("v3", "v3"), ("1.2", "1.2")])
def test_the_second_number_of_a_version_is_raised(version: str, then: str) -> None:
    assert next_version(version) == then
