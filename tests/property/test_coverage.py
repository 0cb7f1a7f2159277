"""Coverage, for all landings: cursors go as far as whole spans lead from where they stand, and never further."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tieout.base.batch import Span
from tieout.base.cursor import Cursor, Progress
from tieout.ledger.coverage import proven

Sealed = tuple[str, Span]
OBJECTS = ("account", "contact", "order")


def cursor(position: int, state: str = "", track: str = "wal") -> Cursor:
    return Cursor.of(track, position, {"at": state})


def sealed(before: Cursor | None, after: Cursor, siblings: tuple[str, ...]) -> list[Sealed]:
    """The batches of one capture, all of them."""
    return [(object_, Span("erp", after.track, before, after, siblings)) for object_ in siblings]


@st.composite
def chains(draw: DrawFn, track: str = "wal") -> list[list[Sealed]]:
    """Captures, each beginning where the one before ended. Some move on within one position, as snapshots do."""
    steps = draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))
    states = draw(st.permutations("abcdefgh"))
    before, captures = None, []
    for step, state in zip(steps, states, strict=False):
        after = cursor((before.position if before else 0) + step, state, track)
        siblings = tuple(sorted(draw(st.sets(st.sampled_from(OBJECTS), min_size=1))))
        captures.append(sealed(before, after, siblings))
        before = after
    return captures


def flat(captures: list[list[Sealed]]) -> list[Sealed]:
    return [batch for capture in captures for batch in capture]


def end(captures: list[list[Sealed]]) -> Cursor:
    return captures[-1][0][1].after


def shuffled_and_doubled(batches: list[Sealed]) -> SearchStrategy[list[Sealed]]:
    doubled = st.lists(st.sampled_from(batches), max_size=5) if batches else st.just([])
    return doubled.flatmap(lambda more: st.permutations(batches + more))


@given(st.data())
def test_a_full_chain_leads_from_nothing_to_its_last_cursor_in_any_order(data: st.DataObject) -> None:
    log, file = data.draw(chains()), data.draw(chains(track="file"))
    spans = data.draw(shuffled_and_doubled(flat(log) + flat(file)))

    assert proven({}, spans) == {"wal": end(log), "file": end(file)}


@given(st.data())
def test_a_cursor_never_passes_a_span_of_which_a_batch_is_missing(data: st.DataObject) -> None:
    captures = data.draw(chains())
    kept = data.draw(st.lists(st.booleans(), min_size=len(flat(captures)), max_size=len(flat(captures))))
    spans = [batch for batch, stays in zip(flat(captures), kept, strict=True) if stays]

    whole = 0
    while whole < len(captures) and set(captures[whole]) <= set(spans):
        whole += 1

    expected = {"wal": end(captures[:whole])} if whole else {}
    assert proven({}, data.draw(shuffled_and_doubled(spans))) == expected


@given(st.data())
def test_from_any_cursor_on_the_chain_one_comes_to_its_end(data: st.DataObject) -> None:
    captures = data.draw(chains())
    stands = data.draw(st.integers(1, len(captures)))
    progress = {"wal": end(captures[:stands])}

    expected = {"wal": end(captures)} if stands < len(captures) else {}
    assert proven(progress, flat(captures)) == expected


@given(st.data())
def test_branches_that_lead_nowhere_change_nothing_when_the_chain_goes_further(data: st.DataObject) -> None:
    captures = data.draw(chains())
    captures += [sealed(end(captures), cursor(end(captures).position + 10, "end"), ("account",))]
    joints = [None, *(end(captures[: n + 1]) for n in range(len(captures) - 1))]
    orphans = [
        sealed(before, cursor((before.position if before else 0) + 1, "orphan"), ("contact", "order"))
        for before in data.draw(st.lists(st.sampled_from(joints), max_size=4))
    ]

    assert proven({}, data.draw(shuffled_and_doubled(flat(captures) + flat(orphans)))) == {"wal": end(captures)}


@st.composite
def webs(draw: DrawFn) -> list[Sealed]:
    """Spans between a few cursors at will: gaps, forks, circles within one position, missing siblings."""
    cursors = [cursor(position, state) for position in range(4) for state in "ab"]
    ends = st.tuples(st.sampled_from([None, *cursors]), st.sampled_from(cursors))
    forward = ends.filter(lambda pair: pair[0] is None or pair[0].position <= pair[1].position)
    captures = [sealed(*pair, ("account", "order")) for pair in draw(st.lists(forward, max_size=14))]
    return [batch for batch in flat(captures) if draw(st.integers(0, 9))]


@given(webs(), st.sampled_from([None, *(cursor(position, "a") for position in range(4)), cursor(2, "elsewhere")]))
def test_a_cursor_never_moves_backwards_and_what_is_proven_stays_proven(
    web: list[Sealed], start: Cursor | None
) -> None:
    progress: Progress = {} if start is None else {"wal": start}

    moved = proven(progress, web)

    assert all(start is None or cursor.position >= start.position for cursor in moved.values())
    assert proven({**progress, **moved}, web) == {}


@given(webs())
def test_a_track_that_stands_on_no_chain_stays_where_it_is(web: list[Sealed]) -> None:
    assert proven({"wal": cursor(0, "nowhere")}, web) == {}


@given(webs())
def test_tracks_do_not_lend_each_other_their_spans(web: list[Sealed]) -> None:
    assert "file" not in proven({"file": cursor(0, "a", "file")}, web)


def test_batches_of_different_captures_do_not_make_a_span_whole_together() -> None:
    before, after = cursor(1), cursor(2)
    first = sealed(before, after, ("account", "contact"))
    second = sealed(before, after, ("contact", "order"))

    assert proven({"wal": before}, [first[0], second[0]]) == {}
    assert proven({"wal": before}, [first[0], *second]) == {"wal": after}


def test_nothing_landed_proves_nothing() -> None:
    assert proven({}, []) == {}
    assert proven({"wal": cursor(5)}, []) == {}
