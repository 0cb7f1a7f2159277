"""The DAGs as Airflow has them, on the line that is installed here: a home of its own, an SQLite, and tieout's real
command line, which stands in another environment.

Run by `make airflow`, once for each line. These tests are no part of the plain run of pytest: they need an Airflow.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
TIEOUT = os.environ.get("TIEOUT", str(ROOT / ".venv" / "bin" / "tieout"))
HOME = Path(tempfile.mkdtemp(prefix="tieout-airflow-"))
DAGS_FOLDER = HOME / "dags"
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

AIRFLOW_3 = not version("apache-airflow").startswith("2.")

# Airflow reads all of this when it is imported first.
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_FOLDER),
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",
}


def airflow(*words: str) -> str:
    """Airflow's own command line; fails where it fails."""
    program = Path(sys.executable).with_name("airflow")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Company:
    """A project, and what was exported of it."""

    root: Path
    dags: Path

    def tieout(self, *words: str, code: int = 0) -> Any:
        line = [TIEOUT, *words, "--project", str(self.root), "--json"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def export(self, *words: str) -> Any:
        return self.tieout("airflow", "export", "--out", str(self.dags), "--tieout", TIEOUT, *words)

    @property
    def plan(self) -> Any:
        return json.loads((self.dags / "tieout_dags.json").read_text())

    def names(self) -> list[str]:
        rows = self.tieout("query", "select name from latest.erp__account where not _deleted order by name")["rows"]
        return [name for (name,) in rows]

    def source(self, name: str, settings: dict[str, Any]) -> None:
        """The project's only one."""
        (self.root / "tieout.yaml").write_text(f"project: shop\nsources: {{{name}: {json.dumps(settings)}}}\n")

    def write(self, folder: str, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def tamper(self, statement: str) -> None:
        """Alters the warehouse behind tieout's back."""
        python = Path(TIEOUT).with_name("python")
        code = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute(sys.argv[2])"
        file = self.root / ".tieout" / "warehouse.duckdb"
        subprocess.run([python, "-c", code, str(file), statement], check=True, timeout=60)

    def drop(self, name: str, *changes: dict[str, Any]) -> None:
        """Puts a file of changes into the folder of the source `erp`, whole."""
        (self.root / "new").write_text("".join(json.dumps(change) + "\n" for change in changes))
        (self.root / "new").rename(self.root / "inbox" / name)


def company_in(folder: Path) -> Company:
    made = Company(folder / "shop", DAGS_FOLDER / folder.name)
    (made.root / "inbox").mkdir(parents=True)
    made.source("erp", {"type": "changes", "path": "./inbox"})
    return made


def dags_of(folder: Path) -> dict[str, Any]:
    """The DAGs that Airflow finds there. Imported late, after the settings above."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models import DagBag
    bag = DagBag(str(folder))
    assert not bag.import_errors, bag.import_errors
    return dict(bag.dags)


def ran(company: Company, dag: str, *, at: datetime | None = None, **params: Any) -> dict[str, str]:
    """Runs a DAG to its end; the state of each task."""
    made = dags_of(company.dags)[dag]
    # The one argument that the two lines name differently.
    when = {} if at is None else {"logical_date" if AIRFLOW_3 else "execution_date": at}
    run = made.test(run_conf=params or None, **when)
    return {one.task_id: str(one.state) for one in run.get_task_instances()}


def image(key: str, position: int, **fields: Any) -> dict[str, Any]:
    order = {"position": position}
    return {"stream": "erp.account", "key": {"id": key}, "kind": "image", "fields": fields, "order": order}
