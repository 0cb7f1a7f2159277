"""The same project file with a warehouse in Snowflake: what each command says is what it says of the embedded one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.command import Project, image, promise
from tests.snowflake import (
    Connect,
    address,
    snowflake_database,
    snowflake_fault,
    snowflake_server,
    snowflake_sessions,
    snowflake_watched,
)
from tests.snowflake_rules import Rules
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = [
    "snowflake_database",
    "snowflake_fault",
    "snowflake_server",
    "snowflake_sessions",
    "snowflake_watched",
]

pytestmark = pytest.mark.usefixtures("snowflake_watched")

AMOUNT = "name: amount, logicalType: number, physicalType: 'decimal(18,2)'"
NOT_NEGATIVE = "quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [A, B]}, name: only A and B}]"


def project_at(root: Path, warehouse: str = "") -> Project:
    (root / "inbox").mkdir(parents=True)
    of_warehouse = f"warehouse: {json.dumps(warehouse)}\n" if warehouse else ""
    (root / "tieout.yaml").write_text(
        f"project: books\n{of_warehouse}sources:\n  erp: {{type: changes, path: ./inbox}}\n"
    )
    promise(root, "erp.account", "name: name, logicalType: string", AMOUNT)
    return Project(root, within=True)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return project_at(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path, snowflake_server: SnowflakeServer, snowflake_database: str) -> Project:
    return project_at(tmp_path / "there", address(snowflake_server, snowflake_database, tmp_path / "key.p8"))


def fed(books: Project) -> Project:
    books.drop("day1.ndjson", *(image(f"A{n}", n, name=f"n{n}", amount=f"{n}.50") for n in range(20)))
    books.drop("day2.ndjson", image("A3", 30, name="newer", amount="1.00"), image("A4", 31, name="x", amount="many"))
    books.json("run", "--once")
    return books


def told_alike(one: dict[str, Any]) -> dict[str, Any]:
    """Of a status what does not hang on when it was asked."""
    return {key: one[key] for key in ("state_hash", "books", "current_rows", "open", "superseded") if key in one}


def test_the_run_the_status_and_the_hash_are_those_of_the_warehouse_here(here: Project, there: Project) -> None:
    assert told_alike(fed(there).status()) == told_alike(fed(here).status())
    assert there.query("select name, amount from latest.erp__account where id = 'A3'") == [["newer", "1.00"]]


TOUCH = (
    "update latest.erp__account set name = 'touched' where id = 'A5'",
    "delete from latest.erp__account where id = 'A6'",
    "update latest.erp__account set name = 'n3', amount = 3.50 where id = 'A3'",
)


def certified(books: Project, code: int) -> dict[str, Any]:
    """Of the one stream's certificate what does not hang on when it was made."""
    (told,) = books.json("certify", code=code)["streams"]
    moments = {"freshness_p95_seconds", "cut", "hash"}
    return {key: value for key, value in told.items() if key not in moments}


def test_the_certificate_finds_what_was_touched_as_it_does_here(
    here: Project, there: Project, snowflake_sessions: Connect
) -> None:
    for books in (here, there):
        fed(books)
    with duckdb.connect(str(here.root / ".tieout" / "warehouse.duckdb")) as connection:
        for statement in TOUCH:
            connection.execute(statement)
    with snowflake_sessions() as session:
        for statement in TOUCH:
            session.cursor().execute(statement)

    found = certified(there, code=3)

    assert found == certified(here, code=3)
    assert (found["missing"], found["stale"], found["diverged"]) == (1, 1, 1)


def test_a_banner_over_a_report_says_the_same(here: Project, there: Project) -> None:
    for books in (here, there):
        books.drop("day1.ndjson", *(image(f"A{n}", n, name=f"n{n}", amount=f"{n}.50") for n in range(20)))
        books.json("run", "--once")
        books.json("certify")
    asked = """select stream, state, how, left(banner, 40) as banner, complete_through is not null as is_proven, number
        , source_rows, current_rows, missing, ghost, stale, diverged, obligations, quarantined from tieout.trust"""

    found = there.query(asked)

    assert found == here.query(asked)
    assert found[0][3].startswith("Equal to its source, row by row, as of")


def test_a_rebuild_makes_the_tables_anew_from_the_landing(
    here: Project, there: Project, snowflake_sessions: Connect
) -> None:
    before = told_alike(fed(there).status())
    with snowflake_sessions() as session:
        for statement in TOUCH:
            session.cursor().execute(statement)
    assert told_alike(there.status()) != before

    there.json("rebuild", "erp.account", code=3)

    assert told_alike(there.status()) == before
    assert told_alike(fed(here).status()) == before


def test_what_waits_in_quarantine_is_shown_and_given_up(there: Project) -> None:
    fed(there)

    (waiting,) = there.json("quarantine", "list")["streams"]
    assert waiting["count"] == 1

    (row,) = there.json("quarantine", "list", "--rows")["rows"]
    there.json("quarantine", "discard", row["id"], "--reason", "nobody knows how many")

    assert not there.json("quarantine", "list")["streams"]
    (gone,) = there.json("quarantine", "list", "--settled")["rows"]
    assert gone["settled"]["reason"] == "nobody knows how many"


def test_a_warehouse_that_nobody_made_and_a_key_of_nobody_are_told_with_the_mend(
    tmp_path: Path, snowflake_server: SnowflakeServer
) -> None:
    books = project_at(tmp_path / "books", address(snowflake_server, "NO_SUCH_DATABASE", tmp_path / "key.p8"))
    books.drop("day1.ndjson", image("A1", 1, name="n", amount="1.00"))

    said = books.tieout("run", "--once")

    assert said.code == 2, said
    assert "tieout snowflake setup" in said.err
    assert "PRIVATE KEY" not in said.err + said.out


