"""Each statement of the set-up as a value; its text is made of these values, quoted by `names.py` and by nothing else.

Running any of them twice is running it once. None can be written here that says a password, or that makes anew what
is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from ...base.sql import Sql, Statements
from .names import Name, Word, text

Value = Name | Word | Sql | str | int | tuple["Value", ...]

_TEXTS = Statements(__package__, "setup.sql")


def expression(name: str, /, **parts: Value) -> Sql:
    """An expression of the file, without the line that says its purpose."""
    _, _, body = _TEXTS(name, **{key: _quoted(value) for key, value in parts.items()}).partition("\n")
    return Sql(body)


def _quoted(value: Value) -> Sql | int:
    match value:
        case Name():
            return value.quoted
        case Word():
            return value.written
        case tuple():
            return Sql(", ".join(str(_quoted(one)) for one in value))
        case Sql() | int():
            return value
        case str():
            return text(value)


@dataclass(frozen=True, slots=True)
class Statement:
    """A plain string in a field becomes a quoted string of the statement, a Name a quoted name."""

    form: ClassVar[str] = ""

    @property
    def text(self) -> Sql:
        return expression(self.form, **{field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True, slots=True)
class CreateRole(Statement):
    form: ClassVar[str] = "create_role"
    role: Name
    comment: str


@dataclass(frozen=True, slots=True)
class GrantRole(Statement):
    form: ClassVar[str] = "grant_role"
    role: Name
    to: Name


@dataclass(frozen=True, slots=True)
class CreateUser(Statement):
    form: ClassVar[str] = "create_user"
    user: Name
    role: Name
    warehouse: Name
    comment: str


@dataclass(frozen=True, slots=True)
class SetUser(Statement):
    """`lock_seconds`: how long its statements wait for a lock."""

    form: ClassVar[str] = "set_user"
    user: Name
    role: Name
    warehouse: Name
    lock_seconds: int


@dataclass(frozen=True, slots=True)
class GrantRoleToUser(Statement):
    form: ClassVar[str] = "grant_role_to_user"
    role: Name
    user: Name


@dataclass(frozen=True, slots=True)
class CreateNetworkPolicy(Statement):
    form: ClassVar[str] = "create_network_policy"
    policy: Name
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetNetworkPolicy(Statement):
    form: ClassVar[str] = "set_network_policy"
    policy: Name
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetUserNetwork(Statement):
    form: ClassVar[str] = "set_user_network"
    user: Name
    policy: Name


@dataclass(frozen=True, slots=True)
class CreateDatabase(Statement):
    form: ClassVar[str] = "create_database"
    database: Name
    retention_days: int
    comment: str


@dataclass(frozen=True, slots=True)
class DropSchema(Statement):
    form: ClassVar[str] = "drop_schema"
    schema: Name


@dataclass(frozen=True, slots=True)
class CreateSchema(Statement):
    """`retention_days`: how long what was deleted stays readable; `extension_days`: how much longer a reader that is
    late may keep it so."""

    form: ClassVar[str] = "create_schema"
    schema: Name
    is_transient: bool
    retention_days: int
    extension_days: int
    comment: str


@dataclass(frozen=True, slots=True)
class SetSchema(Statement):
    form: ClassVar[str] = "set_schema"
    schema: Name
    retention_days: int
    extension_days: int


@dataclass(frozen=True, slots=True)
class CreateWarehouse(Statement):
    """`suspend_seconds`: how long it stays up idle; `statement_seconds`: how long a statement may take."""

    form: ClassVar[str] = "create_warehouse"
    warehouse: Name
    size: str
    suspend_seconds: int
    statement_seconds: int
    comment: str


@dataclass(frozen=True, slots=True)
class SetWarehouse(Statement):
    form: ClassVar[str] = "set_warehouse"
    warehouse: Name
    size: str
    suspend_seconds: int
    statement_seconds: int


@dataclass(frozen=True, slots=True)
class CreateMonitor(Statement):
    """`credits`: a month's; `triggers`: what `triggers` makes."""

    form: ClassVar[str] = "create_monitor"
    monitor: Name
    credits: int
    triggers: Sql


@dataclass(frozen=True, slots=True)
class SetMonitor(Statement):
    form: ClassVar[str] = "set_monitor"
    monitor: Name
    credits: int
    triggers: Sql


