"""How the org writes a job's rows, and what of it can be held against the rule in `values.bulk`."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.org import org_at_noon
from tieout.sim.org.bulk.dialect import Dialect
from tieout.sim.org.bulk.result import Result
from tieout.sim.org.bulk.rows import CHUNK_ROWS, BulkSelection, Piece, checked
from tieout.sim.org.org import Org
from tieout.sim.org.selecting import Kept
from tieout.sim.org.values import bulk

WORDS = "plain 'single' \"double\" , ; % %s %d\nlines"


def written(org: Org, soql: str) -> list[list[str]]:
    """The rows, read back."""
    with org.store.lock:
        selection = BulkSelection(org, checked(soql), kept=Kept.CURRENT)
        pieces = list(selection.pieces(Dialect()))
    for text, lengths in pieces:
        ends = np.cumsum(lengths)
        assert {text[end - 2 : end] for end in ends.tolist()} <= {b'"\n'}
        assert int(lengths.sum()) == len(text)
    return list(csv.reader(io.StringIO(b"".join(text for text, _ in pieces).decode(), newline="")))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.decimals(-(10**15), 10**15, places=2),
            st.none() | st.integers(0, 100),
            st.none()
            | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n"), max_size=20)
            | st.just(WORDS),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_database_writes_cells_as_the_rule_does(rows: list[tuple[Decimal | None, int | None, str | None]]) -> None:
    org, _ = org_at_noon()
    with org.transaction() as deed:
        for amount, probability, step in rows:
            given = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
            deed.create("Opportunity", {**given, "Amount": amount, "Probability": probability, "NextStep": step})
    names = "Id, Amount, Probability, ExpectedRevenue, NextStep, IsClosed, CloseDate, CreatedDate, Account_Tier__c"
    sobject = org.schemas["Opportunity"]

    found = {row[0]: row for row in written(org, f"SELECT {names} FROM Opportunity")}

    for row in org.rows("Opportunity", names):
        by_rule = []
        for name in names.split(", "):
            field = sobject.field(name)
            assert field is not None
            by_rule.append(bulk(field, row[name]))
        assert found[str(row["Id"])] == by_rule


def test_more_than_one_piece_is_read_once_and_whole() -> None:
    org, _ = org_at_noon()
    many = CHUNK_ROWS + 500
    rows = [(f"00100000000{number:07d}", f"Account {number}", 0) for number in range(many)]
    org.store.insert("Account", ("Id", "Name", "IsDeleted"), rows)

    found = written(org, "SELECT Id, Name FROM Account WHERE Name LIKE 'Account%'")

    assert len(found) == many
    assert {tuple(row) for row in found} == {(record, name) for record, name, _ in rows}
    assert [row[0] for row in found] != sorted(row[0] for row in found)


def test_values_may_hold_what_marks_the_lines() -> None:
    org, _ = org_at_noon()
    names = ["\x1e between \x1f", 'and "quoted"', "\x1c"]
    with org.transaction() as deed:
        for each in names:
            deed.create("Account", {"Name": f"a{each}z"})

    assert {row[0] for row in written(org, "SELECT Name FROM Account")} == {f"a{each}z" for each in names[:2]} | {
        "a\x1cz"
    }


def piece(lines: list[bytes]) -> Piece:
    return b"".join(lines), np.array([len(line) for line in lines], np.int64)


def test_a_result_is_cut_anywhere() -> None:
    lines = [f'"{number}\n"\n'.encode() for number in range(10)]
    result = Result(b"H\n", [piece(lines[:4]), piece([]), piece(lines[4:])], goes_on=lambda: True)

    assert (result.rows, result.size) == (10, 50)
    assert result.page(0, 2) == b'H\n"0\n"\n"1\n"\n'
    assert result.page(3, 2) == b'H\n"3\n"\n"4\n"\n'
    assert result.page(9, 100) == b'H\n"9\n"\n'


def test_a_result_that_need_not_go_on_ends_with_the_piece() -> None:
    answers = iter([True, False, True])

    assert Result(b"", [piece([each]) for each in (b"1", b"2", b"3")], goes_on=lambda: next(answers)).rows == 1
