"""One Subscribe stream: what it was asked for, what it is told next, and when it ends.

A thread of the server draws `responses`; another hands in the client's requests. Both meet in `bell`, the condition on
which every stream waits (it is that of the log): it rings when a request comes, when the log grows, and when someone
outside plays a trick. Nobody looks at anything in between.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Condition
from typing import Any

from .allowance import Allowance
from .credit import Credit
from .messages import FetchResponse
from .reading import Reading
from .refusals import Refusal, limit_exceeded


@dataclass(frozen=True)
class Rhythm:
    """In seconds. `keepalive`: an idle stream is told its replay id this often. `patience`: how long a stream without
    credit stays open. `events_max`: events in one response; a client gets more responses for its request."""

    keepalive: float = 270.0
    patience: float = 60.0
    events_max: int = 100


class Stream:
    """`admit` is asked at each request (None: at a keep-alive) whether the caller may go on; it raises a `Refusal`.
    `now_ms` tells the time of day."""

    def __init__(
        self,
        bell: Condition,
        rhythm: Rhythm,
        *,
        reading: Reading,
        credit: Credit,
        rpc_id: str,
        admit: Callable[[Any], None],
        allowance: Allowance,
        now_ms: Callable[[], int],
        cancel: Callable[[], object],
    ) -> None:
        self._bell = bell
        self._rhythm = rhythm
        self._reading = reading
        self._credit = credit
        self._rpc_id = rpc_id
        self._admit = admit
        self._allowance = allowance
        self._now_ms = now_ms
        self._cancel = cancel
        self._inbox: deque[Any] = deque()
        self._ended = False
        self._half_closed = False
        self._silent = False
        self._cut: Refusal | None = None
        self._last = time.monotonic()

    def requested(self, request: Any) -> None:
        with self._bell:
            self._inbox.append(request)
            self._bell.notify_all()

    def half_close(self) -> None:
        """The client will request nothing more."""
        with self._bell:
            self._half_closed = True
            self._bell.notify_all()

    def end(self) -> None:
        """The call is over, whoever ended it."""
        with self._bell:
            self._ended = True
            self._bell.notify_all()

    def fall_silent(self) -> None:
        """Stays open, and says nothing more. Called while the bell is held."""
        self._silent = True

    def reset(self) -> None:
        """The call is cancelled from this side."""
        self._cancel()

    def cut(self, refusal: Refusal) -> None:
        """Ends with an error. Called while the bell is held."""
        self._cut = refusal

    def responses(self) -> Iterator[Any]:
        """Until the client goes, or has left nothing outstanding for too long. Raises `Refusal`."""
        while True:
            with self._bell:
                self._bell.wait_for(self._is_due, timeout=self._seconds_to_wait())
                if self._over():
                    return
                requests = list(self._inbox)
                self._inbox.clear()
            if self._silent:
                continue
            for request in requests:
                self._admit(request)
                self._credit.request(request.topic_name, request.num_requested)
            response = self._next_response()
            if response is not None:
                yield response

    def _is_due(self) -> bool:
        if self._ended or self._cut is not None:
            return True
        if self._silent:
            return False
        if self._credit.pending > 0:
            return bool(self._inbox) or self._reading.is_behind
        return bool(self._inbox) or self._half_closed

    def _over(self) -> bool:
        """Called while the bell is held."""
        if self._cut is not None:
            raise self._cut
        if self._ended or self._silent:
            return self._ended
        spent = self._half_closed and not self._inbox and not self._credit.pending
        return spent or (not self._inbox and self._credit.forfeited(time.monotonic(), self._rhythm.patience))

    def _seconds_to_wait(self) -> float | None:
        """Until a keep-alive is due, or the patience with a stream without credit ends."""
        if self._silent:
            return None
        ends = self._last + self._rhythm.keepalive
        if self._credit.empty_since is not None:
            ends = min(ends, self._credit.empty_since + self._rhythm.patience + 0.001)
        return max(0.0, ends - time.monotonic())

    def _next_response(self) -> Any | None:
        events = self._events()
        now = time.monotonic()
        if not events and now - self._last < self._rhythm.keepalive:
            return None
        if not events:
            self._admit(None)
        self._last = now
        return FetchResponse(
            events=events,
            latest_replay_id=self._reading.latest_replay_id(self._now_ms()),
            rpc_id=self._rpc_id,
            pending_num_requested=self._credit.pending,
        )

    def _events(self) -> list[Any]:
        """As many as fit one response; what is behind them comes with the next."""
        most = min(self._credit.pending, self._rhythm.events_max)
        if not most:
            return []
        allowed = self._allowance.left(most)
        events = self._reading.next(allowed or 1)
        if events and not allowed:
            raise limit_exceeded()
        if events:
            self._allowance.deliver(len(events))
            self._credit.spend(len(events), time.monotonic())
        return events
