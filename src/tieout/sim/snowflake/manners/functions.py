"""Calls of functions: to our macros where DuckDB's function of that name does otherwise than Snowflake's."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp  # type: ignore[import-not-found]

from . import macros
from .errors import refusal

_PARTS = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "MON": "%b", "DD": "%d", "DY": "%a", "HH24": "%H", "HH12": "%I", "AM": "%p",
    "MI": "%M", "SS": "%S", "FF9": "%n", "FF6": "%f", "FF3": "%g", "FF": "%n",
}  # fmt: skip
"""Of a format of moments: Snowflake's word and DuckDB's."""

_PART = re.compile("|".join(_PARTS), re.IGNORECASE)
_TEXT = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.NVARCHAR)


def call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _named(node: exp.Expression, new: exp.Expression) -> exp.Expression:
    """In a list of results without a name of its own, it keeps the one that Snowflake gives it."""
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        return exp.alias_(new, node.sql(dialect="snowflake").upper(), quoted=True)
    return new


def extreme(node: exp.Expression) -> exp.Expression:
    """MAX and MIN take no booleans. A macro cannot stand in a window, nor be distinct or filtered."""
    if not isinstance(node, exp.Max | exp.Min) or isinstance(node.this, exp.Distinct):
        return node
    if isinstance(node.parent, exp.Window | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        return node
    return _named(node, call("_FS_MAX" if isinstance(node, exp.Max) else "_FS_MIN", node.this))


def extreme_by(node: exp.Expression) -> exp.Expression:
    """The winning row's value, also when that is null; DuckDB's looks for another row then."""
    if type(node) in (exp.ArgMax, exp.ArgMin) and not node.args.get("count"):
        name = "ARG_MAX_NULL" if isinstance(node, exp.ArgMax) else "ARG_MIN_NULL"
        return _named(node, call(name, node.this, node.expression))
    return node


def element(node: exp.Expression) -> exp.Expression:
    """`p['a key']` and `GET(p, 'a key')`; as text without the quotes of JSON. The key is taken as it is."""
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
        key = node.expressions[0]
    elif isinstance(node, exp.GetExtract):
        key = node.expression
    else:
        return node
    if not isinstance(key, exp.Literal):
        return node
    path = f'$."{key.name}"' if key.is_string else f"$[{key.name}]"
    text = isinstance(node.parent, exp.Cast | exp.TryCast) and node.parent.to.this in _TEXT
    found = call("json_extract_string" if text else "json_extract", node.this, exp.Literal.string(path))
    return _named(node, found)


def listed(node: exp.Expression) -> exp.Expression:
    """Lists are JSON here, as ARRAY is."""
    if isinstance(node, exp.JSONKeys):
        return _named(node, call("to_json", call("json_keys", node.this)))
    if isinstance(node, exp.StrtokToArray) and not isinstance(node.parent, exp.Anonymous):
        return _named(node, call("to_json", node.copy()))
    if isinstance(node, exp.ArrayContains):
        value = node.expression
        return _named(node, call("_FS_ARRAY_CONTAINS", value.this if _is_variant(value) else value, node.this))
    return node


def array(node: exp.Expression) -> exp.Expression:
    """Of values of any types; and back to text."""
    if isinstance(node, exp.Array):
        return _named(node, call("json_array", *node.expressions))
    if isinstance(node, exp.ArrayToString):
        texts = call("from_json", node.this, exp.Literal.string('["VARCHAR"]'))
        return _named(node, call("array_to_string", texts, node.expression))
    return node


def variant(node: exp.Expression) -> exp.Expression:
    """A text made a variant is that text; the engine would read JSON in it."""
    return _named(node, exp.ToVariant(this=node.this)) if _is_variant(node) else node


def _is_variant(node: exp.Expression) -> bool:
    return isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.VARIANT


def octets(node: exp.Expression) -> exp.Expression:
    return _named(node, call("_FS_OCTETS", node.this)) if isinstance(node, exp.ByteLength) else node


def formatted(node: exp.Expression) -> exp.Expression:
    """TO_VARCHAR; fakesnow drops the format."""
    if not isinstance(node, exp.ToChar):
        return node
    value = node.this.transform(formatted)  # what takes another's place is not looked into
    form = node.args.get("format")
    if form is None:
        return _named(node, call("_FS_TEXT", value))
    word = form.name.upper() if form.is_string else ""
    if word == "HEX":
        return _named(node, call("hex", value))
    if word in ("UTF-8", "UTF8"):
        return _named(node, call("decode", value))
    rest = _PART.sub("", word)
    if word and not re.search("[A-Z0-9]", rest.replace('"T"', "").replace('"Z"', "")):
        told = _PART.sub(lambda part: _PARTS[part[0].upper()], form.name).replace('"', "")
        return _named(node, call("_FS_FORMATTED", value, exp.Literal.string(told)))
    raise refusal("unsupported", what=f"TO_VARCHAR with the format '{form.name}' in the stand-in")


def tried(node: exp.Expression) -> exp.Expression:
    """TRY_CAST to a moment, of which fakesnow makes a CAST."""
    if not isinstance(node, exp.TryCast) or node.to.this != exp.DataType.Type.TIMESTAMPNTZ:
        return node
    return _named(node, call("_FS_TRY_TIMESTAMP", node.this))


def instant(node: exp.Expression) -> exp.Expression:
    """TO_TIMESTAMP_LTZ of a number; fakesnow's has no zone, and so is another moment wherever that is not UTC."""
    if not isinstance(node, exp.UnixToTime) or not node.args.get("target_type"):
        return node
    if node.args["target_type"].this != exp.DataType.Type.TIMESTAMPLTZ:
        return node
    scale = node.args.get("scale") or exp.Literal.number(0)
    return _named(node, call("timezone", exp.Literal.string("UTC"), call("_FS_TO_TIMESTAMP", node.this, scale)))


BEFORE: tuple[Callable[[exp.Expression], exp.Expression], ...] = (
    extreme, extreme_by, element, listed, array, variant, octets, formatted, instant, tried,
)  # fmt: skip


def as_text(node: exp.Expression) -> exp.Expression:
    """After all other rewriting: what is left of casts to text."""
    if type(node) is exp.Cast and node.to.this in _TEXT and not node.find_ancestor(exp.Schema):
        return _named(node, call("_FS_TEXT", node.this))
    return node


def no_boolean(text: str) -> str | None:
    """The function that was asked for the greatest boolean, if the engine's error says so."""
    found = re.search(macros.NO_BOOLEAN + r"(\w+)", text)
    return found[1] if found else None
