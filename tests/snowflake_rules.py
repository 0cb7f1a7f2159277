"""What Snowflake would refuse, quietly get wrong or keep for ever, and its stand-in lets pass: held over what is sent.

`Watched` wraps a connection of the driver. Each statement is looked at before it runs; one that breaks a rule fails the
test that sent it. The rules stand in RULES, each with its reason, and each is proven by a planted statement.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tieout.base.codec import sha256_hex
from tieout.base.order import MOMENT_WIDTH, PLACE_WIDTH, TOKEN_WIDTH
from tieout.merge.snowflake.naming import folded

RULES = {
    "transaction": "DDL commits whatever is open: half of a merge would stand",
    "pairs": "a transaction that is left open holds its locks; a commit of nothing is a commit that was lost",
    "parameters": "Snowflake's own defaults guess, wait for half a day, and bill to nobody",
    "source": "two source rows for one target row are an error in MERGE, either in UPDATE, and two rows where none was",
    "keys": "keys are declared and not enforced, so nothing may stand on them",
    "copy": "a name that once meant another file is loaded twice, or not at all",
    "literals": "the text of a statement stands in the account's history for a year, also when the row was erased",
    "again": "DDL commits by itself, so whoever is killed behind it sends it again",
}

_STATEMENTS = Path(__file__).parents[1] / "src" / "tieout"
_TOKENS = re.compile(r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_DDL = re.compile(r"(create|alter|drop|truncate|grant|revoke|comment|undrop)\b", re.IGNORECASE)
_CHANGES = re.compile(r"(insert|update|delete|merge|copy|create|alter|drop|truncate)\b", re.IGNORECASE)
_SHOWS = re.compile(r"show\b|select system\$abort_transaction\b", re.IGNORECASE)
"""They take no value that is bound, and speak of names and of transactions alone."""
_BEGINS = frozenset({"begin", "insert", "update", "delete", "merge", "copy"})
_KEYS = re.compile(r"\b(primary\s+key|unique|foreign\s+key|references|rely|on\s+conflict)\b", re.IGNORECASE)
_AGAIN = re.compile(
    r"create\s+\w+(\s+\w+)?\s+if\s+not\s+exists\s|create\s+or\s+replace\s+temporary\s|drop\s+\w+\s+if\s+exists\s"
    r"|create\s+or\s+replace\s+table\s+\S+\s+clone\s|alter\s+table\s+\S+\s+drop\s+column\s+if\s+exists\s"
    r"|alter\s+table\s+(if\s+exists\s+)?\S+\s+(add\s+column\s+if\s+not\s+exists|alter\s+column\s+\S+\s+set\s+data\s+type)\s",
    re.IGNORECASE,
)
_COPY = re.compile(r"copy\s+into\s+\S+\s+from\s+@\S*?([^/\s]+)\s", re.IGNORECASE)
_PUT = re.compile(r"put\s+'file://(.*?)'\s", re.IGNORECASE)
_NAMED = re.compile(r"([0-9a-f]{64})\.parquet")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_SIZED = re.compile(r"\b(number|decimal|timestamp_\w+|time|varchar)\s*\([\d\s,]+\)|\blimit\s+\d+", re.IGNORECASE)
_ALIASED = re.compile(r"^\s*(\S+|\(.*\))\s+(?:as\s+)?(\w+)\s*$", re.DOTALL | re.IGNORECASE)
_CONDITION = re.compile(r"(\w+)\.(\"[^\"]+\"|\w+)\s*=\s*(\w+)\.(\"[^\"]+\"|\w+)")

PARAMETERS: dict[str, Callable[[str], bool]] = {
    "TIMEZONE": lambda value: value == "UTC",
    "QUERY_TAG": lambda value: _names_its_work(value),
    "STATEMENT_TIMEOUT_IN_SECONDS": lambda value: 0 < int(value) <= 4 * 3_600,
    "LOCK_TIMEOUT": lambda value: 0 < int(value) <= 600,
    "ERROR_ON_NONDETERMINISTIC_MERGE": lambda value: value.lower() == "true",
    "ERROR_ON_NONDETERMINISTIC_UPDATE": lambda value: value.lower() == "true",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": lambda value: value.lower() == "false",
    "ABORT_DETACHED_QUERY": lambda value: value.lower() == "true",
    "USE_CACHED_RESULT": lambda value: value.lower() == "false",
    "AUTOCOMMIT": lambda value: value.lower() == "false",
}
"""What every session has to be set to."""


class RuleBroken(AssertionError):
    """`rule` is one of RULES."""

    def __init__(self, rule: str, found: str) -> None:
        super().__init__(f"{rule}: {found} ({RULES[rule]})")
        self.rule = rule


@dataclass
class Rules:
    """What is known beside a single statement: of all sessions that are watched together."""

    staged: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    broken: list[RuleBroken] = field(default_factory=list)
    sent: deque[str] = field(default_factory=lambda: deque(maxlen=10_000))

    def look(self, text: str, *, is_open: bool) -> None:
        """At the text of one statement. Raises RuleBroken."""
        statement = Statement.of(text)
        self.sent.append(text)
        self.names |= statement.names
        for look in (self._transaction, self._keys, self._put, self._copy, self._literals, self._again):
            look(statement, is_open)

    def fail(self, rule: str, found: str) -> RuleBroken:
        self.broken.append(RuleBroken(rule, found))
        return self.broken[-1]

    def _transaction(self, said: Statement, is_open: bool) -> None:
        if is_open and _DDL.match(said.bare):
            raise self.fail("transaction", f"{said.beginning} within a transaction")

    def _keys(self, said: Statement, is_open: bool) -> None:
        if found := _KEYS.search(said.bare):
            raise self.fail("keys", f"{found[0]!r} in {said.beginning}")

    def _put(self, said: Statement, is_open: bool) -> None:
        if (put := _PUT.match(said.text)) is None:
            return
        file, named = Path(put[1]), _NAMED.fullmatch(Path(put[1]).name)
        if named is None or sha256_hex(file.read_bytes()) != named[1]:
            raise self.fail("copy", f"{file.name} is not named by the hash of its bytes")
        self.staged.add(named[1])

    def _copy(self, said: Statement, is_open: bool) -> None:
        if not re.match(r"copy\b", said.bare, re.IGNORECASE):
            return
        copy = _COPY.match(said.bare)
        named = copy and _NAMED.fullmatch(copy[1])
        if not named or named[1] not in self.staged:
            raise self.fail("copy", f"{said.beginning} from a file that nobody staged under the hash of its bytes")
        if "on_error = abort_statement" not in said.bare:
            raise self.fail("copy", f"{said.beginning} may leave rows out")

    def _literals(self, said: Statement, is_open: bool) -> None:
        # What a person asks is theirs to write; what is ours begins with its purpose, or changes something.
        if not (_CHANGES.match(said.bare) or said.text.lstrip().startswith("--")) or _SHOWS.match(said.bare):
            return
        for one in said.texts:
            if one not in _ours()[0] and not self._is_name(one):
                raise self.fail("literals", f"{one!r} in {said.beginning}")
        for number in _NUMBER.findall(_SIZED.sub(" ", said.bare)):
            if number not in _ours()[1]:
                raise self.fail("literals", f"{number} in {said.beginning}")

    def _is_name(self, text: str) -> bool:
        """Whether it is the name of a column that a statement had as its identifier, or how that begins in JSON."""
        named = json.loads(text[:-1]) if re.fullmatch(r'"(?:[^"\\]|\\.)*":', text) else text
        return str(folded(named)) in self.names if named else False

    def _again(self, said: Statement, is_open: bool) -> None:
        if _DDL.match(said.bare) and not _AGAIN.match(said.bare + " "):
            raise self.fail("again", f"{said.beginning} cannot be sent twice")


@dataclass(frozen=True)
class Statement:
    """`bare`: without comments, and each string and quoted name shortened to its quotes. `texts`: what stood in the
    strings. `names`: the quoted names, as they were written."""

    text: str
    bare: str
    texts: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Statement:
        texts: list[str] = []
        names: set[str] = set()

        def shortened(match: re.Match[str]) -> str:
            token = match[0]
            if token.startswith("'"):
                texts.append(re.sub(r"\\(.)", r"\1", token[1:-1].replace("''", "'")))
                return "''"
            if token.startswith('"'):
                names.add(token)
                return '"x"'
            return " "

        bare = _TOKENS.sub(shortened, text).strip()
        names |= {f'"{part}"' for name in names for part in name.strip('"').split('"."')}
        # A file's path is no value of a row.
        return cls(text, bare, () if bare.lower().startswith("put ") else tuple(texts), frozenset(names))

    @property
    def beginning(self) -> str:
        return repr(" ".join(self.bare.split())[:60])


@cache
def _ours() -> tuple[frozenset[str], frozenset[str]]:
    """The strings and the numbers that stand in the statements' own files, and the widths that are put into them."""
    found = [Statement.of(file.read_text(encoding="utf-8")) for file in _STATEMENTS.rglob("*.sql")]
    numbers = {number for each in found for number in _NUMBER.findall(each.bare)}
    widths = {str(width) for width in (MOMENT_WIDTH, PLACE_WIDTH, TOKEN_WIDTH)}
    # The sides, and from when on days and times of day are counted in the state's hash.
    constants = {"live", "shadow", "1970-01-01", "00:00:00"}
    return frozenset(text for each in found for text in each.texts) | constants, frozenset(numbers | widths)


