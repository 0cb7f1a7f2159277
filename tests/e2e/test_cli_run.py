"""`tieout run`: how it ends, and what a second one beside it does."""

from __future__ import annotations

import signal
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from tests.e2e.command import Project, image, project, run_within, stop
from tieout.run.session import Warehouses


def test_a_run_that_finds_nothing_says_so_by_the_code_it_was_given(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))

    assert books.tieout("run", "--once", "--idle-exit", "99").code == 0
    assert books.tieout("run", "--once", "--idle-exit", "99").code == 99
    assert books.tieout("run", "--once").code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_stop_gives_everything_back(tmp_path: Path, number: signal.Signals) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))

    with books.worker() as worker:
        said = stop(worker, number)

    assert (said.code, said.document["outcome"]) == (0, "complete")
    assert (said.document["lanes"][0]["received"], said.document["lanes"][0]["merged"]) == (1, 1)
    assert books.json("run", "--once")["outcome"] == "complete"


def test_a_killed_worker_is_followed_at_once(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    with books.worker() as worker:
        worker.kill()
        worker.wait()
        books.drop("1.ndjson", image("A", 1, name="a"))

        assert books.json("run", "--once")["lanes"][0]["merged"] == 1


@pytest.mark.usefixtures("hurried")
def test_a_second_run_waits_and_then_leaves_the_first_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Warehouses.__init__.__kwdefaults__, "wait_seconds", 1.0)
    books = project(tmp_path, within=True)
    with books.worker() as worker:
        second = books.json("run", "--once", code=3)
        lanes = books.json("status")["lanes"]

        assert stop(worker).code == 0

    assert (second["outcome"], second["lanes"][0]["merged"]) == ("partial", 0)
    assert "is held until" in second["lanes"][0]["reason"]
    assert lanes[0]["outcome"] == "complete"


def test_a_contract_that_cannot_be_read_fails_the_run_with_the_mend(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    (tmp_path / "contracts" / "erp").mkdir(parents=True)
    (tmp_path / "contracts" / "erp" / "account.yaml").write_text("kind: Nonsense\n")
    books.drop("1.ndjson", image("A", 1, name="a"))

    ran = books.json("run", "--once", code=2)

    assert ran["outcome"] == "failed"
    assert "account.yaml" in ran["lanes"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("run", "--once", "--stream", "crm.account"), "misconfigured"),
        (("run", "--once", "--stream", "account"), "misconfigured"),
        (("run", "--never"), "usage"),
        (("fly",), "usage"),
    ],
)
def test_a_wrong_wish_is_answered_in_the_document_too(tmp_path: Path, arguments: tuple[str, ...], kind: str) -> None:
    error = project(tmp_path, within=True).json(*arguments, code=2)["error"]

    assert error["kind"] == kind
    assert error["message"]
    assert error["hint"]


def test_a_stream_that_is_misspelt_is_no_success(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))

    error = books.json("run", "--once", "--stream", "erp.acount", code=2)["error"]

    assert error["message"].startswith("erp.acount has not landed")
    assert error["hint"] == "Known are: erp.account."
    assert books.json("run", "--once", "--stream", "erp.account")["lanes"][0]["merged"] == 1
    assert books.json("status")["lanes"][0]["outcome"] == "complete"


def test_what_became_of_a_run_that_failed_is_told_before_a_word_that_is_misspelt(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    (tmp_path / "inbox").rmdir()

    ran = books.json("run", "--once", "--stream", "erp.acount", code=2)

    assert "is not a folder" in ran["lanes"][0]["reason"]


def test_where_a_source_has_a_catalogue_it_is_asked_before_anything_is_done(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    with psycopg.connect(database) as connection:
        connection.execute("create table orders (id int primary key); insert into orders values (1)")
    source = 'shop: {type: postgres, url: "${PG_URL}", tables: [public.orders]}'
    (tmp_path / "tieout.yaml").write_text(f"project: books\nsources:\n  {source}\n")
    books = Project(tmp_path, within=True)

    error = books.json("run", "--stream", "shop.ordrs", code=2)["error"]
    lanes = books.json("status")["lanes"]

    assert error["hint"] == "Known are: shop.orders."
    assert [one["outcome"] for one in lanes] == ["new"]
    assert books.json("run", "--once", "--stream", "shop.orders")["outcome"] == "complete"
    assert books.query("select id from latest.shop__orders") == [[1]]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("fly",), "tieout"),
        (("--fly",), "tieout"),
        (("query",), "tieout query"),
        (("run", "--never"), "tieout run"),
        (("simulate", "--seed", "x"), "tieout simulate"),
        (("backfill", "fly"), "tieout backfill"),
        (("backfill", "start", "--never"), "tieout backfill start"),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_a_command_that_was_not_understood_names_its_own_help(arguments: tuple[str, ...], command: str) -> None:
    said = run_within([*arguments, "--json"])

    assert (said.code, said.document["error"]["hint"]) == (2, f"`{command} --help` shows what can be asked.")
    assert run_within([*command.split()[1:], "--help"]).code == 0


def test_the_version_is_that_of_the_package() -> None:
    said = run_within(["--version"])

    assert (said.code, said.out) == (0, f"tieout {version('tieout')}\n")


def test_people_read_their_errors_on_stderr(tmp_path: Path) -> None:
    said = project(tmp_path / "here").tieout("run", "--once", "--stream", "crm.account")

    assert (said.code, said.out) == (2, "")
    assert "crm.account belongs to no source of this project." in said.err
    assert "Traceback" not in said.err
