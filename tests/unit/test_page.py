"""What people read of certificates claims no more than was compared."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.quality.books import Books
from tieout.quality.certificate import Certificate, Certificates, Comparison, Holes
from tieout.quality.chain import Chain
from tieout.quality.proof import Proof, Since
from tieout.ui.certified import Certified
from tieout.ui.page import page
from tieout.ui.proven import Proven

STREAM = Stream("shop", "orders")
NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
WHOLE, PARTS = "Equal to its source, row by row and value by value.", "Equal to its source in all that changed since"


def certificate(since: Since | None) -> Certificate:
    books = Books.of(Tally(), {}, Tally(), superseded=0, ambiguous=0)
    proof = Proof(0, 5, buckets=9, buckets_summed=2, since=since)
    return Certificate(STREAM, Comparison(7, 7), Holes(), books, 1.0, (), proof, {"at": NOW.isoformat()})


@pytest.mark.parametrize(("since", "said", "unsaid"), [(None, WHOLE, PARTS), (Since(3, NOW), PARTS, WHOLE)])
def test_what_did_not_change_is_not_called_compared(since: Since | None, said: str, unsaid: str) -> None:
    link = Chain().following(NOW, certificate(since).report())

    text = page("shop", Proven({STREAM: Chain((link,))}), NOW)

    assert said in text
    assert unsaid not in text


@pytest.mark.parametrize("since", [None, Since(3, NOW)])
def test_nor_does_the_verdict_at_the_terminal(since: Since | None) -> None:
    console = Console(width=120, record=True, file=StringIO())

    console.print(Certified(Certificates((certificate(since),))).shown())

    text = console.export_text()
    assert ("row by row, value by value" in text) is (since is None)
    assert ("since certificate 3" in text) is (since is not None)
