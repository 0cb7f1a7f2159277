"""Messages of the log as they came, gathered until there are enough of them to be worked on by the column.

A heap is lists of Python's while it grows; a page is the same as one buffer, with arrays of where each message stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Octets = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_PAD = bytes(16)
"""Behind the last message: what is torn is found after it was read."""


@dataclass(slots=True)
class Heap:
    """`lsns[n]` is where in the log `payloads[n]` stands. `room`: how many messages it takes."""

    room: int
    lsns: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.payloads)

    def page(self) -> Page:
        """All of it, with nothing between one message and the next."""
        sizes = np.fromiter(map(len, self.payloads), np.int64, len(self.payloads))
        ends = np.cumsum(sizes)
        octets = np.frombuffer(b"".join((*self.payloads, _PAD)), np.uint8)
        return Page(octets, ends - sizes, ends, np.array(self.lsns, np.int64), self.payloads)


@dataclass(frozen=True, slots=True)
class Page:
    """Message n is `octets[starts[n]:ends[n]]`; `payloads` has it once more, for the few that are read one by one."""

    octets: Octets
    starts: Numbers
    ends: Numbers
    lsns: Numbers
    payloads: list[bytes]

    @property
    def kinds(self) -> Octets:
        """The first octet of each. Every message has one: an empty one does not leave the stream."""
        return self.octets[self.starts]

    def uint32(self, at: Numbers) -> Numbers:
        """The four octets at each of these places as a number."""
        return self._numbers(">u4", 4)[at].astype(np.int64)

    def int64(self, at: Numbers) -> Numbers:
        return self._numbers(">i8", 8)[at].astype(np.int64)

    def _numbers(self, type_: str, size: int) -> npt.NDArray[np.generic]:
        """The page as if a number stood at every octet."""
        return np.ndarray((len(self.octets) - size + 1,), type_, self.octets.data, strides=(1,))

    def place(self, at: int) -> tuple[bytes, int]:
        """The message in which this octet stands, and the octet's offset in it."""
        message = int(np.searchsorted(self.ends, at, "right"))
        return self.payloads[message], at - int(self.starts[message])

    def raw(self, messages: Numbers) -> pa.Array:
        """These messages, whole."""
        return pick(self, self.starts, self.ends - self.starts, messages, None)


def pick(page: Page, starts: Numbers, sizes: Numbers, wanted: Numbers, absent: Flags | None) -> pa.Array:
    """A binary column of the pieces of a page at `starts`, which do not overlap and grow: of them those `wanted`, null
    where `absent`.

    The pieces and what lies between them are one Arrow column over the page as it is; taking every second of its
    values is all the copying there is.
    """
    count = len(starts)
    offsets = np.empty(2 * count + 1, np.int32)
    offsets[0:-1:2] = starts
    offsets[1::2] = starts + sizes
    offsets[-1] = offsets[-2] if count else 0
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(page.octets)]
    pieces = pa.Array.from_buffers(pa.binary(), 2 * count, buffers)
    return pieces.take(pa.array(wanted * 2, mask=absent))
