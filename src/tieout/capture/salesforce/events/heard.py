"""What was heard of a topic and not yet taken, and how much more may be asked for: between two threads, by one lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Condition

from ....base.errors import TieoutError
from .received import Batch, Received

_SLICE_SECONDS = 1.0
"""How often someone who waits looks whether the stream is still alive."""
_LULL_SECONDS = 0.1
"""Events that follow each other more closely are taken together."""


class Heard:
    """`replay_id`: behind which it begins, None where only the org knows."""

    def __init__(self, replay_id: bytes | None, *, events_max: int) -> None:
        self._changed = Condition()
        self._events: deque[Received] = deque()
        self._events_max = events_max
        self._credit = self._outstanding = 0
        self._latest = replay_id
        self._asking: SimpleQueue[int] = SimpleQueue()
        self._error: TieoutError | None = None
        self._is_ready = self._is_ended = self._is_dry = False
        self._openings = self._answers = 0

    @property
    def latest_replay_id(self) -> bytes | None:
        """Of what was heard last: an event, or that there was none."""
        with self._changed:
            return self._latest

    def has_room(self, seconds: float) -> bool:
        """Whether one more event may be asked for, after waiting so long for it."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._events) < self._events_max, seconds)

    def opened(self, credit: int) -> Iterator[int]:
        """Of a new stream: how many events to ask for, now and then, until it is broken."""
        with self._changed:
            self._asking.put(0)
            self._asking = SimpleQueue()
            self._credit, self._outstanding, self._is_ready = credit, 0, False
            self._openings += 1
            self._grant()
            return iter(self._asking.get, 0)

    def ready(self) -> None:
        """The org has answered on the connection of the stream, and was asked for events."""
        with self._changed:
            self._is_ready = True

    def broken(self, error: TieoutError | None = None, *, for_good: bool = False) -> None:
        """The stream is no more; `for_good`: there will be no other, and the error is told to who takes."""
        with self._changed:
            self._asking.put(0)
            self._error, self._is_ready, self._is_ended = error, False, for_good
            self._changed.notify_all()

    def hear(self, events: Sequence[Received], latest_replay_id: bytes) -> None:
        """An answer: with events, or without, when it says up to where the topic had nothing to tell."""
        with self._changed:
            self._events.extend(events)
            self._outstanding -= len(events)
            self._latest = (events[-1].replay_id if events else latest_replay_id) or self._latest
            self._is_dry, self._is_ready = not events, True
            self._answers += 1
            self._grant()
            self._changed.notify_all()

    def take(self, events_max: int, wait_seconds: float, watch: Callable[[], None]) -> Batch:
        """`watch` is called now and then while it waits. Raises what ended the stream, once all else is taken."""
        with self._changed:
            openings, answers, was_ready = self._openings, self._answers, self._is_ready
        self._wait(events_max, wait_seconds, answers, watch)
        with self._changed:
            count = min(events_max, len(self._events))
            events = tuple(self._events.popleft() for _ in range(count))
            if self._is_ended and not events and self._error is not None:
                raise self._error
            reached = events[-1].replay_id if self._events else self._latest
            is_told = self._is_dry and self._answers > answers
            is_quiet = not events and was_ready and self._is_ready and openings == self._openings
            is_caught_up = not self._events and (is_told or (is_quiet and self._outstanding > 0))
            self._grant()
            self._changed.notify_all()
            return Batch(events, reached, is_caught_up and not self._is_ended)

    def _wait(self, events_max: int, seconds: float, answers: int, watch: Callable[[], None]) -> None:
        """For the first event, and those that follow closely; or for word that there is none."""
        left = seconds
        while left >= 0:
            watch()
            with self._changed:
                if self._changed.wait_for(lambda: self._is_worth_taking(answers), min(left, _SLICE_SECONDS)):
                    break
            left -= _SLICE_SECONDS
        for _ in range(1 + int(seconds / _LULL_SECONDS)):
            with self._changed:
                if not self._events or len(self._events) >= events_max or self._is_dry or self._is_ended:
                    break
                heard = self._answers
                if not self._changed.wait_for(partial(self._has_answered, heard), _LULL_SECONDS):
                    break

    def _has_answered(self, since: int) -> bool:
        return self._answers > since or self._is_ended

    def _is_worth_taking(self, answers: int) -> bool:
        return bool(self._events) or self._is_ended or (self._is_dry and self._answers > answers)

    def _grant(self) -> None:
        """Ask for more once half of the credit is used, as far as there is room for it."""
        more = min(self._credit, self._events_max - len(self._events)) - self._outstanding
        if more > 0 and self._outstanding <= self._credit // 2:
            self._outstanding += more
            self._asking.put(more)
