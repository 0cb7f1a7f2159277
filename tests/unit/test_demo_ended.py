"""How a demo ends: for programs the promised document, for people the certificate and what to type next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.quality.books import Books
from tieout.quality.certificate import Certificate, Certificates, Comparison, Difference, Finding, Holes
from tieout.quality.proof import Proof
from tieout.sim.report import DemoReport
from tieout.sim.stage import Kill, Scene
from tieout.ui.demo_ended import DemoEnded

POSTED = {"accepted": Tally(9, 0, 9), "control": Tally(1, 0, 1)}
BOOKS = Books.of(Tally(10, 0, 10), POSTED, Tally(), superseded=2, ambiguous=0)
ORDERS = Certificate(
    Stream("shop", "orders"), Comparison(7, 7), Holes(), BOOKS, 1.5, unable=(), proof=Proof(7), cut={"position": 1}
)
REPORT = DemoReport(
    "shop", 7, Certificates((ORDERS,)), [Kill(2.0, 4711, Scene.READING, 1)], changes=1234, seconds=60.0, kept=None
)
MISSING_ONE = Comparison(8, 7, findings={Difference.MISSING: Finding(1, keys=('["8"]',))})


def text_of(report: DemoReport) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(DemoEnded(report).shown())
    return captured.get()


def test_programs_get_the_promised_document() -> None:
    told = DemoEnded(REPORT).to_json()

    assert list(told) == ["example", "seed", "streams", "kills", "certificate", "twin", "behind_the_back"]
    assert told["behind_the_back"] is None
    assert (told["example"], told["seed"], told["kills"], told["certificate"]) == ("shop", 7, 1, "complete")
    (orders,) = told["streams"]
    assert orders == {
        "stream": "shop.orders",
        "source_rows": 7,
        "current_rows": 7,
        "missing": 0,
        "ghost": 0,
        "stale": 0,
        "diverged": 0,
        "books": BOOKS.to_json(),
        "freshness_p95_seconds": 1.5,
    }


def test_people_see_the_books_and_what_was_done() -> None:
    text = text_of(REPORT)

    assert "7 rows, 1,234 changes meanwhile, 1 worker killed, in 60 s" in text
    assert "10 received = 9 accepted + 1 control" in text


def test_who_kept_the_project_is_told_how_to_look_into_it() -> None:
    text = text_of(replace(REPORT, kept=Path("mine")))

    assert "tieout query --project mine" in text
    assert "tieout rebuild --project mine" in text


def test_a_demo_that_is_not_complete_fails_and_says_how_to_see_it_again() -> None:
    broken = replace(REPORT, certificates=Certificates((replace(ORDERS, compared=MISSING_ONE),)))

    assert DemoEnded(broken).exit_code == 3
    assert DemoEnded(broken).to_json()["certificate"] == "broken"
    assert "tieout demo --seed 7 --keep" in text_of(broken)
