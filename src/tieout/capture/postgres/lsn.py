"""A position in the log is a number; people and the server write it as two halves in hex, `16/B374D848`.

Positions are compared as numbers only: as text, 9/FFFFFFFF would come after 10/0.
"""

from __future__ import annotations

from ...base.errors import Broken


def lsn_text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    high, slash, low = text.partition("/")
    if not slash:
        raise Broken(f"{text!r} is not a position in a log.")
    return (int(high, 16) << 32) | int(low, 16)
