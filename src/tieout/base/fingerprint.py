"""Fingerprints of rows: the same number for the same values, in whatever engine they lie, so that two engines can be
compared by sums.

A row's fingerprint is the first `DIGITS` hexadecimal digits of the MD5 of its cells' texts, in UTF-8, each cell with a
`|` behind it. A cell is written in one of four forms; of each no two values have the same text, and no cell's text can
run into the next one's. An engine that writes a value otherwise than another costs a look at the row, never a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .types import Kind

DIGITS = 15
"""60 bits: a whole number without a sign in any engine, of which many can be summed."""


class Form(StrEnum):
    """plain: the value's ISO text, nothing for null; never holds the separator
    sized: the number of its bytes, `:`, and the text; only `:` for null
    bits: the eight or four bytes of a floating number, the highest first, in hexadecimal; nothing for null
    bytes: the bytes in hexadecimal behind an `x`; nothing for null
    """

    PLAIN = "plain"
    SIZED = "sized"
    BITS = "bits"
    BYTES = "bytes"


FORMS: Mapping[Kind, Form] = {
    Kind.BOOLEAN: Form.PLAIN,  # t or f
    Kind.INT16: Form.PLAIN,
    Kind.INT32: Form.PLAIN,
    Kind.INT64: Form.PLAIN,
    Kind.DECIMAL: Form.PLAIN,  # with all digits of its scale
    Kind.NUMERIC: Form.PLAIN,
    Kind.FLOAT32: Form.BITS,
    Kind.FLOAT64: Form.BITS,
    Kind.TEXT: Form.SIZED,
    Kind.DATE: Form.PLAIN,
    Kind.TIME: Form.PLAIN,
    Kind.TIMESTAMP: Form.PLAIN,
    Kind.TIMESTAMPTZ: Form.PLAIN,  # in UTC
    Kind.UUID: Form.PLAIN,
    Kind.JSON: Form.SIZED,
    Kind.BINARY: Form.BYTES,
}
