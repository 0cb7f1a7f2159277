"""The decoder against vectors computed from the protocol's layouts, and against bytes torn in every way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.base.errors import Broken
from tieout.capture.postgres.log.pgoutput import (
    Attribute,
    Begin,
    Commit,
    Message,
    Origin,
    Relation,
    Truncate,
    Type,
    begun_lsn,
    decode,
)
from tieout.capture.postgres.lsn import lsn_number, lsn_text

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
        b"I",  # a row, which is not decoded alone
        b"\xff" * 30,
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


def test_a_name_that_is_no_utf8_stays_readable() -> None:
    assert decode(b"Y\x00\x00\x40\x09p\x00caf\xe9\x00") == Type(16393, "p", "caf\\xe9")


def test_only_a_begin_tells_its_commit() -> None:
    begin, commit, *_ = (bytes.fromhex(data) for data in VECTORS)

    assert begun_lsn(begin) == COMMIT
    assert begun_lsn(begin[:-1]) == begun_lsn(commit) == -1


def test_positions_are_compared_as_numbers() -> None:
    assert lsn_number("16/B374D848") == 97500059720
    assert lsn_text(97500059720) == "16/B374D848"
    assert lsn_number("9/FFFFFFFF") < lsn_number("10/0")


def test_what_is_no_position_is_broken() -> None:
    with pytest.raises(Broken):
        lsn_number("B374D848")
