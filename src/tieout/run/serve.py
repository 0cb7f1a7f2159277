"""Readers beside a worker: DuckDB lets no second process into its file, so the one that holds it answers on a socket.

One question a connection: a JSON line goes in, an Arrow stream or an error comes back. What checks came to is handed
over in the same way: it is all that anybody but the holder may have written. The socket's folder belongs to this user
alone.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import struct
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from ..base.clock import Clock
from ..base.codec import sha256_hex
from ..base.errors import Misconfigured, TieoutError, Transient
from ..merge.duckdb import DuckDBReader
from ..merge.warehouse import CheckNote, Engine, Warehouse

_PATH_BYTES_MAX = 100
_QUESTION_BYTES_MAX = 1 << 20
_TALK_SECONDS = 60.0
_OPEN_SECONDS = 10.0
_OPEN_STEP_SECONDS = 0.05
_HELD_OPEN = timedelta(seconds=0.5)
"""How long a file that nobody holds is kept open to be read: so much longer a worker that comes may have to wait."""
_HEADER = struct.Struct(">cQ")
_ROWS, _ERROR, _KEPT = b"R", b"E", b"K"


def socket_path(warehouse: Path) -> Path:
    """Where the holder of this warehouse listens: beside the file, or, as a socket's path may not be long, under a name
    of the same file in a folder that is this user's own. The same for all who ask."""
    beside = warehouse.resolve().with_suffix(".sock")
    if len(os.fsencode(beside)) <= _PATH_BYTES_MAX:
        return beside
    return Path(f"/tmp/tieout-{os.getuid()}") / f"{sha256_hex(os.fsencode(beside))[:24]}.sock"


class _Handler(socketserver.StreamRequestHandler):
    timeout = _TALK_SECONDS
    server: _Server

    def handle(self) -> None:
        try:
            line = self.rfile.readline(_QUESTION_BYTES_MAX)
            question = json.loads(line)
            if "checks" in question:
                self.server.warehouse.note_checks([_note(said) for said in question["checks"]])
                self._answer(_KEPT, b"")
                return
            statement, seconds = str(question["statement"]), question.get("seconds")
            table = self.server.warehouse.query(statement, question["parameters"], seconds=seconds)
        except TieoutError as error:
            self._answer(_ERROR, json.dumps({"message": error.message, "hint": error.hint}).encode())
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._answer(
                _ERROR, json.dumps({"message": f"the question was not understood: {error}", "hint": ""}).encode()
            )
        else:
            self._answer(_ROWS, _packed(table))

    def _answer(self, kind: bytes, body: bytes) -> None:
        self.wfile.write(_HEADER.pack(kind, len(body)) + body)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        super().__init__(str(path), _Handler)


class QueryServer:
    """Answers questions to one warehouse, which lies at `path`, from threads of this process, until it is closed."""

    def __init__(self, path: Path, warehouse: Warehouse) -> None:
        self._path = socket_path(path)
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        if self._path.parent.stat().st_uid != os.getuid():
            raise Misconfigured(
                f"{self._path.parent} belongs to another user.", hint="Give the project a shorter path, or remove it."
            )
        self._path.unlink(missing_ok=True)  # a killed worker's; whoever holds the file holds this name
        self._server = _Server(self._path, warehouse)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=_TALK_SECONDS)


class Nobody:
    """Where whoever reads can ask the warehouse itself, nobody has to answer."""

    def close(self) -> None:
        """There is nothing to end."""


class SocketReader:
    """Implements `Reader` by asking the worker that holds the file."""

    engine = Engine.DUCKDB

    def __init__(self, path: Path) -> None:
        self._path = path

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        question = {"statement": statement, "parameters": list(parameters), "seconds": seconds}
        kind, body = self._ask(json.dumps(question).encode() + b"\n")
        if kind == _ERROR:
            told = json.loads(body)
            raise Misconfigured(told["message"], hint=told["hint"])
        with pa.ipc.open_stream(body) as stream:
            return stream.read_all()

    def note_checks(self, notes: Sequence[CheckNote]) -> None:
        """Has the holder keep what checks came to."""
        said = [asdict(note) | {"checked_at": note.checked_at.isoformat()} for note in notes]
        kind, body = self._ask(json.dumps({"checks": said}).encode() + b"\n")
        if kind != _KEPT:
            told = json.loads(body)
            raise Transient(told["message"], hint=told["hint"])

    def close(self) -> None:
        """Nothing is kept open between questions."""

    def _ask(self, question: bytes) -> tuple[bytes, bytes]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
                talk.settimeout(_TALK_SECONDS)
                talk.connect(str(self._path))
                talk.sendall(question)
                with talk.makefile("rb") as answer:
                    kind, size = _HEADER.unpack(_whole(answer.read(_HEADER.size), _HEADER.size))
                    return kind, _whole(answer.read(size), size)
        except OSError as error:
            raise Transient(f"no worker answers for the warehouse: {error}.", hint="Ask again.") from error


class PatientReader:
    """Implements `Reader` whoever holds the file: each question goes to the worker if one listens, else to the file.

    In its context the file stays open from one question to the next, for a moment only: no worker can write meanwhile.
    """

    engine = Engine.DUCKDB

    def __init__(self, warehouse: Path, clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._keeps = False
        self._kept: tuple[DuckDBReader, datetime] | None = None

    def __enter__(self) -> PatientReader:
        self._keeps = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeps = False
        self.close()

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        if not self._warehouse.exists():
            raise Misconfigured("nothing has been merged yet.", hint="Run `tieout run --once` first.")
        for _ in range(int(_OPEN_SECONDS / _OPEN_STEP_SECONDS)):
            try:
                return self._ask_once(statement, parameters, seconds)
            except Transient:
                self._clock.sleep(_OPEN_STEP_SECONDS)
        return self._ask_once(statement, parameters, seconds)

    def close(self) -> None:
        """Lets go of the file, if it was kept open."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[0].close()

    def _ask_once(self, statement: str, parameters: Sequence[Any], seconds: float | None) -> pa.Table:
        path = socket_path(self._warehouse)
        if self._kept is None and path.exists():
            try:
                return SocketReader(path).query(statement, parameters, seconds=seconds)
            except Transient:
                pass  # the socket of a worker that is gone; the file is free then, or soon will be
        reader, since = self._kept = self._kept or (DuckDBReader(self._warehouse), self._clock.now())
        try:
            answer = reader.query(statement, parameters, seconds=seconds)
        except BaseException:
            self.close()
            raise
        # A clock that was set back has it opened anew as well.
        if not self._keeps or abs(self._clock.now() - since) >= _HELD_OPEN:
            self.close()
        return answer


def _note(said: dict[str, Any]) -> CheckNote:
    return CheckNote(**{**said, "checked_at": datetime.fromisoformat(said["checked_at"])})


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ConnectionError(f"the answer broke off after {len(data)} of {size} bytes")
    return data
