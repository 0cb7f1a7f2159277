"""Asked to stop: the first signal lets the step in hand end and the leases be given back; the second one kills.

A killed worker loses nothing either, so nobody has to wait for a polite end.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Callable: whether we were asked to stop."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        return self._asked

    def ask(self) -> None:
        self._asked = True


@contextmanager
def by_signal() -> Iterator[Stop]:
    """A `Stop` that SIGTERM and SIGINT set, for as long as the context lasts. In the main thread only."""
    stop = Stop()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.ask()
        signal.signal(number, signal.SIG_DFL)

    before: dict[signal.Signals, Any] = {number: signal.signal(number, asked) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
