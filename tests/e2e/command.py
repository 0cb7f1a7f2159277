"""The command line as its users have it: a process of its own, with an exit code, a document and a log.

Where a test is about what is told, not about processes, the same command runs within the test's own: that is ten times
faster, and goes through the same code but for `main`.
"""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tieout.ui.cli import answered

TEXT_KEY = "logicalType: string"

_SECONDS = 60.0
_CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {stream}
name: {object}
version: 1.0.0
status: active
schema:
  - name: {object}
"""


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A project's folder, and `tieout` called upon it: in a process of its own, or `within` this one."""

    root: Path
    within: bool = False

    def tieout(self, *arguments: str) -> Said:
        if self.within:
            return run_within([*arguments, "--project", str(self.root)])
        ended = subprocess.run(self._line(arguments), capture_output=True, text=True, timeout=_SECONDS, check=False)
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The document of a command that is to exit with `code`."""
        said = self.tieout(*arguments, "--json")
        assert said.code == code, said
        return said.document

    def query(self, sql: str) -> list[list[Any]]:
        rows: list[list[Any]] = self.json("query", sql)["rows"]
        return rows

    def status(self, stream: str = "erp.account") -> dict[str, Any]:
        streams = {one["stream"]: one for one in self.json("status")["streams"]}
        found: dict[str, Any] = streams[stream]
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        """`tieout run`, from when it holds the warehouse."""
        process = subprocess.Popen(
            self._line(("run", "--json")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            self._await_worker(process)
            yield process
        finally:
            process.kill()
            process.communicate()

    def drop(self, name: str, *changes: Mapping[str, Any] | str) -> None:
        """A file of changes in the inbox, that appears whole."""
        lines = [change if isinstance(change, str) else json.dumps(change) for change in changes]
        beside = self.root / "inbox" / f"{name}.tmp"
        beside.write_text("".join(f"{line}\n" for line in lines))
        beside.rename(self.root / "inbox" / name)

    def _await_worker(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end and process.poll() is None:
            if Project(self.root, within=True).json("status")["lanes"][0]["outcome"] == "complete":
                return
        raise AssertionError(f"the worker did not come up: {process.poll()}")

    def _line(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "tieout", *arguments, "--project", str(self.root)]


def project(root: Path, *, within: bool = False) -> Project:
    """A new project whose only source is its inbox."""
    (root / "inbox").mkdir(parents=True)
    (root / "tieout.yaml").write_text("project: books\nsources:\n  erp: {type: changes, path: ./inbox}\n")
    return Project(root, within)


def contract(stream: str, *properties: str, key: str = TEXT_KEY, checks: Sequence[str] = ()) -> str:
    """The text of a contract. Its key is `id`, of the type `key`; `properties` and the `checks` of the whole stream are
    in YAML's short form."""
    of_key = f"name: id, {key}, required: true, primaryKey: true, primaryKeyPosition: 1"
    parts = {"quality": checks, "properties": (of_key, *properties)}
    lines = _CONTRACT.format(stream=stream, object=stream.partition(".")[2])
    for part, texts in parts.items():
        lines += f"    {part}:\n" + "".join(f"      - {{{text}}}\n" for text in texts) if texts else ""
    return lines


def promise(root: Path, stream: str, *properties: str, key: str = TEXT_KEY, checks: Sequence[str] = ()) -> None:
    """Writes such a contract where the project looks for it."""
    file = contract_file(root, stream)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(contract(stream, *properties, key=key, checks=checks))


def contract_file(root: Path, stream: str) -> Path:
    source, _, object_ = stream.partition(".")
    return root / "contracts" / source / f"{object_}.yaml"


def run_within(arguments: list[str]) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = answered(arguments, as_json="--json" in arguments)
    return Said(code, out.getvalue(), err.getvalue())


def image(key: Any, position: int, *, stream: str = "erp.account", **fields: Any) -> dict[str, Any]:
    return {"stream": stream, "key": {"id": key}, "kind": "image", "fields": fields, "order": {"position": position}}


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> Said:
    """Ends a worker politely."""
    process.send_signal(number)
    out, err = process.communicate(timeout=_SECONDS)
    return Said(process.returncode, out, err)
