"""GROUP BY: what the rows of a group have in common, a field or the day of a moment in UTC, and how many groups one
answer has."""

from __future__ import annotations

from typing import Final

from ...base.sql import Sql
from .errors import OrgError
from .paths import Resolved
from .schema import Field
from .soql import DAY_ONLY, Item, Query, near

GROUPS_MOST: Final = 2_000
"""There is no further page of groups."""


def is_of_group(query: Query, item: Item) -> bool:
    """Whether the query groups by just this."""
    wanted = (item.path.lower(), item.function)
    return any((each.path.lower(), each.function) == wanted for each in query.group_by)


def group(found: Resolved, item: Item, text: str) -> Sql:
    """What a group is made by."""
    if item.function is None:
        return found.column
    if found.field.type != "datetime":
        message = f"field {found.field.name} does not support aggregate operator DAY_ONLY"
        raise OrgError("MALFORMED_QUERY", f"{near(text, item.at)}{message}")
    return Sql(f"substr({found.column}, 1, 10)")


def grouped_field(found: Resolved, item: Item) -> Field:
    """How its values are written."""
    return Field(found.field.name, "date") if item.function == DAY_ONLY else found.field


def must_fit(groups: int) -> None:
    if groups > GROUPS_MOST:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise OrgError("EXCEEDED_ID_LIMIT", message)
