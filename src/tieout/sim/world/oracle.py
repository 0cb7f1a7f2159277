"""The oracle: whether the rows that a warehouse shows are the rows that a system has. Plain dictionaries and nothing of
what is tested; it was written apart, from what PostgreSQL's types mean.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

Truth = Mapping[str, Mapping[str, Any]]
"""By key, the row as its system has it: decimals, moments and documents as text."""

_TOLD_MAX: Final = 3


def differences(
    truth: Truth, shown: Sequence[Mapping[str, Any]], *, key: str = "id", documents: Collection[str] = ()
) -> str:
    """What differs, in words; "" where nothing does. Columns that no row of the truth has are not looked at; of
    `documents` what they say as JSON is compared, and not how it is spaced."""
    here = {str(row[key]): row for row in shown}
    told = [f"{at} stands here twice" for at in _doubled(shown, key)]
    told += [f"{at} is missing" for at in sorted(truth.keys() - here.keys())]
    told += [f"{at} is not at the source" for at in sorted(here.keys() - truth.keys())]
    for at in sorted(truth.keys() & here.keys()):
        told += [
            f"{at}.{field} is {here[at].get(field)!r}, at the source {value!r}"
            for field, value in truth[at].items()
            if not same(value, here[at].get(field), is_document=field in documents)
        ]
    more = f", and {len(told) - _TOLD_MAX} more" if len(told) > _TOLD_MAX else ""
    return "; ".join(told[:_TOLD_MAX]) + more


def same(said: Any, shown: Any, *, is_document: bool) -> bool:
    """Whether a value as a system writes it is the value that stands in a table."""
    if said is None or shown is None:
        return said is shown
    match shown:
        case bool():
            return said is shown
        case Decimal():
            return Decimal(str(said)) == shown
        case int():
            return int(said) == shown
        case datetime():
            return _moment(str(said)) == shown.astimezone(UTC)
        case str() if is_document:
            document = _document(str(said))
            return document is not None and bool(document == _document(shown))
        case _:
            return bool(said == shown)


def _doubled(shown: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    keys = [str(row[key]) for row in shown]
    return sorted({at for at in keys if keys.count(at) > 1})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _document(text: str) -> Any:
    """What a text says as JSON, numbers by their digits; None where it is none."""
    try:
        return "", json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return None
