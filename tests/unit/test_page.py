"""The page for people: it claims no more than was compared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.quality.books import Books
from tieout.quality.certificate import Certificate, Comparison, Holes
from tieout.quality.chain import Chain
from tieout.quality.proof import Proof, Since
from tieout.ui.page import page
from tieout.ui.proven import Proven

STREAM = Stream("shop", "orders")
NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
WHOLE, PARTS = "Equal to its source, row by row and value by value.", "Equal to its source in all that changed since"


@pytest.mark.parametrize(("since", "said", "unsaid"), [(None, WHOLE, PARTS), (Since(3, NOW), PARTS, WHOLE)])
def test_what_did_not_change_is_not_called_compared(since: Since | None, said: str, unsaid: str) -> None:
    books = Books.of(Tally(), {}, Tally(), superseded=0, ambiguous=0)
    proof = Proof(0, 5, buckets=9, buckets_summed=2, since=since)
    report = Certificate(STREAM, Comparison(7, 7), Holes(), books, 1.0, (), proof, {"at": NOW.isoformat()}).report()
    chain = Chain()

    text = page("shop", Proven({STREAM: Chain((chain.following(NOW, report),))}), NOW)

    assert said in text
    assert unsaid not in text
