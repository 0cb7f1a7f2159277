"""What was done behind the pipe's back is held against what was certified; whatever is not as it must be is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.quality.books import Books
from tieout.quality.certificate import Certificate, Certificates, Comparison, Difference, Differing, Finding, Holes
from tieout.quality.gate import Closed, Gate, Verdict
from tieout.quality.proof import Proof
from tieout.sim.behind import Behind, Deed, How, Place
from tieout.ui.demo_behind import behind_shown, steps

ORDERS, CARTS = Stream("shop", "orders"), Stream("shop", "carts")
BOOKS = Books.of(Tally(), {}, Tally(), superseded=0, ambiguous=0)
EQUAL = Certificate(ORDERS, Comparison(7, 7), Holes(), BOOKS, 1.0, unable=(), proof=Proof(7), cut={"position": 1})
OPEN = Verdict(Gate("revenue", (ORDERS,), 3600), (), datetime(2026, 7, 1, tzinfo=UTC))
CLOSED = replace(OPEN, closed=(Closed(ORDERS, "It was broken: 3 rows differ.", "Run `tieout certify --repair`."),))
DEEDS = (
    Deed(Place.WAREHOUSE, How.ALTERED, ORDERS, Difference.DIVERGED, frozenset({'["1"]', '["2"]'})),
    Deed(Place.SOURCE, How.ADDED, ORDERS, Difference.MISSING, frozenset({'["8"]'})),
)


def certified(named: dict[str, Difference], stream: Stream = ORDERS) -> Certificate:
    findings = {
        difference: Finding(count=sum(one is difference for one in named.values()))
        for difference in set(named.values())
    }
    differing = tuple(Differing(key, difference, False, ()) for key, difference in named.items())
    return replace(EQUAL, stream=stream, compared=Comparison(7, 7, findings=findings), differing=differing)


NAMED = {'["1"]': Difference.DIVERGED, '["2"]': Difference.DIVERGED, '["8"]': Difference.MISSING}
WELL = Behind(
    OPEN,
    DEEDS,
    Certificates((certified(NAMED),)),
    CLOSED,
    Certificates((replace(EQUAL, repaired=3),)),
    OPEN,
)


def text_of(behind: Behind) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(behind_shown(behind))
    return captured.get()


def test_nothing_is_wrong_where_all_came_as_it_must() -> None:
    assert WELL.wrong == ()


def test_a_row_that_was_not_named_is_told() -> None:
    named = {key: difference for key, difference in NAMED.items() if key != '["2"]'}

    assert replace(WELL, found=Certificates((certified(named),))).wrong == (
        "shop.orders: 1 of 2 rows were not named diverged.",
    )


def test_a_row_in_another_class_is_told_in_both() -> None:
    named = {**NAMED, '["2"]': Difference.STALE}

    assert replace(WELL, found=Certificates((certified(named),))).wrong == (
        "shop.orders: named stale, though nobody had touched them so: 1.",
        "shop.orders: 1 of 2 rows were not named diverged.",
    )


def test_as_many_rows_as_were_touched_but_others_are_told() -> None:
    named = {key: difference for key, difference in NAMED.items() if key != '["8"]'} | {'["9"]': Difference.MISSING}

    assert len(replace(WELL, found=Certificates((certified(named),))).wrong) == 2


def test_a_row_of_a_stream_that_nobody_touched_is_told() -> None:
    found = Certificates((certified(NAMED), certified({'["5"]': Difference.GHOST}, CARTS)))

    assert replace(WELL, found=found).wrong == ("shop.carts: named ghost, though nobody had touched them so: 1.",)


def test_a_gate_that_was_closed_before_stayed_open_meanwhile_or_closed_afterwards_is_told() -> None:
    assert replace(WELL, before=CLOSED).wrong == ("revenue was closed before anything was done.",)
    assert replace(WELL, closed=OPEN).wrong == ("shop.orders differs, and revenue is not closed for it.",)
    assert replace(WELL, after=CLOSED).wrong == ("revenue stayed closed after the repair.",)


def test_a_repair_that_brought_back_too_little_is_told() -> None:
    left = replace(certified({'["8"]': Difference.MISSING}), repaired=2)

    assert replace(WELL, repaired=Certificates((left,))).wrong == (
        "3 rows were touched, and 2 landed again.",
        "After the repair it is broken. shop.orders: 1 row differs, without a known reason.",
    )


def test_what_did_not_come_to_its_end_proves_nothing() -> None:
    assert Behind(OPEN).wrong == ("It did not come to its end.",)


def test_each_step_is_told_as_it_is_done() -> None:
    assert [told for _, told in steps(Behind(OPEN, DEEDS[:1]))] == [
        "the gate of revenue is open",
        "in the warehouse: 2 orders altered",
    ]
    assert [told for _, told in steps(WELL)][2:] == [
        "in the shop, unheard: 1 orders added",
        "the certificate is broken: 1 missing, 0 ghost, 0 stale, 2 diverged",
        "the gate of revenue is closed. shop.orders: It was broken: 3 rows differ.",
        "certify --repair landed 3 rows again: complete",
        "the gate of revenue is open",
    ]


def test_people_see_at_the_end_what_was_named_and_why_the_mart_had_to_wait() -> None:
    text = text_of(WELL)

    assert "3 rows were touched" in text
    assert "revenue is closed." in text
    assert "shop.orders: It was broken: 3 rows differ." in text
    assert "Each was named as what it was; certify --repair landed 3 rows again" in text
    assert "revenue is open" in text


def test_people_see_what_did_not_come_as_it_must() -> None:
    text = text_of(replace(WELL, repaired=Certificates((replace(EQUAL, repaired=2),))))

    assert "✗ It did not come as it must." in text
    assert "3 rows were touched, and 2 landed again." in text
    assert "Each was named" not in text
