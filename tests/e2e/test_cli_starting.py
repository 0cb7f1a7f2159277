"""What a command loads before it does anything: nothing that it does not use, so that it answers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.command import image, project

ENGINES = {"duckdb", "pyarrow", "msgspec", "sqlite3"}
DRIVERS = {"psycopg2", "psycopg", "adbc_driver_postgresql"}
FORMS = {"open_data_contract_standard", "yaml", "jinja2", "structlog"}

TOLD_AT_THE_END = """
import atexit, sys
atexit.register(lambda: print("\\nloaded", *{name.partition(".")[0] for name in sys.modules}))
from tieout.ui.cli import main
main()
"""


def loaded(*arguments: str) -> set[str]:
    """The packages that a process has loaded when it has done what it was asked."""
    said = subprocess.run(
        [sys.executable, "-c", TOLD_AT_THE_END, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return set(said.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("words", [[], ["run"], ["quarantine", "list"]], ids=" ".join)
def test_help_loads_no_engine_no_driver_and_no_form(words: Sequence[str]) -> None:
    packages = loaded(*words, "--help")

    assert "tieout" in packages
    assert not packages & (ENGINES | DRIVERS | FORMS)


def test_a_run_over_a_folder_loads_no_driver_of_a_database(tmp_path: Path) -> None:
    books = project(tmp_path)
    books.drop("a.ndjson", image("A1", 1, amount="1.00"))

    packages = loaded("run", "--once", "--json", "--project", str(tmp_path))

    assert "duckdb" in packages
    assert not packages & DRIVERS


def test_a_run_with_nothing_to_do_fills_in_no_template(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("a.ndjson", image("A1", 1, amount="1.00"))
    books.json("run", "--once")

    packages = loaded("run", "--once", "--json", "--project", str(tmp_path))

    assert "tieout" in packages
    assert "jinja2" not in packages
    assert json.loads(books.tieout("run", "--once", "--json").out)["lanes"][0]["received"] == 0


def test_a_run_with_nothing_to_do_opens_no_batch_that_is_known(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    for number in range(5):
        books.drop(f"{number}.ndjson", image(f"A{number}", number, amount="1.00"))
    books.json("run", "--once")
    batches = list((tmp_path / ".tieout" / "landing").rglob("*.parquet"))
    for batch in batches:
        batch.write_bytes(b"whoever opens this fails")

    (lane,) = books.json("run", "--once")["lanes"]

    assert len(batches) == 5
    assert (lane["outcome"], lane["received"], lane["merged"]) == ("complete", 0, 0)
