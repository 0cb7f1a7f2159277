"""Values: what is given becomes what is stored, by its field; what is stored is written for each channel.

A text is trimmed, and an empty one is null. A decimal is exact: it is rounded half up to its scale, never through a
binary float.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from .errors import OrgError
from .ids import eighteen
from .schema import DECIMALS, IDS, PICKLISTS, WHOLE, Field, Stored

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_INT_END: Final = 2**31
_E_NOTATION_FROM: Final = Decimal(10**7)


def moment(at: datetime) -> str:
    """A datetime as it is stored: UTC, milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def stamp(at: datetime) -> str:
    """As `moment`, the milliseconds always 000: so the org stamps its rows."""
    return moment(at.replace(microsecond=0))


def parsed(text: str) -> datetime:
    """From a stored datetime, or from one with an offset in any of the ways that the API takes."""
    return datetime.fromisoformat(text).astimezone(UTC)


def epoch_ms(text: str) -> int:
    """Of a stored datetime or date (midnight UTC), as events tell it."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def stored(field: Field, given: object) -> Stored:
    """What the store keeps of a value given for `field`. Raises the error by which Salesforce refuses it."""
    if isinstance(given, str):
        given = given.strip() if field.type != "id" else given
    if given is None or given == "":
        return 0 if field.type == "boolean" else None
    if field.type == "boolean":
        return _boolean(field, given)
    if field.type in WHOLE:
        return _whole(field, given)
    if field.type in DECIMALS:
        return _decimal(field, given)
    if field.type in ("date", "datetime", "time"):
        return _moment(field, given)
    if field.type in IDS:
        return eighteen(str(given))
    return _text(field, given)


def _boolean(field: Field, given: object) -> int:
    if isinstance(given, bool) or given in (0, 1):
        return int(bool(given))
    if isinstance(given, str) and given.lower() in ("true", "false", "0", "1"):
        return int(given.lower() in ("true", "1"))
    raise _wrong(field, given)


def _whole(field: Field, given: object) -> int:
    number = _number(field, given)
    if number != number.to_integral_value() or (field.type == "int" and abs(number) >= _INT_END):
        raise _outside(field)
    return int(number)


def _decimal(field: Field, given: object) -> str:
    number = _number(field, given)
    rounded = number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if rounded and rounded.adjusted() >= field.precision - field.scale:
        raise _outside(field)
    return f"{rounded if rounded else abs(rounded):f}"


def _number(field: Field, given: object) -> Decimal:
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        raise _wrong(field, given) from None
    if not number.is_finite():
        raise _wrong(field, given)
    return number


def _moment(field: Field, given: object) -> str:
    if isinstance(given, datetime):
        return moment(given) if field.type == "datetime" else given.date().isoformat()
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, time):
        return given.isoformat("milliseconds") + "Z"
    text = str(given)
    try:
        if field.type == "date":
            return date.fromisoformat(text).isoformat()
        if field.type == "time":
            return time.fromisoformat(text.removesuffix("Z")).isoformat("milliseconds") + "Z"
        at = datetime.fromisoformat(text)
        return moment(at if at.tzinfo else at.replace(tzinfo=UTC))
    except ValueError:
        raise _wrong(field, given) from None


def _text(field: Field, given: object) -> str | None:
    text = str(given).replace("\x00", "").strip()
    if field.length and len(text) > field.length:
        raise OrgError(
            "STRING_TOO_LONG",
            f"{field.label or field.name}: data value too large: {text} (max length={field.length})",
            fields=[field.name],
        )
    if field.type == "email" and text and not _EMAIL.fullmatch(text):
        name = field.label or field.name
        raise OrgError("INVALID_EMAIL_ADDRESS", f"{name}: invalid email address: {text}", fields=[field.name])
    if field.type in PICKLISTS and field.restricted and text not in {each.value for each in field.picklist}:
        raise OrgError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label or field.name}: bad value for restricted picklist field: {text}",
            fields=[field.name],
        )
    return text or None


def _wrong(field: Field, given: object) -> OrgError:
    name = field.label or field.name
    return OrgError(
        "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{name}: value not of required type: {given}", fields=[field.name]
    )


def _outside(field: Field) -> OrgError:
    name = field.label or field.name
    return OrgError("NUMBER_OUTSIDE_VALID_RANGE", f"{name}: value outside of valid range", fields=[field.name])


def rest(field: Field, value: Stored) -> object:
    """As REST answers it. A decimal is a `Decimal`, to be written as a JSON number with the digits that it has."""
    if value is None:
        return None
    if field.type == "boolean":
        return bool(value)
    if field.type in DECIMALS:
        return _shortest(str(value), field.scale)
    if field.type == "datetime":
        return f"{str(value)[:-1]}+0000"
    return _address(str(value)) if field.type == "address" else value


def _address(parts: str) -> object:
    """The compound from its parts, as JSON; null where all of them are."""
    told = json.loads(parts)
    known = any(value is not None for value in told.values())
    return {"geocodeAccuracy": None, "latitude": None, "longitude": None, **told} if known else None


def plain(field: Field, value: Stored) -> str | None:
    """As a database's text form has it, all digits of a decimal and no zone on a time: for those who compare."""
    if value is None:
        return None
    if field.type == "boolean":
        return "true" if value else "false"
    return str(value).removesuffix("Z") if field.type == "time" else str(value)


def bulk(field: Field, value: Stored) -> str:
    """As a cell of Bulk's CSV has it, before quoting: null is the empty text, a large decimal has an exponent."""
    if value is None:
        return ""
    if field.type == "boolean":
        return "true" if value else "false"
    if field.type in DECIMALS:
        number = _shortest(str(value), field.scale)
        return _with_exponent(number) if field.scale and abs(number) >= _E_NOTATION_FROM else f"{number:f}"
    return str(value)


def _shortest(text: str, scale: int) -> Decimal:
    if not scale or "." not in text:
        return Decimal(text)
    digits = text.rstrip("0")
    return Decimal(digits + "0" if digits.endswith(".") else digits)


def _with_exponent(number: Decimal) -> str:
    """`1.0E7`, `1.2345678E7`: as Java prints a double."""
    digits = "".join(str(each) for each in number.as_tuple().digits).rstrip("0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"
