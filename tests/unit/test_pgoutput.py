"""The decoder against vectors computed from the protocol's layouts, and against bytes torn in every way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.base.errors import Broken
from tieout.capture.postgres.lsn import lsn_number, lsn_text
from tieout.capture.postgres.pgoutput import (
    Attribute,
    Begin,
    Commit,
    Delete,
    Insert,
    Message,
    Origin,
    Relation,
    Row,
    Truncate,
    Type,
    Update,
    decode,
    final_lsn,
)

COMMIT = 0x16B374D848
COMMIT_TIME = 767_882_096_789_000

VECTORS = {
    "4200000016b374d8480002ba627b9bc608000002db": Begin(COMMIT, COMMIT_TIME, 731),
    "430000000016b374d84800000016b374d8780002ba627b9bc608": Commit(COMMIT, 0x16B374D878, COMMIT_TIME),
    "52000040017075626c6963006f7264657273006400030169640000000014ffffffff007374617475730000000019ffffffff"
    "00616d6f756e7400000006a4000c0006": Relation(
        16385,
        "public",
        "orders",
        "d",
        (
            Attribute("id", True, 20, -1),
            Attribute("status", False, 25, -1),
            Attribute("amount", False, 1700, 786438),
        ),
    ),
    "49000040014e000374000000013774000000036e6577740000000531322e3530": Insert(16385, Row((b"7", b"new", b"12.50"))),
    "55000040014b00037400000001376e6e4e000374000000013875740000000531322e3530": Update(
        16385, Row((b"7", None, None)), False, Row((b"8", None, b"12.50"), (1,))
    ),
    "55000040014f000174000000004e00016e": Update(16385, Row((b"",)), True, Row((None,))),
    "55000040014e000175": Update(16385, None, False, Row((None,), (0,))),
    "44000040014b00037400000001386e6e": Delete(16385, Row((b"8", None, None)), False),
    "54000000020300004001f0000002": Truncate((16385, 0xF0000002), True, True),
    "590000400970756200706f736974697665 00".replace(" ", ""): Type(16393, "pub", "positive"),
    "59000004120078 00".replace(" ", ""): Type(1042, "pg_catalog", "x"),
    "4f00000016b374d848656c736577686572 6500".replace(" ", ""): Origin(COMMIT, "elsewhere"),
    "4d0100000016b374d848687400000000020102": Message(True, COMMIT, "ht", b"\x01\x02"),
}


@pytest.mark.parametrize(("data", "message"), VECTORS.items(), ids=lambda value: type(value).__name__)
def test_bytes_mean_what_the_protocol_says(data: str, message: object) -> None:
    assert decode(bytes.fromhex(data)) == message


@pytest.mark.parametrize("data", VECTORS, ids=lambda data: bytes.fromhex(data)[:1].decode())
def test_a_message_that_is_cut_anywhere_is_broken(data: str) -> None:
    whole = bytes.fromhex(data)

    for end in range(len(whole)):
        with pytest.raises(Broken, match="offset"):
            decode(whole[:end])


@pytest.mark.parametrize("data", VECTORS, ids=lambda data: bytes.fromhex(data)[:1].decode())
def test_a_message_with_something_behind_it_is_broken(data: str) -> None:
    with pytest.raises(Broken, match="offset"):
        decode(bytes.fromhex(data) + b"\x00")


@pytest.mark.parametrize(
    "data",
    [
        b"S\x00\x00\x00\x01\x01",  # a streamed block, of protocol version 2
        b"b",
        b"\xff" * 30,
        bytes.fromhex("49000040014b0001740000000137"),  # an insert with an old row
        bytes.fromhex("49000040014e0001620000000137"),  # a value in binary
        bytes.fromhex("49000040014e000174ffffffff37"),  # a value of negative length
    ],
)
def test_what_was_not_asked_for_is_broken(data: bytes) -> None:
    with pytest.raises(Broken, match="offset"):
        decode(data)


@given(st.binary(max_size=60))
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    with suppress(Broken):
        decode(data)


@given(st.sampled_from(sorted(VECTORS)), st.data())
def test_a_flipped_byte_is_another_message_or_broken(data: str, draws: st.DataObject) -> None:
    torn = bytearray.fromhex(data)
    torn[draws.draw(st.integers(0, len(torn) - 1))] = draws.draw(st.integers(0, 255))

    with suppress(Broken):
        decode(bytes(torn))


def test_null_empty_and_unchanged_are_three_things() -> None:
    message = decode(bytes.fromhex("49000040014e00036e740000000075"))

    assert message == Insert(16385, Row((None, b"", None), unchanged=(2,)))


def test_a_name_that_is_no_utf8_stays_readable() -> None:
    assert decode(b"Y\x00\x00\x40\x09p\x00caf\xe9\x00") == Type(16393, "p", "caf\\xe9")


def test_only_a_begin_tells_its_commit() -> None:
    begin, commit, *_ = (bytes.fromhex(data) for data in VECTORS)

    assert final_lsn(begin) == COMMIT
    assert final_lsn(commit) is None


def test_positions_are_compared_as_numbers() -> None:
    assert lsn_number("16/B374D848") == 97500059720
    assert lsn_text(97500059720) == "16/B374D848"
    assert lsn_number("9/FFFFFFFF") < lsn_number("10/0")


def test_what_is_no_position_is_broken() -> None:
    with pytest.raises(Broken):
        lsn_number("B374D848")
