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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
TIEOUT = os.environ.get("TIEOUT", str(ROOT / ".venv" / "bin" / "tieout"))
HOME = Path(tempfile.mkdtemp(prefix="tieout-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

# Airflow reads all of this when it is imported first.
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
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

    def drop(self, name: str, *changes: dict[str, Any]) -> None:
        """Puts a file of changes into the folder of the source `erp`, whole."""
        (self.root / "new").write_text("".join(json.dumps(change) + "\n" for change in changes))
        (self.root / "new").rename(self.root / "inbox" / name)


def image(key: str, position: int, **fields: Any) -> dict[str, Any]:
    order = {"position": position}
    return {"stream": "erp.account", "key": {"id": key}, "kind": "image", "fields": fields, "order": order}
