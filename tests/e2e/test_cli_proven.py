"""`tieout certificates` and `tieout gate`: what was proven is told from the landing, and nobody alters it unseen."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from tests.e2e.command import Project, image, project

GATES = "gates:\n  revenue: {needs: [erp.account], within: 2h}\n"


@pytest.fixture
def books(tmp_path: Path) -> Project:
    books = project(tmp_path, within=True)
    with (tmp_path / "tieout.yaml").open("a") as file:
        file.write(GATES)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("B", 1, amount="<b>2</b>"))
    books.tieout("run", "--once")
    return books


def test_a_gate_opens_on_a_certificate_and_not_on_a_run(books: Project) -> None:
    before = books.json("gate", code=3)
    books.json("certify")
    after = books.json("gate", "revenue")

    assert before["gates"][0]["closed_by"][0]["why"] == "It was never certified."
    assert (after["open"], after["gates"][0]["closed_by"]) == (True, [])
    assert after["gates"][0]["complete_through"] == books.json("certificates")["streams"][0]["newest"]["cut"]["at"]


def test_a_load_that_lost_rows_is_told_with_both_counts_and_opens_nothing(books: Project) -> None:
    """A hundred at the source and ninety-five here are never reported as ninety-nine, nor as a success."""
    books.drop("2.ndjson", *[image(f"K{number:02}", 1, amount="1.00") for number in range(98)])
    books.tieout("run", "--once")
    with duckdb.connect(str(books.root / ".tieout" / "warehouse.duckdb")) as connection:
        connection.execute("delete from latest.erp__account where id in ('K01', 'K02', 'K03', 'K04', 'K05')")

    (certified,) = books.json("certify", code=3)["streams"]
    gate = books.json("gate", code=3)
    (incident,) = books.json("incidents", code=3)["incidents"]

    assert (certified["source_rows"], certified["current_rows"], certified["missing"]) == (100, 95, 5)
    assert certified["keys"]["missing"] == [f'["K0{number}"]' for number in range(1, 6)]
    assert (certified["state"], gate["open"]) == ("broken", False)
    assert (incident["id"], incident["severity"]) == ("differs:erp.account", "page")
    assert books.status()["current_rows"] == 95


def test_they_outlive_the_ledger_and_the_warehouse(books: Project) -> None:
    books.json("certify")
    for path in [*books.root.glob(".tieout/ledger*"), *books.root.glob(".tieout/warehouse*")]:
        path.unlink()
    told = books.json("certificates")
    books.tieout("run", "--once")
    books.json("certify")

    assert (told["streams"][0]["certificates"], told["streams"][0]["intact"]) == (1, True)
    assert books.query("select number, state from tieout.certificates order by number") == [
        [1, "complete"], [2, "complete"]
    ]  # fmt: skip
    (trusted,) = books.query("select stream, state, number, hash, banner from tieout.trust")
    newest = books.json("certificates")["streams"][0]["newest"]
    assert trusted[:4] == ["erp.account", "complete", 2, newest["hash"]]
    assert trusted[4].startswith("Equal to its source, row by row, as of 20")


def test_where_nothing_was_certified_nothing_is_proven(books: Project, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    said = books.tieout("certificates", "--html", str(page))

    assert (said.code, books.json("certificates", code=3)) == (3, {"streams": [], "certificate": None})
    assert "nothing is proven" in said.out
    assert "Next: tieout certify" in said.out
    assert "Nothing was certified yet." in page.read_text()
    assert "None" not in page.read_text()


def test_one_that_was_altered_is_told_and_closes_the_gate(books: Project) -> None:
    books.json("certify")
    (file,) = books.root.glob(".tieout/landing/.certificates/erp/account/*.json")
    file.write_text(file.read_text().replace('"current_rows":2', '"current_rows":3'))

    told = books.json("certificates", code=3)

    assert told["certificate"] == "broken"
    assert "is not what it was" in told["streams"][0]["altered"][0]
    assert "altered" in books.json("gate", code=3)["gates"][0]["closed_by"][0]["why"]
    assert "altered" in books.tieout("certificates").out


def test_the_page_says_it_in_words_and_shows_no_markup_of_the_data(books: Project, tmp_path: Path) -> None:
    books.json("certify")
    page = tmp_path / "page.html"

    books.json("certificates", "--html", str(page))

    text = page.read_text()
    assert "Equal to its source, row by row and value by value." in text
    assert "erp.account" in text
    assert "http" not in text
    assert "<script" not in text
    said = books.tieout("certificates", "--html", str(tmp_path / "nowhere" / "page.html"))
    assert (said.code, "is no folder" in " ".join(said.err.split())) == (2, True)


@pytest.mark.parametrize("line", [("certificates", "--html"), ("metrics", "--out")], ids=" ".join)
def test_nothing_but_a_file_is_replaced(books: Project, tmp_path: Path, line: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe")
    books.json("certify")

    for name in ("pipe", "inbox", "."):
        error = books.json(*line, str(tmp_path / name), code=2)["error"]
        assert (error["kind"], line[1] in error["hint"]) == ("misconfigured", True)

    assert (tmp_path / "pipe").is_fifo()
    assert books.json(*line, "", code=2)["error"]["message"] == ". is a folder."


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("revenue: {needs: [erp.account], within: soon}", "write a whole number and one of s, m, h, d"),
        ("revenue: {needs: [eerp.account]}", "no source is called eerp"),
        ("revenue: {needs: [account]}", "write a stream, source.object"),
        ("revenue: {needs: []}", "needs"),
        ("revenue: {}", "needs"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused_by_its_line(tmp_path: Path, line: str, says: str) -> None:
    books = project(tmp_path, within=True)
    with (tmp_path / "tieout.yaml").open("a") as file:
        file.write(f"gates:\n  {line}\n")

    said = books.tieout("gate")

    assert said.code == 2
    assert says in " ".join(said.err.split())


def test_names_that_do_not_exist_are_answered_with_the_nearest(books: Project) -> None:
    books.json("certify")

    assert "Did you mean revenue?" in books.tieout("gate", "revenu").err
    assert "Did you mean erp.account?" in books.tieout("certificates", "erp.acount").err
    (books.root / "tieout.yaml").write_text((books.root / "tieout.yaml").read_text().replace(GATES, ""))
    assert "this project has no gates" in books.tieout("gate").err
