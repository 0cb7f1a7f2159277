"""A line to a PostgreSQL server that is lost at the worst moment: as a commit is on its way, or its answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"Q\x00\x00\x00\x0bcommit\x00"
"""As the protocol has it: a simple query, its length, its text."""

_LATE_SECONDS = 0.15
"""Longer than it takes to connect anew and ask."""


class Lost(Enum):
    """What is lost: the commit and the session, the commit while the server still holds the session, or the answer; or
    the line, while the commit is still under way."""

    COMMIT = "commit"
    COMMIT_UNNOTICED = "commit unnoticed"
    ANSWER = "answer"
    LINE = "line"


class Line:
    """A door on this machine to the server of `url`. Whoever connects through it has the real server.

    `losing`: what happens to the next commit; the line is sound for connections that are made after it, unless it was
    told to stay `dead_then`. `lost` counts.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._door = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._is_dead = False
        self.losing: Lost | None = None
        self.dead_then = False
        self.lost = 0
        port = self._door.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable&gssencmode=disable"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._door.close()
        for one in self._sockets:
            _cut(one)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if self._is_dead:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                far.connect(self._server)
                self._sockets += [near, far]
                threading.Thread(target=self._ask, args=(near, far), daemon=True).start()
                threading.Thread(target=self._answer, args=(far, near), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65536):
                if data == _COMMIT and self.losing is not None:
                    self._lose(near, far)
                    return
                far.sendall(data)
        _cut(far)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                near.sendall(data)
        _cut(near)

    def _lose(self, near: socket.socket, far: socket.socket) -> None:
        losing, self.losing = self.losing, None
        self.lost += 1
        self._is_dead = self.dead_then
        _cut(near)
        if losing is Lost.ANSWER:
            far.sendall(_COMMIT)
        elif losing is Lost.LINE:
            threading.Timer(_LATE_SECONDS, far.sendall, [_COMMIT]).start()
        elif losing is Lost.COMMIT:
            _cut(far)


def _cut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
