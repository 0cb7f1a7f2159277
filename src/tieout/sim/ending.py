"""How a demo ends when it is told to: once, in order, and leaving nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ..run.house import House
from ..run.serve import socket_path

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Ctrl-C and SIGTERM alike raise KeyboardInterrupt; further ones do not disturb what is then put away. In the main
    thread only."""
    is_ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in _SIGNALS}
    try:
        yield
    except RuntimeError:
        # As which DuckDB tells that the query in hand was interrupted.
        if is_ending:
            raise KeyboardInterrupt from None
        raise
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def swept(house: House) -> None:
    """A killed worker leaves its socket."""
    if isinstance(house.project.warehouse, Path):
        socket_path(house.project.warehouse).unlink(missing_ok=True)


def unbroken(deed: Callable[[], None]) -> None:
    """Does the deed to its end, whatever signal comes: so no process is born that nobody has taken note of."""
    # Signals break in upon the main thread alone, and leaving this context waits for the other one.
    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(deed).result()
