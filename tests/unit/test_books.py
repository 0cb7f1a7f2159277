"""The books: what was received is accounted for, by count and by the sum of ids."""

from __future__ import annotations

import pytest

from tieout.base.batch import Tally
from tieout.base.errors import Broken
from tieout.quality.books import Books

ONE, OTHER = Tally(1, 7, 8), Tally(1, 9, 2**64 - 1)


def books_of(received: Tally, **accounts: Tally) -> Books:
    pending = accounts.pop("pending", Tally())
    return Books.of(received, accounts, pending, superseded=0, ambiguous=0)


def test_they_balance_when_every_change_stands_in_one_account() -> None:
    books = books_of(ONE + OTHER, accepted=ONE, pending=OTHER)

    assert books.balanced
    assert books.to_json()["received"] == 2
    assert books.to_json()["checksum"] == (ONE + OTHER).checksum


def test_one_lost_and_one_extra_do_not_cancel() -> None:
    assert not books_of(ONE, accepted=OTHER).balanced


def test_nothing_balances_with_nothing() -> None:
    assert books_of(Tally()).balanced


def test_a_change_that_moved_between_accounts_leaves_the_sum_as_it_was() -> None:
    assert books_of(ONE, quarantined=ONE + (Tally() - ONE), filtered=ONE).balanced


def test_an_account_that_nobody_knows_is_not_passed_over() -> None:
    with pytest.raises(Broken):
        books_of(ONE, forgotten=ONE)
