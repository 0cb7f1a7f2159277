"""Ids of rows: 15 characters whose case counts, and three behind them that say which of them are capitals.

With those three, two ids differ even where a store does not tell cases apart. Every id is written with them here.
"""

from __future__ import annotations

import re

from ...base.errors import Rejected

_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BARE = 15
_GROUP = 5

ID_WIDTH = 18


def to18(text: str) -> str:
    """The id with its last three characters. Raises Rejected for what is none, or bears the wrong three."""
    if not _SHAPE.fullmatch(text):
        raise Rejected(f"{text!r} is no id of Salesforce.", hint="An id has 15 or 18 letters and digits.")
    whole = text[:_BARE] + _suffix(text[:_BARE])
    if len(text) == ID_WIDTH and text != whole:
        raise Rejected(
            f"{text!r} is no id of Salesforce: its last three characters say that it was written otherwise.",
            hint="Look whether something on its way has changed its letters between upper and lower case.",
        )
    return whole


def is_id(text: str) -> bool:
    """Whether it is an id, of 15 characters or of 18 that agree with each other."""
    return bool(_SHAPE.fullmatch(text)) and (len(text) == _BARE or text[_BARE:] == _suffix(text[:_BARE]))


def _suffix(bare: str) -> str:
    groups = (bare[start : start + _GROUP] for start in range(0, _BARE, _GROUP))
    return "".join(
        _SUFFIX[sum(1 << place for place, each in enumerate(group) if "A" <= each <= "Z")] for group in groups
    )