@dataclass(frozen=True, slots=True)
class WatchWarehouse(Statement):
    form: ClassVar[str] = "watch_warehouse"
    warehouse: Name
    monitor: Name


@dataclass(frozen=True, slots=True)
class GrantOnAccount(Statement):
    form: ClassVar[str] = "grant_on_account"
    privileges: tuple[Word, ...]
    to: Name


@dataclass(frozen=True, slots=True)
class GrantDatabaseRole(Statement):
    form: ClassVar[str] = "grant_database_role"
    granted: Name
    to: Name


@dataclass(frozen=True, slots=True)
class Grant(Statement):
    form: ClassVar[str] = "grant"
    privileges: tuple[Word, ...]
    kind: Word
    object: Name
    to: Name


@dataclass(frozen=True, slots=True)
class Revoke(Statement):
    form: ClassVar[str] = "revoke"
    privileges: tuple[Word, ...]
    kind: Word
    object: Name
    held_by: Name


@dataclass(frozen=True, slots=True)
class GrantEach(Statement):
    """`which`: ALL that there are, or FUTURE ones; `kinds`: their kind in the plural."""

    form: ClassVar[str] = "grant_each"
    privileges: tuple[Word, ...]
    which: Word
    kinds: Word
    schema: Name
    to: Name


@dataclass(frozen=True, slots=True)
class CreateTag(Statement):
    form: ClassVar[str] = "create_tag"
    tag: Name
    comment: str


@dataclass(frozen=True, slots=True)
class CreateMask(Statement):
    form: ClassVar[str] = "create_mask"
    policy: Name
    type: Word
    body: Sql


@dataclass(frozen=True, slots=True)
class SetMask(Statement):
    form: ClassVar[str] = "set_mask"
    policy: Name
    body: Sql


@dataclass(frozen=True, slots=True)
class SetTagMasks(Statement):
    """`policies`: what `of_tag` makes."""

    form: ClassVar[str] = "set_tag_masks"
    tag: Name
    policies: tuple[Sql, ...]


@dataclass(frozen=True, slots=True)
class CreateEntitlements(Statement):
    form: ClassVar[str] = "create_entitlements"
    table: Name
    comment: str


@dataclass(frozen=True, slots=True)
class CreateRowPolicy(Statement):
    form: ClassVar[str] = "create_row_policy"
    policy: Name
    type: Word
    body: Sql


@dataclass(frozen=True, slots=True)
class SetRowPolicy(Statement):
    form: ClassVar[str] = "set_row_policy"
    policy: Name
    body: Sql


@dataclass(frozen=True, slots=True)
class SetColumnTag(Statement):
    form: ClassVar[str] = "set_column_tag"
    table: Name
    column: Name
    tag: Name
    value: str


@dataclass(frozen=True, slots=True)
class DropRowPolicies(Statement):
    form: ClassVar[str] = "drop_row_policies"
    table: Name


@dataclass(frozen=True, slots=True)
class AddRowPolicy(Statement):
    form: ClassVar[str] = "add_row_policy"
    table: Name
    policy: Name
    column: Name


@dataclass(frozen=True, slots=True)
class CreateView(Statement):
    """`rows`: a condition on the rows that are shown, or "" for all that live."""

    form: ClassVar[str] = "create_view"
    view: Name
    columns: tuple[Name, ...]
    table: Name
    deleted: Name
    rows: Sql


def triggers(*, notify: Iterable[int], suspend: int, kill: int) -> Sql:
    """At which percent of a quota somebody is told, the warehouse stops after what runs, and stops at once."""
    deeds = [*((percent, "NOTIFY") for percent in notify), (suspend, "SUSPEND"), (kill, "SUSPEND_IMMEDIATE")]
    return Sql(" ".join(expression("trigger", percent=percent, deed=Word(deed)) for percent, deed in deeds))


def of_tag(policies: Iterable[Name]) -> tuple[Sql, ...]:
    return tuple(expression("masking_policy", policy=policy) for policy in policies)


def grant(privileges: Sequence[str], kind: str, object_: Name, to: Name) -> Grant:
    return Grant(words(privileges), Word(kind), object_, to)


def words(texts: Sequence[str]) -> tuple[Word, ...]:
    return tuple(Word(one) for one in texts)
