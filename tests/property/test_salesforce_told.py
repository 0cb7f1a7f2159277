"""Events come to the same changes however they are cut into batches, and none is lost, whatever its bytes are."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.salesforce_events import ADA, BOB, CHANGES, COMMIT_MS, DEAL, OBJECTS, cache, event
from tieout.capture.salesforce.events.bitmap import places
from tieout.capture.salesforce.events.lately import Lately
from tieout.capture.salesforce.events.received import Received
from tieout.capture.salesforce.events.told import Told, tables

_VALUES = {"string": st.sampled_from(["", "Won", "'\n\0ß"]), "double": st.floats(), "boolean": st.booleans()}
_MS = st.integers(-(2**63), 2**63 - 1)


@st.composite
def events(draw: st.DrawFn) -> Received:
    schema_id = draw(st.sampled_from(["deal-1", "deal-2", "desk"]))
    if schema_id == "desk":
        return event("CREATE", schema_id="desk", Discount__c=1.0)
    names = st.lists(st.sampled_from(list(DEAL)), max_size=3, unique=True)
    changed = draw(names)
    return event(
        draw(st.sampled_from(CHANGES)),
        schema_id=schema_id,
        ids=draw(st.lists(st.sampled_from([ADA, BOB, "006*"]), min_size=1, max_size=3)),
        changed=changed,
        nulled=draw(names),
        diffs=draw(st.sampled_from([[], ["Description"]])),
        commit_ms=COMMIT_MS + draw(st.integers(0, 4)) * 1000,
        number=draw(st.integers(1, 5)),
        rank=draw(st.integers(1, 3)),
        **{name: draw(_VALUES.get(DEAL[name], _MS)) for name in changed},
    )


def cut(told: list[Received], sizes: list[int]) -> list[list[Received]]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(told[at : at + size])
        at += size
    return [*pieces, told[at:]]


def joined(answers: list[Told]) -> dict[str, list[dict[str, Any]]]:
    """Rows by object; where each stood in its answer is the answer's own matter."""
    found: dict[str, list[pa.Table]] = {}
    for answer in answers:
        for name, table in answer.tables.items():
            found.setdefault(name, []).append(table.drop_columns("_ordinal"))
    return {name: pa.concat_tables(each, promote_options="default").to_pylist() for name, each in found.items()}


def without_nulls(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [{k: v for k, v in row.items() if v is not None} for row in each] for name, each in rows.items()}


@given(st.lists(events(), max_size=12), st.lists(st.integers(0, 4), max_size=6))
def test_any_cut_into_batches_comes_to_the_same(told: list[Received], sizes: list[int]) -> None:
    pieces = []
    lately = Lately(records_max=2)
    for piece in cut(told, sizes):
        pieces.append(tables(piece, cache(), OBJECTS, lately=lately))
        lately = pieces[-1].lately
    at_once = tables(told, cache(), OBJECTS)

    assert without_nulls(joined(pieces)) == without_nulls(joined([at_once]))
    assert {(doubt.object, doubt.reason) for piece in pieces for doubt in piece.doubts} == {
        (doubt.object, doubt.reason) for doubt in at_once.doubts
    }
    assert sum(piece.passed_over for piece in pieces) == at_once.passed_over
    assert pieces[-1].commit_ms == at_once.commit_ms


@given(events(), st.data())
def test_no_event_is_lost_whatever_its_bytes_are(whole: Received, data: st.DataObject) -> None:
    payload = bytearray(whole.payload)
    for at in data.draw(st.lists(st.integers(0, len(payload) - 1), max_size=4)):
        payload[at] = data.draw(st.integers(0, 255))
    damaged = bytes(payload[: data.draw(st.integers(0, len(payload)))])

    told = tables([Received(whole.schema_id, b"r", damaged)], cache(), OBJECTS)

    assert told.tables or told.doubts or told.passed_over


@given(st.sets(st.integers(0, 200)))
def test_a_bitmap_names_the_bits_that_were_set(bits: set[int]) -> None:
    number = sum(1 << bit for bit in bits)

    assert places([f"0x{number:X}", f"3-0x{number:x}"]) == {(bit, None) for bit in bits} | {(3, bit) for bit in bits}
