"""SOQL, as far as the org understands it: text -> `Query`. What the names mean `paths.py` knows.

SELECT of fields (through relationships too), COUNT(), COUNT(f), MIN(f), MAX(f), SUM(f), AVG(f) and FIELDS(ALL);
FROM one object; WHERE with AND, OR, NOT, = != <> < <= > >= LIKE, IN and NOT IN; GROUP BY of fields and DAY_ONLY(f);
ORDER BY; LIMIT; OFFSET.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from .errors import OrgError

Part = TypeVar("Part")

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4,}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][\w.]*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS: Final = {"=", "!=", "<>", "<", "<=", ">", ">="}
DAY_ONLY: Final = "day_only"
"""Of a moment its day, for groups alone."""
_FUNCTIONS: Final = {"count", "count_distinct", "min", "max", "sum", "avg", DAY_ONLY}
_NESTED_MOST: Final = 50
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. `kind`: text, date, datetime, number, boolean, null or relative (`TODAY`, `LAST_N_DAYS:3`)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """What is selected, grouped or ordered by: a path (`Account.Name`), maybe within a function; `at` is where it
    stands in the query's text."""

    path: str
    function: str | None = None
    alias: str | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    path: str
    operator: str
    """`=`, `!=`, `<`, `<=`, `>`, `>=`, `like`, `in`, `not in`."""
    values: tuple[Value, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Combined:
    """`and` and `or` of two or more parts, `not` of one."""

    how: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Combined


@dataclass(frozen=True, slots=True)
class Ordering:
    path: str
    descending: bool
    nulls_last: bool
    at: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    items: tuple[Item, ...]
    object: str
    where: Condition | None = None
    group_by: tuple[Item, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def is_count(self) -> bool:
        """`SELECT COUNT()`: answered by `totalSize` alone."""
        return len(self.items) == 1 and self.items[0].function == "count" and not self.items[0].path

    @property
    def is_aggregate(self) -> bool:
        return bool(self.group_by) or any(item.function for item in self.items)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Raises MALFORMED_QUERY."""
    return _Parser(text).query()


def near(text: str, at: int) -> str:
    """The query with a caret under the place, as the messages begin that blame one."""
    start = max(text.rfind("\n", 0, at) + 1, at - 60)
    line = text[start : at + 40].split("\n")[0]
    row, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return f"\n{line}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n"


def plain(quoted: str) -> str:
    """A quoted string's value."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[1:-1], flags=re.DOTALL)


def pattern(quoted: str) -> str:
    """A LIKE's pattern: `\\%` and `\\_` stay escaped, by a backslash."""
    kept = {"%": "\\%", "_": "\\_", "\\": "\\\\"}
    return re.sub(
        r"\\(.)", lambda found: kept.get(found[1]) or _ESCAPES.get(found[1], found[1]), quoted[1:-1], flags=re.DOTALL
    )


def written(fields: str, entity: str, where: str = "") -> str:
    """A query's text, from what an admin would type."""
    return " ".join(["SELECT", fields, "FROM", entity, *(["WHERE", where] if where else [])])


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut())
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._word("select")
        items = self._list(self._item)
        self._word("from")
        entity = self._name().text
        where = self._condition() if self._took("where") else None
        group_by = self._list(self._grouped) if self._took("group", "by") else ()
        order_by = self._list(self._ordering) if self._took("order", "by") else ()
        limit = self._count() if self._took("limit") else None
        offset = self._count() if self._took("offset") else 0
        if self._token().kind != "end":
            raise self._unexpected()
        return Query(self._text, items, entity, where, group_by, order_by, limit, offset)

    def _cut(self) -> list[_Token]:
        tokens, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None or found.lastgroup is None:
                place = at + len(self._text[at:]) - len(self._text[at:].lstrip())
                raise OrgError("MALFORMED_QUERY", f"{near(self._text, place)}line 1:{place} no viable alternative")
            tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            at = found.end()
        return [*tokens, _Token("end", "<EOF>", len(self._text))]

    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._token()
        self._at += token.kind != "end"
        return token

    def _is(self, word: str, ahead: int = 0) -> bool:
        at = self._at + ahead
        token = self._tokens[min(at, len(self._tokens) - 1)]
        return token.kind in ("word", "sign") and token.text.lower() == word

    def _took(self, *words: str) -> bool:
        if not all(self._is(word, ahead) for ahead, word in enumerate(words)):
            return False
        self._at += len(words)
        return True

    def _word(self, word: str) -> None:
        if not self._took(word):
            raise self._unexpected()

    def _unexpected(self) -> OrgError:
        token = self._token()
        shown = "'<EOF>'" if token.kind == "end" else f"'{token.text}'"
        return OrgError("MALFORMED_QUERY", f"{near(self._text, token.at)}unexpected token: {shown}")

    def _name(self) -> _Token:
        if self._token().kind != "word":
            raise self._unexpected()
        return self._next()

    def _count(self) -> int:
        if not self._token().text.isdigit():
            raise self._unexpected()
        return int(self._next().text)

    def _list(self, one: Callable[[], Part]) -> tuple[Part, ...]:
        items = [one()]
        while self._took(","):
            items.append(one())
        return tuple(items)

    def _grouped(self) -> Item:
        token = self._name()
        if token.text.lower() != DAY_ONLY or not self._took("("):
            return Item(token.text, at=token.at)
        path = self._name().text
        self._word(")")
        return Item(path, DAY_ONLY, at=token.at)

    def _item(self) -> Item:
        token = self._name()
        if not self._took("("):
            return Item(token.text, at=token.at)
        function = token.text.lower()
        if function not in _FUNCTIONS and function != "fields":
            raise OrgError("MALFORMED_QUERY", f"{near(self._text, token.at)}unexpected token: '('")
        path = "" if self._is(")") else self._name().text
        self._word(")")
        alias = self._next().text if self._token().kind == "word" and not self._is("from") else None
        return Item(path, function, alias, token.at)

    def _ordering(self) -> Ordering:
        token = self._name()
        descending = self._took("desc")
        if not descending:
            self._took("asc")
        last = self._took("nulls", "last")
        if not last:
            self._took("nulls", "first")
        return Ordering(token.text, descending, last, token.at)

    def _condition(self) -> Condition:
        """Salesforce wants brackets where AND and OR meet; so do we."""
        self._depth += 1
        if self._depth > _NESTED_MOST:
            raise self._unexpected()
        parts, how = [self._operand()], None
        while self._is("and") or self._is("or"):
            word = self._token().text.lower()
            if how not in (None, word):
                raise self._unexpected()
            how = word
            self._next()
            parts.append(self._operand())
        self._depth -= 1
        return parts[0] if how is None else Combined(how, tuple(parts))

    def _operand(self) -> Condition:
        if self._took("not"):
            return Combined("not", (self._operand(),))
        if self._took("("):
            inner = self._condition()
            self._word(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._name()
        if self._took("not", "in"):
            return Comparison(field.text, "not in", self._values(), field.at)
        if self._took("in"):
            return Comparison(field.text, "in", self._values(), field.at)
        if self._took("like"):
            if self._token().kind != "text":
                raise self._unexpected()
            return Comparison(field.text, "like", (self._value(),), field.at)
        sign = self._next()
        if sign.text not in _SIGNS:
            self._at -= 1
            raise self._unexpected()
        return Comparison(field.text, "!=" if sign.text == "<>" else sign.text, (self._value(),), field.at)

    def _values(self) -> tuple[Value, ...]:
        self._word("(")
        values: tuple[Value, ...] = self._list(self._value)
        self._word(")")
        return values

    def _value(self) -> Value:
        token = self._token()
        if token.kind in ("text", "date", "datetime", "number"):
            return Value(token.kind, self._next().text)
        word = token.text.lower()
        if token.kind != "word":
            raise self._unexpected()
        self._next()
        if word in ("true", "false"):
            return Value("boolean", word)
        if word == "null":
            return Value("null", word)
        if word in ("today", "yesterday", "tomorrow") or word.startswith(("last_n_days:", "next_n_days:")):
            return Value("relative", word)
        self._at -= 1
        raise self._unexpected()
