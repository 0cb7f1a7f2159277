"""The worker of a demo: a real `tieout run` in a process of its own, which may be killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..base.errors import Broken
from .ending import unbroken

_stop_seconds_max = 60.0
_LAST_LINES = 8


class WorkerProcess:
    """Runs the project in `project` from `start` on; what it says goes to the file `log`."""

    def __init__(self, project: Path, log: Path, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """`environment`: what the project's file asks of it, beside this process's own."""
        self._environment = {**os.environ, **environment}
        self._project = project
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        assert self._process is None, "one worker at a time"
        unbroken(self._launch)

    def _launch(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tieout", "run", "--project", str(self._project)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment,
                start_new_session=True,  # so that Ctrl-C reaches us first, and we end it in order
            )  # fmt: skip

    def kill(self) -> None:
        """At once, with SIGKILL. Nothing happens when none runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """In order, with SIGTERM. Raises Broken when it does not end."""
        self.check()
        assert self._process is not None, "check() has seen it"
        self._process.terminate()
        try:
            self._process.wait(timeout=_stop_seconds_max)
        except subprocess.TimeoutExpired:
            told = f"the worker did not stop within {_stop_seconds_max:.0f} s."
            raise Broken(told, hint=self._last_words()) from None
        finally:
            self.kill()

    def check(self) -> None:
        """Raises Broken when it has ended by itself, which a worker never does."""
        if self._process is None:
            raise Broken("no worker runs.")
        code = self._process.poll()
        if code is not None:
            raise Broken(f"the worker ended by itself, with code {code}.", hint=self._last_words())

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "Its log ends: " + " / ".join(lines) if lines else "It has said nothing."
