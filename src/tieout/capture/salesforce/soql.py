"""Questions in SOQL. Values in, text out: names come from describe; values are written as literals only here.

No question has an order unless it is asked for: with one, Bulk reads in a single piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from ...base.errors import Broken, Misconfigured
from .describe import ID, SField, SObject
from .ids import to18

URI_BYTES_MAX = 16_384
"""The service's own bound, for the address and the headers together."""
SOQL_CHARS_MAX = 100_000

_HEAD_BYTES = 3_072
"""Of it, what is left to headers (a token has up to 2,000 bytes) and to the path before the question."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")


def id_literal(id_: str) -> str:
    """Raises Rejected for what is no id."""
    return f"'{to18(id_)}'"


def moment_literal(seconds: int) -> str:
    """A second since 1970, in UTC and without quotes."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def select(fields: Sequence[SField], sobject: SObject, where: str = "") -> str:
    """These fields of all rows, or of those that fulfil `where`."""
    names = ", ".join(_name(field.name) for field in fields)
    return _asked(names, sobject, where)


def window(sobject: SObject, fields: Sequence[SField], since: int, until: int | None = None) -> str:
    """Rows whose stamp is `since` or later, and before `until`."""
    return select(fields, sobject, within(sobject, since, until))


def within(sobject: SObject, since: int, until: int | None = None) -> str:
    """The condition of a window. Raises Misconfigured where the object's rows bear no stamp."""
    if sobject.stamp is None:
        raise Misconfigured(
            f"rows of {sobject.api_name} do not say when they were changed.",
            hint=f"Leave {sobject.api_name} out, or let the user see its SystemModstamp.",
        )
    stamp = _name(sobject.stamp)
    lower = f"{stamp} >= {moment_literal(since)}"
    return lower if until is None else f"{lower} AND {stamp} < {moment_literal(until)}"


def ordered(question: str, sobject: SObject) -> str:
    """The same by stamp and id. For REST alone."""
    by = ID if sobject.stamp is None else f"{_name(sobject.stamp)}, {ID}"
    return f"{question} ORDER BY {by}"


def count(sobject: SObject, where: str = "") -> str:
    return _asked("COUNT()", sobject, where)


def counted(sobject: SObject, by: str, sums: Sequence[str], where: str = "") -> str:
    """Per day of a moment, in UTC: the day (`d`), how many rows there are (`n`), the last moment (`m`), and what
    columns sum to (`s0`, `s1`, ...). An answer has 2,000 days at most, and no further page. For REST alone."""
    moment = _name(by)
    told = [f"DAY_ONLY({moment}) d", "COUNT(Id) n", f"MAX({moment}) m"]
    told += [f"SUM({_name(column)}) s{at}" for at, column in enumerate(sums)]
    return f"{_asked(', '.join(told), sobject, where)} GROUP BY DAY_ONLY({moment})"


def earliest(sobject: SObject, by: str, where: str = "") -> str:
    """The least value of a column, in one row. For REST alone."""
    return f"{_asked(_name(by), sobject, where)} ORDER BY {_name(by)} LIMIT 1"


def both(*conditions: str) -> str:
    return " AND ".join(filter(None, conditions))


def ids_each(fields: Sequence[SField], sobject: SObject) -> int:
    """How many ids one question has room for that is asked in an address; 0: the fields alone are too many."""
    room = URI_BYTES_MAX - _HEAD_BYTES - len(quote(select(fields, sobject, f"{ID} IN ()"), safe=""))
    return max(0, room // len(quote(f"{id_literal('0' * 15)},", safe="")))


def by_ids(fields: Sequence[SField], sobject: SObject, ids: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Questions for these ids, each short enough for an address, and the ids that it asks for. Raises Misconfigured
    where the fields alone are too many: these are read by Bulk, or by `retrieve`."""
    each = ids_each(fields, sobject)
    if not each:
        raise Misconfigured(
            f"{sobject.api_name} has {len(fields)} fields: too many names to ask for by id in one address.",
            hint=f"Let the integration user see fewer fields of {sobject.api_name}.",
        )
    for start in range(0, len(ids), each):
        group = tuple(ids[start : start + each])
        yield select(fields, sobject, f"{ID} IN ({','.join(map(id_literal, group))})"), group


def permission_sets(user_id: str) -> str:
    """What the user's permission sets, of which its profile is one, let it see and change."""
    rights = "PermissionsViewAllData, PermissionsModifyAllData"
    return " ".join(["SELECT", rights, "FROM PermissionSet WHERE Id IN", _its_sets(user_id)])


def viewed_whole(user_id: str) -> str:
    """Objects of which its permission sets let the user see every row."""
    chosen = "FROM ObjectPermissions WHERE PermissionsViewAllRecords = true AND ParentId IN"
    return " ".join(["SELECT SobjectType", chosen, _its_sets(user_id)])


def _its_sets(user_id: str) -> str:
    return f"(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {id_literal(user_id)})"


def fits(question: str) -> bool:
    """Whether the service takes it in an address; else it is one for Bulk."""
    return len(quote(question, safe="")) <= URI_BYTES_MAX - _HEAD_BYTES


def _asked(what: str, sobject: SObject, where: str) -> str:
    parts = ["SELECT", what, "FROM", _name(sobject.api_name), *(["WHERE", where] if where else [])]
    question = " ".join(parts)
    if len(question) > SOQL_CHARS_MAX:
        raise Misconfigured(
            f"{sobject.api_name} cannot be asked for in one question: it has {len(question)} characters.",
            hint=f"Let the integration user see fewer fields of {sobject.api_name}.",
        )
    return question


def _name(text: str) -> str:
    """As describe told it. Another shape would be a question of somebody else's."""
    if not _NAME.fullmatch(text):
        raise Broken(f"{text!r} is no name in SOQL.")
    return text
