"""Starting: how soon a command that has nothing to do is through; the floors only load the engines that it needs.

The guess, on paper. Help: an interpreter is up in 15 ms; what reads arguments and draws on terminals takes 100 ms more:
eight times the floor. A run with nothing new: the floor loads DuckDB and opens a file, 120 ms. On top Arrow (60 ms),
the models of settings (80), logs (30), tieout's own modules (60), and its work, a ledger, a lease and a look at the
folder (50): four times the floor. PostgreSQL is asked who it is and how far, by two connections: four times as well.

CPU is of the processes that were started.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tieout.sim.server import PostgresServer

from .shop import SQL
from .timing import Content, Pair, Trial, Watch

_SECONDS_MAX = 60.0
_DATABASE = "bench"
_OPEN_FILE = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('select 1')"
_ASK_SERVER = "import psycopg2; psycopg2.connect(sys.argv[2]).cursor().execute('select 1')"


@contextmanager
def _help(rows: int) -> Iterator[Trial]:
    def subject(watch: Watch) -> Content:
        return _ended(watch, "-m", "tieout", "--help")

    def floor(watch: Watch) -> Content:
        return _ended(watch, "-c", "pass")

    yield Trial(subject, floor)


@contextmanager
def _idle(rows: int) -> Iterator[Trial]:
    with TemporaryDirectory(prefix="tieout-bench-") as folder:
        root = Path(folder)
        (root / "inbox").mkdir()
        line = '{"stream": "erp.a", "kind": "image", "key": {"id": %d}, "fields": {"n": 1}, "order": {"position": 1}}\n'
        (root / "inbox" / "a.ndjson").write_text("".join(line % number for number in range(rows)))
        (root / "tieout.yaml").write_text("project: bench\nsources:\n  erp: {type: changes, path: ./inbox}\n")
        yield _idle_trial(root, _OPEN_FILE)


@contextmanager
def _idle_postgres(rows: int) -> Iterator[Trial]:
    with TemporaryDirectory(prefix="tieout-bench-") as folder, PostgresServer(Path(folder) / "data") as server:
        root, url = Path(folder), server.create_database(_DATABASE)
        server.execute(SQL("create_source_orders"), database=_DATABASE)
        server.execute(SQL("fill_source", first=0, last=rows - 1), database=_DATABASE)
        source = f'{{type: postgres, url: "{url}", tables: [public.orders]}}'
        (root / "tieout.yaml").write_text(f"project: bench\nsources:\n  shop: {source}\n")
        yield _idle_trial(root, f"{_OPEN_FILE}; {_ASK_SERVER}", url)


def _idle_trial(root: Path, floor_program: str, *more: str) -> Trial:
    """Over a project whose first run is through."""
    run = ["-m", "tieout", "run", "--once", "--json", "--project", str(root)]
    assert _ended(Watch(), *run) == (0,), "the first run has failed"

    def subject(watch: Watch) -> Content:
        return _ended(watch, *run)

    def floor(watch: Watch) -> Content:
        return _ended(watch, "-c", floor_program, str(root / "floor.duckdb"), *more)

    return Trial(subject, floor)


def _ended(watch: Watch, *arguments: str) -> Content:
    line: Sequence[str] = [sys.executable, *arguments]
    with watch:
        ended = subprocess.run(line, stdout=subprocess.DEVNULL, timeout=_SECONDS_MAX, check=False)
    return (ended.returncode,)


PAIRS = (
    Pair("help", 1, 8.0, "a Python that does nothing", _help),
    Pair("idle", 1_000, 4.0, "a Python that opens a DuckDB file", _idle),
    Pair("idle_postgres", 1_000, 4.0, "a Python that opens a DuckDB file and asks PostgreSQL", _idle_postgres),
)
