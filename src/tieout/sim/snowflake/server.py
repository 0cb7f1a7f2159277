"""A stand-in for Snowflake for the tests and the demo: another Python's program, started here and never left behind.

It runs in an environment of its own, because the libraries that it stands on ask for another DuckDB than ours. What it
holds is in its memory and in a folder of its own, and goes with it.
"""

from __future__ import annotations

import atexit
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from ...base.errors import Broken, Misconfigured, Transient

PYTHON_NAMED_BY = "TIEOUT_SNOWFLAKE_PYTHON"
"""The variable of the environment that names the other Python."""

HOST = "127.0.0.1"

_program = Path(__file__).with_name("stand_in.py")
_python = Path(__file__).parents[4] / ".venv-snowflake" / "bin" / "python"
_start_seconds_max = 120.0
_stop_seconds_max = 10.0


class SnowflakeServer:
    """`with SnowflakeServer() as server:` starts it and, at the end, stops it. `record` is the file to which it appends
    each statement as one line of JSON; none is none."""

    host = HOST

    def __init__(self, *, record: Path | None = None, python: Path | None = None) -> None:
        self.python = python or Path(os.environ.get(PYTHON_NAMED_BY) or _python)
        self._record = record
        self._process: subprocess.Popen[bytes] | None = None
        self.folder: Path | None = None
        """Its log and its files while it runs."""
        self._port = 0
        self._owner = os.getpid()

    def __enter__(self) -> SnowflakeServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Another one after each start."""
        return self._port

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it takes connections. Nothing happens when it runs."""
        if self.running:
            return
        if not self.python.exists():
            raise Misconfigured(
                f"there is no Python at {self.python} to run the stand-in for Snowflake.",
                hint=f"Run `make .venv-snowflake/ready`, or name another Python by {PYTHON_NAMED_BY}.",
            )
        self.folder = Path(tempfile.mkdtemp(prefix="tieout-snow-"))
        command = [str(self.python), str(_program), "--host", HOST, "--end-with-stdin"]
        if self._record is not None:
            command += ["--record", str(self._record)]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, "TMPDIR": str(self.folder)},
                start_new_session=True,  # so that Ctrl-C reaches us first, and we stop it in order
            )  # fmt: skip
        atexit.register(self.close)
        self._port = self._await_ready(self._process)

    def close(self) -> None:
        """Stop it, and with it goes what it held. Idempotent. In a fork of the owner: nothing."""
        if os.getpid() != self._owner:
            return
        process, self._process = self._process, None
        if process is not None:
            _end(process)
            atexit.unregister(self.close)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def _await_ready(self, process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(_start_seconds_max) else b"late"
        if line.startswith(b"ready "):
            return int(line.split()[1])
        words = self._last_words()
        self.close()
        if line == b"late":
            raise Transient(f"The stand-in for Snowflake did not start within {_start_seconds_max:.0f} s.", hint=words)
        raise Broken("The stand-in for Snowflake ended while it started.", hint=words)

    def _last_words(self) -> str:
        assert self.folder is not None
        return "Its log ends: " + " / ".join((self.folder / "log").read_text(errors="replace").splitlines()[-5:])


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(sign)
        try:
            process.wait(timeout=_stop_seconds_max)
            break
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if process.poll() is None:
        raise Broken(f"The stand-in for Snowflake (pid {process.pid}) does not end.")
