"""Replay ids: bytes that lead back to a position in the log, and say nothing to whoever looks at them.

An id holds a position and the moment it was given out, scrambled by a multiplication that only its bus can turn back,
and a mark of the bus. So two neighbours are far apart, greater does not mean later, and an org that has moved to
another bus (another generation) refuses the ids of the old one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import blake2b

_BITS = 96
_MODULUS = 1 << _BITS
_MOMENT_BITS = 48
_MARK_BYTES = 2


@dataclass(frozen=True)
class Place:
    """`position` is that of the last event passed, `given_ms` when that event was committed or, for an id that an idle
    stream is told, when it was told (epoch milliseconds)."""

    position: int
    given_ms: int


class ReplayIds:
    """The ids of one bus, the same for one `seed` and `generation`."""

    def __init__(self, seed: int, generation: int) -> None:
        chance = random.Random(f"replay {seed} {generation}")
        self._factor = chance.getrandbits(_BITS) | 1
        self._back = pow(self._factor, -1, _MODULUS)
        self._mask = chance.getrandbits(_BITS)
        self._mark = blake2b(f"{seed} {generation}".encode(), digest_size=_MARK_BYTES).digest()

    def encode(self, place: Place) -> bytes:
        plain = (place.position << _MOMENT_BITS) | place.given_ms
        return self._mark + ((plain * self._factor % _MODULUS) ^ self._mask).to_bytes(_BITS // 8)

    def decode(self, replay_id: bytes) -> Place | None:
        """None when it is none of this bus's."""
        if len(replay_id) != _MARK_BYTES + _BITS // 8 or replay_id[:_MARK_BYTES] != self._mark:
            return None
        plain = (int.from_bytes(replay_id[_MARK_BYTES:]) ^ self._mask) * self._back % _MODULUS
        return Place(plain >> _MOMENT_BITS, plain & ((1 << _MOMENT_BITS) - 1))
