"""The thread that keeps the stream of a topic open, and fills what is heard.

It never waits for who takes, but for room. A stream that breaks is opened again behind what was heard last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import grpc

from ....base.clock import Clock
from ....base.errors import Broken, TieoutError, Transient
from .door import Door
from .heard import Heard
from .messages import CUSTOM, FetchRequest
from .received import Received
from .verdict import Deed, Verdict

_SLOWER_FACTOR = 4.0
_REFUSALS_MAX = 1
"""Of tokens, one after the other: a token that is new and refused is no matter of its age."""
_ROOM_SECONDS = 1.0
_JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """`pauses_seconds`: before each new try. `chance`: a number from 0 to 1, by which they differ."""

    pauses_seconds: tuple[float, ...]
    chance: Callable[[], float]

    def pause(self, tried: int, *, slower: bool) -> float:
        return self.pauses_seconds[tried] * (0.5 + self.chance()) * (_SLOWER_FACTOR if slower else 1.0)


class Listener:
    def __init__(
        self, door: Door, topic: str, preset: int, heard: Heard, patience: Patience, clock: Clock, credit: int
    ) -> None:
        self.heard = heard
        self._door = door
        self._topic = topic
        self._preset = preset
        self._patience = patience
        self._clock = clock
        self._credit = credit
        self._closing = Event()
        self._call: Any = None
        self._spoke_at = clock.now()
        self._failures = self._refusals = 0
        self._is_silenced = False
        self._thread = Thread(target=self._run, name=f"events of {topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def watch(self, silence_seconds: float) -> None:
        """Ends a stream that has been silent for too long: it is dead, whatever its connection says."""
        silent = (self._clock.now() - self._spoke_at).total_seconds()
        if not 0 <= silent <= silence_seconds and self._call is not None:
            self._spoke_at = self._clock.now()
            self._is_silenced = True
            self._call.cancel()

    def close(self) -> None:
        self._closing.set()
        if self._call is not None:
            self._call.cancel()
        self._door.close()
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        error: TieoutError | None = Broken(f"the thread that hears {self._topic} fell over.")
        try:
            error = self._listen()
        finally:
            self.heard.broken(error, for_good=True)

    def _listen(self) -> TieoutError | None:
        """What it ended with; None: it was closed."""
        while not self._closing.is_set():
            if not self.heard.has_room(_ROOM_SECONDS):
                continue
            found = self._hear()
            self.heard.broken()
            if not self._closing.is_set() and not self._goes_on(found):
                return found.error
        return None

    def _hear(self) -> Verdict:
        """One stream, to its end; and what its end means."""
        doing = f"Subscribe {self._topic}"
        self._spoke_at = self._clock.now()
        try:
            if self._refusals:
                self._door.renew()
            self._call = self._door.subscribe(self._topic, self._requests(self.heard.opened(self._credit)))
            self.heard.ready()
            for answer in self._call:
                self._spoke_at = self._clock.now()
                self._failures = self._refusals = 0
                self.heard.hear([_received(each) for each in answer.events], answer.latest_replay_id)
        except grpc.RpcError as error:
            return self._door.judged(error, doing=doing)
        except Transient as error:
            return Verdict(Deed.AGAIN, error)
        except TieoutError as error:
            return Verdict(Deed.STOP, error)
        return Verdict(Deed.AGAIN, Transient(f"{doing}: the org ended the stream.", hint="It is opened again."))

    def _goes_on(self, found: Verdict) -> bool:
        silenced, self._is_silenced = self._is_silenced, False
        if found.deed is Deed.STOP or silenced:
            # It was we who ended it, and the org answers on each new connection: to be silent again is no failure.
            return silenced
        if found.deed is Deed.RENEW:
            self._refusals += 1
            return self._refusals <= _REFUSALS_MAX
        if found.deed is Deed.LESS:
            self._credit = max(1, self._credit // 2)
        self._failures += 1
        if self._failures > len(self._patience.pauses_seconds):
            return False
        self._closing.wait(self._patience.pause(self._failures - 1, slower=found.deed is Deed.SLOWER))
        return True

    def _requests(self, counts: Iterator[int]) -> Iterator[Any]:
        """The org reads from the first alone where it shall begin."""
        replay_id = self.heard.latest_replay_id
        preset = self._preset if replay_id is None else CUSTOM
        yield FetchRequest(
            topic_name=self._topic, replay_preset=preset, replay_id=replay_id or b"", num_requested=next(counts)
        )
        for count in counts:
            yield FetchRequest(topic_name=self._topic, num_requested=count)


def _received(event: Any) -> Received:
    return Received(event.event.schema_id, event.replay_id, event.event.payload)
