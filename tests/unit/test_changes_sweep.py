"""Sweeps: certified only when they stand whole in one file."""

import json

import pytest

from tests.reading import rows_of


def row(key="A", kind="image", stream="erp.account", position=50, **members) -> str:
    told = {"stream": stream, "kind": kind, "key": {"id": key}, "order": {"position": position}, **members}
    return json.dumps(told)


def end(part, sweep="s", watermark=100, **members) -> str:
    return json.dumps(
        {"stream": "erp.account", "sweep": {"id": sweep, "part": part, "watermark": watermark, **members}}
    )


def said(*lines):
    return [each.said for each in rows_of([text.encode() for text in lines])["account"]]


def test_a_whole_sweep_ends_in_a_sweep_row_at_its_watermark() -> None:
    first, *_, last = said(end("begin"), row("A"), row("B"), end("end", rows=2))

    assert (first.kind, first.fault) == ("mark", None)
    assert (last.kind, last.position, last.read, last.fault) == ("sweep", 100, 0, None)


@pytest.mark.parametrize(
    ("lines", "doubt"),
    [
        ([row(), end("end")], "no line of this file began it"),
        ([end("begin", "other"), end("end")], "no line of this file began it"),
        ([end("begin", watermark=99), end("end")], "it began with watermark 99 and ends with 100"),
        ([end("begin"), row(), end("end", rows=2)], "announced 2 rows, found 1"),
        ([end("begin", rows=2), row(), end("end")], "announced 2 rows, found 1"),
        ([end("begin", rows=1), row(), end("end", rows=2)], "announced 2 rows, found 1"),
        ([end("begin"), end("begin"), end("end")], "sweep s began inside sweep s"),
        ([end("begin"), "garbage", end("end", rows=1)], "line 2 cannot be told to be of another stream"),
        ([end("begin"), row(stream="epr.account"), end("end")], "line 2 cannot be told to be of another stream"),
        ([end("begin"), '{"stream": "erp.account", "key', end("end", rows=1)], "line 2 has no key that can be read"),
        ([end("begin"), row(None), end("end", rows=1)], "line 2 has no key that can be read"),
        ([end("begin"), row(kind="gap"), end("end", rows=1)], "line 2 is a gap, so a row may be missing"),
    ],
)
def test_a_sweep_in_doubt_deletes_nothing(lines, doubt) -> None:
    last = said(*lines)[-1]

    assert (last.kind, last.fault) == ("mark", f"sweep_not_certified: {doubt}")


def test_rows_counts_faulty_lines_and_not_those_of_other_streams() -> None:
    lines = [end("begin"), row(extra=1), row(stream="erp.invoice"), row("B"), end("end", rows=2)]

    assert said(*lines)[-1].kind == "sweep"


def test_a_sweep_after_one_in_doubt_is_certified_again() -> None:
    assert (
        said(end("begin"), end("begin", "t"), end("end", "t"), end("begin", "u"), end("end", "u"))[-1].kind == "sweep"
    )


@pytest.mark.parametrize("kind", ["image", "undelete", "patch"])
def test_a_row_that_a_sweep_mentions_is_alive_at_its_watermark(kind) -> None:
    _, mentioned, _ = said(end("begin"), row(kind=kind, position=50), end("end"))

    assert mentioned.kind in ("image", "undelete")
    assert (mentioned.position, mentioned.read) == (100, 0)


def test_a_faulty_row_that_a_sweep_mentions_is_alive_at_its_watermark() -> None:
    _, mentioned, last = said(end("begin"), row(kind="upsert", order={}), end("end", rows=1))

    assert mentioned.fault is not None
    assert (mentioned.kind, mentioned.position, mentioned.read) == ("image", 100, 0)
    assert last.kind == "sweep"


def test_an_event_after_the_watermark_keeps_its_place() -> None:
    _, late, _ = said(end("begin"), row(position=101), end("end"))

    assert (late.position, late.read, late.minor) == (101, 1, 0)


def test_lifted_rows_keep_their_order_and_stand_below_a_row_read_at_the_watermark() -> None:
    older = [row(position=-(2**63)), row(order={"position": 49, "minor": 9}), row(position=50)]
    read_there = row(order={"class": "read"}, watermark=100)

    _, *lifted, _ = said(end("begin"), *older, read_there, end("end"))

    places = [(each.position, each.read, each.minor, each.rank) for each in lifted]
    assert places == sorted(places)
    assert len(set(places)) == 4


def test_a_delete_inside_a_sweep_stays_where_it_was() -> None:
    _, gone, _ = said(end("begin"), row(kind="delete", position=50), end("end"))

    assert (gone.kind, gone.position, gone.read) == ("delete", 50, 1)


@pytest.mark.parametrize("cut", [[], [end("end", rows=7)], [end("end", watermark=99)]])
def test_what_a_sweep_mentions_that_is_cut_short_stays_where_it_was(cut) -> None:
    _, image, patch, *_ = said(end("begin"), row("A", position=60), row("B", "patch", position=40), *cut)

    assert (image.kind, image.position, image.read) == ("image", 60, 1)
    assert (patch.kind, patch.position, patch.read) == ("patch", 40, 1)
