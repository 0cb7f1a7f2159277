"""What was written for Airflow, and what is to be done with it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from ..run.airflow.export import DAGS, PLAN, POOLS, Exported
from .answer import OK
from .paint import grid, next_step, safe, several, stacked, verdict


@dataclass(frozen=True, slots=True)
class ExportEnded:
    exported: Exported
    exit_code: int = OK

    def to_json(self) -> dict[str, Any]:
        told = self.exported
        return {
            "folder": str(told.folder),
            "files": [DAGS, PLAN, POOLS],
            "written": list(told.written),
            "dags": list(told.dags),
            "pools": list(told.pools),
        }

    def shown(self) -> RenderableType:
        told, table = self.exported, grid("dag")
        for dag in told.dags:
            table.add_row(safe(dag))
        changed = f"; changed: {', '.join(told.written)}" if told.written else "; nothing has changed"
        return stacked(
            table,
            verdict("complete", f"{several(len(told.dags), 'DAG')} in {told.folder}{changed}."),
            next_step(f"airflow pools import {shlex.quote(str(told.folder / POOLS))}", "or no task is ever queued"),
        )
