"""Who holds a lease, and whether that one is dead: told of real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tieout.ledger.ledger import Holder
from tieout.run.holder import _started, _started_by_system, is_dead, me

_TELL = "from tieout.run.holder import me; h = me(); print(h.machine, h.pid, h.started, sep='|', flush=True); input()"


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], Holder]]:
    """Another living process, and how it calls itself."""
    process = subprocess.Popen([sys.executable, "-c", _TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    machine, pid, started = process.stdout.readline().strip().split("|")
    yield process, Holder(machine, int(pid), started)
    process.kill()
    process.communicate(timeout=30)


def test_this_process_is_alive_and_always_the_same() -> None:
    assert me() == me()
    assert me().pid == os.getpid()
    assert me().started
    assert not is_dead(me())


def test_another_process_is_another_holder_of_the_same_machine(other: tuple[subprocess.Popen[str], Holder]) -> None:
    process, holder = other

    assert holder.machine == me().machine
    assert holder.pid == process.pid != me().pid
    assert not is_dead(holder)


def test_a_killed_process_is_dead_also_before_its_parent_asks(other: tuple[subprocess.Popen[str], Holder]) -> None:
    process, holder = other

    process.send_signal(signal.SIGKILL)
    # Waits until it has ended without reaping it: it stays listed, as with a parent that never asks.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(holder)

    process.wait(timeout=30)
    assert is_dead(holder)


def test_a_stopped_process_is_not_dead(other: tuple[subprocess.Popen[str], Holder]) -> None:
    process, holder = other
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    assert not is_dead(holder)


def test_a_new_owner_of_its_number_does_not_keep_a_process_alive() -> None:
    assert is_dead(replace(me(), started="1"))


def test_a_process_of_another_machine_is_never_called_dead() -> None:
    assert not is_dead(replace(me(), machine="elsewhere/0/pid:[1]", pid=2**22 + 1))


def test_a_process_whose_name_holds_blanks_and_brackets_is_read_right(tmp_path: Path) -> None:
    odd = tmp_path / "a) Z 1 (b"
    odd.symlink_to(sys.executable)
    process = subprocess.Popen([odd, "-c", "input()"], stdin=subprocess.PIPE, executable=str(odd))
    started = _started(process.pid)

    assert started
    assert started.isdigit()
    process.communicate(b"\n", timeout=30)


def test_systems_without_proc_tell_the_same(other: tuple[subprocess.Popen[str], Holder]) -> None:
    process, holder = other

    started = _started_by_system(holder.pid)

    assert started
    assert _started_by_system(holder.pid) == started != _started_by_system(me().pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert _started_by_system(holder.pid) == ""
    process.wait(timeout=30)
    assert _started_by_system(holder.pid) is None