def _names_its_work(tag: str) -> bool:
    try:
        told = json.loads(tag)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("tool") == "tieout" and len(told) > 1


class Watched:
    """A connection of the driver, under the rules."""

    def __init__(self, connection: Any, rules: Rules) -> None:
        self._connection = connection
        self.rules = rules
        self.is_open = False
        rows = connection.cursor().execute("show parameters in session").fetchall()
        has = {row[0]: row[1] for row in rows}
        for name, is_right in PARAMETERS.items():
            if not is_right(str(has[name])):
                raise rules.fail("parameters", f"{name} is {has[name]!r}")

    def cursor(self) -> WatchedCursor:
        return WatchedCursor(self, self._connection.cursor())

    def asked(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """By the watch itself."""
        return list(self._connection.cursor().execute(statement, values or None).fetchall())

    def close(self) -> None:
        self._connection.close()
        if self.is_open:
            raise self.rules.fail("pairs", "a session ends and leaves its transaction open")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class WatchedCursor:
    def __init__(self, on: Watched, cursor: Any) -> None:
        self._on = on
        self._cursor = cursor

    def __enter__(self) -> WatchedCursor:
        return self

    def __exit__(self, *told: object) -> None:
        self._cursor.close()

    def execute(self, text: str, values: Sequence[Any] | None = None, **options: Any) -> Any:
        on = self._on
        on.rules.look(text, is_open=on.is_open)
        if source := source_of(text):
            _look_at_source(on, text, source, list(values or ()))
        word = Statement.of(text).bare.split(maxsplit=1)[0].lower().rstrip(";")
        if word == "begin" and on.is_open:
            raise on.rules.fail("pairs", "begin within a transaction")
        if word in ("commit", "rollback"):
            if not on.is_open:
                raise on.rules.fail("pairs", f"{word} without begin")
            # Whatever comes of it: nobody asks this session for the transaction again.
            on.is_open = False
        self._cursor.execute(text, values, **options)
        # Nothing is committed by itself: a change begins a transaction too.
        on.is_open = on.is_open or word in _BEGINS
        return self

    def fetchall(self) -> Any:
        return self._cursor.fetchall()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@dataclass(frozen=True)
class Source:
    """Of a MERGE or an UPDATE: what its rows come from, their columns that are compared with the target's, and the
    places of the values that are bound within it."""

    rows: str
    alias: str
    columns: tuple[str, ...]
    first: int
    count: int


def source_of(text: str) -> Source | None:
    """None where nothing is joined. Raises RuleBroken when it cannot be told what is."""
    blank = _blanked(text)
    word = blank.split(maxsplit=1)[0].lower() if blank.strip() else ""
    if word == "merge" and not re.search(r"\bwhen\s+matched\b", blank, re.IGNORECASE):
        return None  # it adds what is not there, however many rows that are: notes of one moment, say
    if word == "merge":
        begin, on, end = _at(blank, "using"), _at(blank, "on"), _at(blank, "when")
    elif word == "update" and (from_ := _at(blank, "from")) is not None:
        begin, on, end = from_, _at(blank, "where"), (len(text), len(text))
    else:
        return None
    if begin is None or on is None or end is None:
        raise RuleBroken("source", f"it cannot be told what {text[:60]!r} joins")
    aliased = _ALIASED.match(text[begin[1] : on[0]])
    pairs = _CONDITION.findall(text[on[1] : end[0]])
    columns = {
        column
        for one, left, other, right in pairs
        for alias, column in ((one, left), (other, right))
        if aliased and alias == aliased[2] and one != other
    }
    if aliased is None or not columns:
        raise RuleBroken("source", f"it cannot be told by what key {text[:60]!r} joins")
    first = blank[: begin[1]].count("?")
    return Source(aliased[1], aliased[2], tuple(sorted(columns)), first, blank[begin[1] : on[0]].count("?"))


def _look_at_source(on: Watched, text: str, source: Source, values: list[Any]) -> None:
    columns = ", ".join(f"{source.alias}.{column}" for column in source.columns)
    present = " and ".join(f"{source.alias}.{column} is not null" for column in source.columns)
    twice = (
        f"select count(*) from (select {columns} from {source.rows} as {source.alias} where {present}"
        f" group by {columns} having count(*) > 1)"
    )
    (count,) = on.asked(twice, values[source.first : source.first + source.count])[0]
    if count:
        raise on.rules.fail("source", f"{count} keys come twice in {' '.join(text.split())[:80]!r}")


def _blanked(text: str) -> str:
    """As long as the text, with blanks in the place of strings, quoted names and comments, and of all in parentheses
    but the `?` in them."""
    plain = _TOKENS.sub(lambda match: " " * len(match[0]), text)
    depth, out = 0, []
    for sign in plain:
        depth -= sign == ")"
        out.append(sign if depth == 0 or sign == "?" else " ")
        depth += sign == "("
    return "".join(out)


def _at(blank: str, word: str) -> tuple[int, int] | None:
    found = re.search(rf"\b{word}\b", blank, re.IGNORECASE)
    return None if found is None else found.span()
