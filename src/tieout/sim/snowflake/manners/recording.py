"""What was asked, one line of JSON a statement, in the order in which they ended. Values are never written."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from .session import Session


class Record:
    """`path` is appended to; none writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, session: Session, body: dict[str, Any], told: dict[str, Any], *, kind: str, within: bool) -> None:
        """`within` says whether a transaction was open when the statement came."""
        if self._path is None:
            return
        bindings = body.get("bindings") or {}
        line = {
            "session": session.number,
            "kind": kind,
            "statement": body.get("sqlText"),
            "bindings": {name: each["type"] for name, each in bindings.items()},
            "within_transaction": within,
            "outcome": "ok" if told["success"] else told["code"],
            "query": (told["data"] or {}).get("queryId"),
            "rows": (told["data"] or {}).get("total"),
            "parameters": {**session.parameters, **(body.get("parameters") or {})},
            "role": session.role,
            "warehouse": session.warehouse,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