def everything_in(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def bare(texts: Iterable[str]) -> list[str]:
    """Without what is a session's own: its letters in names, whose turn it is, and where a file lies for a moment."""
    for_all = [re.sub(r"file://\S*?(\w{64}\.parquet)", r"file://\1", text) for text in texts]
    for_all = [re.sub(r'name "(\w+)/\d+"', r'name "\1/own"', text) for text in for_all]
    return [
        re.sub(r"_([0-9A-F]{8,}|DRY)\"", '_OWN"', re.sub(r"incoming/\w+", "incoming/own", text)) for text in for_all
    ]


def landed_only(books: Project, fault: Callable[..., None]) -> None:
    """Lands what lies in the inbox while nothing can be merged."""
    fault(pattern="create or replace temporary table", kind="cancelled", times=1_000)
    assert books.tieout("run", "--once").code == 3
    fault()


@pytest.mark.usefixtures("hurried")
def test_a_dry_run_prints_what_a_run_then_sends_and_writes_nothing(
    there: Project, snowflake_watched: Rules, snowflake_fault: Callable[..., None]
) -> None:
    fed(there)
    there.drop(
        "day3.ndjson", image("A7", 50, name="Zebedee", amount="7.00"), image("A8", 51, name="x", amount="oodles")
    )
    landed_only(there, snowflake_fault)
    before, asked = everything_in(there.root), len(snowflake_watched.sent)

    planned = there.json("run", "--once", "--dry-run")
    said = there.tieout("run", "--once", "--dry-run")

    assert everything_in(there.root) == before
    assert len(snowflake_watched.sent) == asked
    (lane,) = planned["lanes"]
    (stream,) = lane["streams"]
    foretold = [each["text"] for each in (*planned["statements"], *lane["statements"], *stream["statements"])]
    assert (stream["stream"], stream["batches"], stream["left"]) == ("erp.account", 1, "")
    assert not stream["reshapes"]
    assert all(text in said.out for text in foretold)
    assert not [value for value in ("A7", "Zebedee", "oodles") if value in said.out]

    snowflake_watched.sent.clear()
    there.json("run", "--once")

    sent = bare(snowflake_watched.sent)
    changes = [text for text in sent if not re.match(r"(?:--[^\n]*\n)*\s*(?:select|with)\b", text)]
    left = iter(sent)
    assert [text for text in bare(foretold) if text not in left] == []
    assert [text for text in changes if text not in bare(foretold)] == []


@pytest.mark.usefixtures("hurried")
def test_a_dry_run_says_where_tables_have_to_follow_a_contract(
    there: Project, snowflake_fault: Callable[..., None]
) -> None:
    fed(there)
    contract = there.root / "contracts" / "erp" / "account.yaml"
    contract.write_text(contract.read_text().replace("required: true", "required: false"))
    there.drop("day3.ndjson", image("A7", 50, name="Zebedee", amount="7.00"))
    landed_only(there, snowflake_fault)

    (lane,) = there.json("run", "--once", "--dry-run")["lanes"]
    said = there.tieout("run", "--once", "--dry-run")

    assert [stream["reshapes"] for stream in lane["streams"]] == [True]
    assert "Its contract was changed" in said.out


def test_a_dry_run_before_the_first_run_tells_how_all_of_it_is_made(there: Project) -> None:
    planned = there.json("run", "--once", "--dry-run")

    texts = [each["text"] for each in planned["statements"]]
    assert any("create schema if not exists" in text for text in texts)
    assert planned["lanes"][0]["streams"] == []
    assert not (there.root / ".tieout").exists()


def test_a_dry_run_of_a_stream_that_nobody_knows_is_a_wrong_wish(there: Project) -> None:
    error = there.json("run", "--once", "--dry-run", "--stream", "erp.acount", code=2)["error"]

    assert error["message"] == "erp.acount has not landed and has no contract."


def test_a_dry_run_of_a_warehouse_that_is_a_file_or_of_a_worker_is_refused_with_the_mend(
    here: Project, there: Project
) -> None:
    of_file, of_worker = here.tieout("run", "--once", "--dry-run"), there.tieout("run", "--dry-run")

    assert (of_file.code, of_worker.code) == (2, 2)
    assert "run it with a copy of the project's folder" in of_file.err
    assert "tieout run --once --dry-run" in of_worker.err


COMMANDS = (
    ("run", "--once"), ("run", "--once", "--dry-run"), ("status",), ("doctor",), ("certify",), ("check",), ("metrics",),
    ("incidents",), ("query", "select * from latest.nobody"), ("quarantine", "list"), ("cost",), ("model",),
)  # fmt: skip


@pytest.mark.parametrize("is_whole", [True, False])
def test_no_command_shows_or_keeps_the_key(there: Project, tmp_path: Path, is_whole: bool) -> None:
    file = tmp_path / "key.p8"
    secret = [line for line in file.read_text().splitlines() if len(line) == 64]
    if not is_whole:
        file.write_text(file.read_text().replace(secret[3], "", 1))
    there.drop("day1.ndjson", image("A1", 1, name="n", amount="1.00"))

    said = [there.tieout(*command) for command in COMMANDS]

    assert (said[0].code == 0) is is_whole, said[0]
    told = "".join(one.out + one.err for one in said)
    kept = "".join(path.read_text(errors="replace") for path in there.root.rglob("*") if path.is_file())
    assert not [line for line in secret if line[:24] in told + kept]
