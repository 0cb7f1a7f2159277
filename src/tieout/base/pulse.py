"""A pulse: while we are busy with one thing, somebody hears that we live.

A server ends a stream from which it has heard nothing for a while, a lease that is not renewed goes to another worker,
and a merge may take longer than either. The pulse says nothing new: only what was said before, again. It stops by
itself, so that a process which hangs for ever does not hold anything for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread

_busy_seconds_max = 3600.0
"""Of one turn of work: far longer than any merge of ours, short beside the days that fill a disk with log."""


class Pulse:
    """Calls `beat` every so many `seconds`, never while `talking` is held; ends when `beat` returns False."""

    def __init__(self, beat: Callable[[], bool], *, seconds: float) -> None:
        self.talking = Lock()
        """Held by whoever else uses what `beat` does, such as a connection, which bears one at a time."""
        self._beat = beat
        self._seconds = seconds
        self._left = self._beats_max = int(_busy_seconds_max / seconds)
        self._ended = Event()
        self._thread = Thread(target=self._run, name="tieout-pulse", daemon=True)
        self._thread.start()

    def renew(self) -> None:
        """The work goes on: from now on it may beat for as long again."""
        self._left = self._beats_max

    def end(self) -> None:
        """Returns when it beats no more. Not to be called with `talking` held."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            with self.talking:
                self._left -= 1
                if self._left < 0 or self._ended.is_set() or not self._beat():
                    return
