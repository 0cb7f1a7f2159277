"""Record ids: a prefix that tells the object, a number in base 62, and a checksum of the letters' case.

15 characters tell a record if case counts; the three more make it one where case is lost. `0-9A-Za-z` is also the order
of the characters, so ids sort by when they were given out.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from .errors import OrgError

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_NUMBER_DIGITS: Final = 9
_ALLOWED: Final = frozenset(_DIGITS)


def checksum(fifteen: str) -> str:
    """Per group of five characters a number whose bit k, the lowest first, says that character k is a capital."""
    groups = (fifteen[at : at + 5] for at in (0, 5, 10))
    return "".join(_CHECKSUM[sum(1 << bit for bit, char in enumerate(group) if "A" <= char <= "Z")] for group in groups)


def eighteen(record: str) -> str:
    """An id in its full form, whichever form it was given in; one whose case was lost is mended by its checksum."""
    if len(record) not in (15, 18) or not _ALLOWED.issuperset(record):
        raise OrgError("MALFORMED_ID", f"malformed id {record}")
    if len(record) == 15:
        return record + checksum(record)
    if record[15:] == checksum(record[:15]):
        return record
    return _recased(record)


def is_id(text: str) -> bool:
    try:
        eighteen(text)
    except OrgError:
        return False
    return True


def _recased(record: str) -> str:
    bits = [_CHECKSUM.find(char) for char in record[15:].upper()]
    if min(bits) < 0:
        raise OrgError("MALFORMED_ID", f"malformed id {record}")
    chars = (char.upper() if bits[at // 5] >> at % 5 & 1 else char.lower() for at, char in enumerate(record[:15]))
    mended = "".join(chars)
    return mended + checksum(mended)


def between(first: str, last: str, share: float) -> str:
    """Text that stands where an id would, so far of the way (0 to 1) from one id to another."""
    start, end = (_number(each[6:15]) for each in (first, last))
    return first[:6] + _written(start + int((end - start) * share))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + _DIGITS.index(digit)
    return number


def _written(number: int) -> str:
    digits = ""
    for _ in range(_NUMBER_DIGITS):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


class Ids:
    """Gives out ids, each once. `instance` are the three characters that tell where the org lives."""

    def __init__(self, *, instance: str = "5f0", first: int = 1) -> None:
        self._instance = instance
        self._given: defaultdict[str, int] = defaultdict(lambda: first - 1)

    def next(self, prefix: str) -> str:
        self._given[prefix] += 1
        return self._written(prefix, self._given[prefix])

    def many(self, prefix: str, count: int) -> list[str]:
        before = self._given[prefix]
        self._given[prefix] += count
        return [self._written(prefix, before + 1 + at) for at in range(count)]

    def _written(self, prefix: str, number: int) -> str:
        fifteen = prefix + self._instance + _written(number)
        return fifteen + checksum(fifteen)
