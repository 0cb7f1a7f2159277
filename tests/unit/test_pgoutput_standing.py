"""What progress is worth when the server, its log or our slot is not what it was."""

from __future__ import annotations

from dataclasses import replace

from tieout.base.cursor import Cursor
from tieout.capture.postgres.standing import (
    Incarnation,
    Server,
    Slot,
    Standing,
    incarnations,
    is_read,
    snapshot_cursor,
    snapshot_track,
    standing,
    wal_cursor,
)

SERVER = Server("7001", 1, flushed=5_000)
FIRST = Incarnation("7001", 1, 0, "shop", slot_lsn=1_000)
SLOT = Slot(confirmed=2_000, usable=True)
TABLES = ("orders", "lines")


def read(incarnation: Incarnation, *objects: str, done: bool = True) -> dict[str, Cursor]:
    tracks = {object_: snapshot_track(object_) for object_ in objects}
    return {
        track: snapshot_cursor(track, None, incarnation, incarnation.slot_lsn, rows=3, done=done, more={"shape": {}})
        for track in tracks.values()
    }


def followed(incarnation: Incarnation, lsn: int) -> dict[str, Cursor]:
    return {"wal": wal_cursor(incarnation, lsn)}


def judge(progress: dict[str, Cursor], *, server: Server = SERVER, slot: Slot | None = SLOT) -> Standing:
    return standing(progress, "shop", server, slot)


def unread(progress: dict[str, Cursor], incarnation: Incarnation = FIRST) -> list[str]:
    return [object_ for object_ in TABLES if not is_read(progress, object_, incarnation)]


def test_with_nothing_known_a_slot_is_made_and_every_table_read() -> None:
    assert judge({}, slot=None) == Standing(None, 0, 0, "the slot is not there")
    assert unread({}) == [*TABLES]


def test_a_slot_that_no_cursor_speaks_of_goes_on_from_where_it_stands() -> None:
    found = Incarnation("7001", 1, 0, "shop", slot_lsn=2_000)

    assert judge({}) == Standing(found, 0, 2_000)
    assert unread({}, found) == [*TABLES]


def test_the_log_goes_on_from_the_cursor_and_nothing_is_read_again() -> None:
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000)

    assert (judge(progress), unread(progress)) == (Standing(FIRST, 0, 3_000), [])


def test_the_log_goes_on_from_the_slot_when_it_stands_further() -> None:
    assert judge(read(FIRST, *TABLES) | followed(FIRST, 1_500)).start == 2_000


def test_before_the_first_transaction_the_log_goes_on_from_the_slot() -> None:
    assert judge(read(FIRST, *TABLES)) == Standing(FIRST, 0, 2_000)


def test_a_table_that_is_new_or_half_read_is_read() -> None:
    assert unread(read(FIRST, "orders")) == ["lines"]
    assert unread(read(FIRST, "orders") | read(FIRST, "lines", done=False)) == ["lines"]


def test_a_lost_slot_means_everything_anew_in_the_same_epoch() -> None:
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000)

    assert judge(progress, slot=None) == Standing(None, 0, 0, "the slot is not there")
    assert judge(progress, slot=replace(SLOT, usable=False, reason="lost")) == Standing(None, 0, 0, "lost")


def test_another_server_or_timeline_is_another_epoch() -> None:
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000)

    other, restored = replace(SERVER, system="7002"), replace(SERVER, timeline=2)

    assert judge(progress, server=other) == Standing(None, 1, 0, "another server answers")
    assert judge(progress, server=restored) == Standing(None, 1, 0, "the server went on to timeline 2")


def test_a_log_that_ends_before_what_we_saw_is_a_restored_one() -> None:
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000)

    stands = judge(progress, server=replace(SERVER, flushed=2_500))

    assert stands == Standing(None, 1, 0, "the server's log ends before what was told of it")


def test_a_kill_while_a_new_slot_is_read_from_goes_on_with_the_new_slot() -> None:
    """One table was read at the beginning of the new slot, the other one and the log still speak of the old."""
    second = replace(FIRST, slot_lsn=4_000)
    progress = read(FIRST, *TABLES) | read(second, "orders") | followed(FIRST, 3_000)

    assert judge(progress, slot=Slot(4_000, usable=True)) == Standing(second, 0, 4_000)
    assert unread(progress, second) == ["lines"]


def test_a_new_epoch_goes_on_after_its_first_table() -> None:
    second = Incarnation("7002", 1, 1, "shop", slot_lsn=100)
    progress = read(FIRST, *TABLES) | read(second, "orders") | followed(FIRST, 3_000)

    stands = judge(progress, server=Server("7002", 1, flushed=200), slot=Slot(100, usable=True))

    assert (stands, unread(progress, second)) == (Standing(second, 1, 100), ["lines"])


def test_a_slot_of_another_name_is_another_incarnation() -> None:
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000)

    stands = standing(progress, "other", SERVER, Slot(2_500, usable=True))

    assert stands.incarnation is not None
    assert unread(progress, stands.incarnation) == [*TABLES]
    assert stands.start == 3_000


def test_a_slot_of_another_name_that_began_earlier_is_read_from_once() -> None:
    other = replace(FIRST, slot="other", slot_lsn=500)
    progress = read(FIRST, *TABLES) | followed(FIRST, 3_000) | read(other, "orders")

    stands = standing(progress, "other", SERVER, Slot(600, usable=True))

    assert (stands, unread(progress, other)) == (Standing(other, 0, 3_000), ["lines"])


def test_the_position_of_the_log_never_falls_though_a_new_servers_log_begins_anew() -> None:
    second = Incarnation("7002", 1, 1, "shop", slot_lsn=100)

    assert wal_cursor(FIRST, 3_000).position == 3_000
    assert wal_cursor(second, 100).position > wal_cursor(FIRST, 2**50).position


def test_tracks_of_other_reads_say_nothing_of_the_log() -> None:
    assert incarnations({"reread/0/1/orders": Cursor.of("reread/0/1/orders", 1, {"lsn": "0/1"})}) == []
