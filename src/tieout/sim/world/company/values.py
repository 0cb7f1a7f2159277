"""The values that a simulated system writes: plain ones first, then those over which programs have stumbled."""

from __future__ import annotations

from typing import Final

from ..chance import Chance

Value = str | int | bool | None
"""A decimal, a timestamp and a document of JSON stand as their text."""

_TEXTS: Final = (
    "plain",
    "Acme",
    "",
    "Zoë",
    "e\u0301",
    "\U0001f600 grin",
    "a\nb\tc",
    "'; drop table x --",
    "NULL",
    "null",
    "-",
    "4:a|b",
    '"quoted"',
    "\ufeffmark",
    "back\\slash",
    "  spaces  ",
    "\u202etxet",
)
_TIMES: Final = (
    "2026-11-20T12:00:00Z",
    "2026-11-20T12:00:00.123456Z",
    "1969-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-03-29T02:30:00+02:00",
)
_DOCUMENTS: Final = ('{"a":1}', "[]", '{"a": {"b": [null, 1.50, "x"]}}', '"text"', '{"é": "\\u0041"}')
_LONG: Final = " and so on" * 8

TOO_WIDE: Final = "1" * 30 + ".00"
NO_TIME: Final = "0000-13-45T99:00:00Z"
POISONS: Final = frozenset({TOO_WIDE, NO_TIME})
"""Values that no contract takes."""

_POISON_OF: Final = {"decimal(18,2)": TOO_WIDE, "timestamptz": NO_TIME}


def value_of(physical: str, chance: Chance, *, required: bool, wide: bool, poison: float) -> Value:
    """A value of a column of this type; with odds `poison` one that its contract cannot take."""
    if physical in _POISON_OF and chance.happens(poison):
        return _POISON_OF[physical]
    if not required and chance.happens(0.15):
        return None
    if physical == "text":
        text = chance.pick(_TEXTS)
        return f"{chance.below(1000)} {text}{_LONG}" if wide and chance.happens(0.6) else text
    if physical == "json":
        document = chance.pick(_DOCUMENTS)
        return f'{{"n": {chance.below(1000)}, "long": "{_LONG}"}}' if chance.happens(0.6) else document
    if physical == "integer":
        return chance.pick([0, 1, -1, 2**31 - 1, -(2**31), chance.below(1000)])
    if physical == "boolean":
        return chance.happens(0.5)
    if physical == "timestamptz":
        return chance.pick(_TIMES)
    return _decimal(physical, chance)


def _decimal(physical: str, chance: Chance) -> str:
    digits, scale = (int(part) for part in physical.removeprefix("decimal(").removesuffix(")").split(","))
    whole = "9" * (digits - scale)
    return chance.pick(
        [f"{chance.below(10_000)}.{chance.below(100):02}", "0.00", "-0.01", f"{whole}.99", f"-{whole}.99", "1.10"]
    )
