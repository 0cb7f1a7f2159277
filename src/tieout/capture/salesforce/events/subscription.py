"""A subscription to one topic: a thread that keeps its stream open, and a queue that holds what it heard.

The org sends no more than it was asked for, and forgets who does not ask for a minute: the thread asks on while there
is room, however slowly events are taken. An event may come twice, after the stream broke; none is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....base.clock import Clock
from ....base.errors import Broken
from .door import Door, Token
from .heard import Heard
from .listener import Listener, Patience
from .messages import EARLIEST, LATEST
from .received import Batch

_CREDIT_MAX = 100
"""The org grants no more."""
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each new try; a stream that breaks once more before it answered is given up."""


class Subscription:
    """`token` gives the token that counts now, `renew` another instead of one that was refused (by itself, `token` once
    more). `chance`: a number from 0 to 1, to spread the pauses of many. `silence_seconds`: an open stream that says
    nothing for so long is dead; the org's own limit is 270, and it is seen to speak every 60 or 120.

    Of one thread but for `topic_info` and `schema`, which any may call.
    """

    def __init__(
        self,
        endpoint: str,
        topic: str,
        token: Callable[[], Token],
        *,
        clock: Clock,
        renew: Callable[[Any], Token] | None = None,
        chance: Callable[[], float] = lambda: 0.5,
        credit: int = _CREDIT_MAX,
        queue_events_max: int = 20_000,
        silence_seconds: float = 150,
        pauses_seconds: Sequence[float] = _PAUSES_SECONDS,
    ) -> None:
        self.topic = topic
        self._door = Door(endpoint, token, renew or (lambda _: token()))
        self._clock = clock
        self._queue_events_max = queue_events_max
        self._silence_seconds = silence_seconds
        self._patience = Patience(tuple(pauses_seconds), chance)
        self._credit = min(credit, _CREDIT_MAX)
        self._listener: Listener | None = None

    def start(self, replay: bytes | None, earliest: bool = False) -> None:
        """From behind an event, from the earliest that is kept, or from now on. What was queued before is forgotten.
        From now on begins when the org first answers: until a batch bears an id, nothing is promised."""
        self.close()
        heard = Heard(replay, events_max=self._queue_events_max)
        preset = EARLIEST if earliest else LATEST
        self._listener = Listener(self._door, self.topic, preset, heard, self._patience, self._clock, self._credit)
        self._listener.start()

    def take(self, max_events: int, wait_seconds: float) -> Batch:
        """What was heard, `max_events` of it at most; waits for the first. Raises what ended the stream, once all that
        was heard before is taken; then it is to be started again."""
        listener = self._listener
        if listener is None:
            raise Broken(f"{self.topic} was not subscribed to.")
        return listener.heard.take(max_events, wait_seconds, lambda: listener.watch(self._silence_seconds))

    def topic_info(self, topic: str) -> bool:
        """Whether the org has the topic, and lets us hear it. Raises Transient, Misconfigured."""
        return self._door.topic_info(topic)

    def schema(self, schema_id: str) -> str:
        """The schema's text. Raises Rejected where the org knows none, and Transient, Misconfigured."""
        return self._door.schema(schema_id)

    def close(self) -> None:
        """Idempotent."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self._door.close()
