"""The order token: one total order for all that is said about a stream's keys, by the source's own clock.

Events, snapshots and backfills are compared by the same token, so that a read can never beat an event after its
watermark, and an event never one that the read had already seen. Arrival time, worker and batch are no part of it.

    omega = epoch . position . class . minor . rank . content        fixed-width hex, so text order is its order
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from .errors import Rejected

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
_EPOCH_MAX = 2**32 - 1

EPOCH_WIDTH = 8
EPOCH_FORMAT = "08x"
POSITION_WIDTH = 16
MOMENT_WIDTH = EPOCH_WIDTH + POSITION_WIDTH
"""Of a token, the characters that say where in the source's order it stands: (epoch, position)."""
CONTENT_WIDTH = 16
PLACE_WIDTH = MOMENT_WIDTH + 1 + 16 + 16
"""Of a token, the characters before its content hash. Two changes of one key equal in these are ambiguous."""
TOKEN_WIDTH = PLACE_WIDTH + CONTENT_WIDTH


class Class(IntEnum):
    """How the source told us. At one position an event knows more than a read, an override more than both."""

    READ = 0
    EVENT = 1
    OVERRIDE = 2


def _hex64(value: int) -> str:
    return format(value - INT64_MIN, "016x")


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """Where in its source's order a change stands. All numbers are signed 64-bit but `epoch`.

    epoch     the source's incarnation; rises only when the source's own order starts again
    position  the source's own order, at the grain shared by all its channels (commit LSN, second, offset);
              for a read, max(its own stamp, its watermark)
    kind      read, event or override
    minor     orders events within one position; rank orders within one minor
    """

    epoch: int
    position: int
    kind: Class
    minor: int = 0
    rank: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.epoch <= _EPOCH_MAX:
            raise Rejected(f"epoch {self.epoch} is outside 0 to {_EPOCH_MAX}.")
        for name in ("position", "minor", "rank"):
            if not INT64_MIN <= getattr(self, name) <= INT64_MAX:
                raise Rejected(f"{name} {getattr(self, name)} does not fit in 64 bits, signed.")

    @property
    def place(self) -> str:
        """The token without its content hash."""
        return "".join(
            (
                format(self.epoch, EPOCH_FORMAT),
                _hex64(self.position),
                format(int(self.kind), "x"),
                _hex64(self.minor),
                _hex64(self.rank),
            )
        )

    def token(self, content: str) -> str:
        """omega. `content` is the first 16 hex digits of the change's id."""
        return self.place + content

    @classmethod
    def from_token(cls, token: str) -> Order:
        """The order a token was made from; its content hash is left behind."""
        at = MOMENT_WIDTH
        return cls(
            epoch=int(token[:EPOCH_WIDTH], 16),
            position=int(token[EPOCH_WIDTH:at], 16) + INT64_MIN,
            kind=Class(int(token[at], 16)),
            minor=int(token[at + 1 : at + 17], 16) + INT64_MIN,
            rank=int(token[at + 17 : at + 33], 16) + INT64_MIN,
        )


def sweep_floor(token: str) -> str:
    """Of a sweep's token: the token below which a key that the sweep did not mention is dead."""
    return token[:MOMENT_WIDTH].ljust(TOKEN_WIDTH, "0")
