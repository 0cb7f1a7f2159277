"""Who am I, and is that other one dead? So that the lease of a killed worker is taken over at once.

The one rule: only what is known is said. A process on another machine, or one that cannot be looked at, is not called
dead; its lease then simply runs out.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from uuid import getnode

import psutil

from ..ledger.ledger import Holder

_PROC = Path("/proc")
_STATE, _STARTED = 0, 19
"""Places in /proc/PID/stat behind the command's name, which may hold blanks and brackets itself; see proc(5)."""
_GONE = frozenset({"Z", "X"})
"""States of a process that was killed and that its parent has not asked about yet."""


def me() -> Holder:
    """This process. Asked anew each time, as a fork is another one."""
    pid = os.getpid()
    return Holder(_machine(), pid, _started(pid) or "")


def is_dead(holder: Holder) -> bool:
    """Whether that process certainly is no more."""
    if holder.machine != _machine():
        return False
    if not _exists(holder.pid):
        return True
    started = _started(holder.pid)
    return started is not None and started != holder.started


def _machine() -> str:
    """The machine since it was last started; in a container, that container, as others number their processes anew."""
    host = platform.node()
    try:
        booted = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{host}/{booted}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"{host}/{getnode():x}"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """When the process began, "" if it has ended and is only still listed. None: it cannot be looked at."""
    if (_PROC / "self/stat").exists():
        return _started_by_proc(pid)
    return _started_by_system(pid)


def _started_by_proc(pid: int) -> str | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return "" if fields[_STATE] in _GONE else fields[_STARTED]


def _started_by_system(pid: int) -> str | None:
    """For systems without /proc."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.Error:
        return None
