"""Old names answered from new tables in Snowflake, where no transaction holds several changes of names.

So a view is made ready under a name beside, with the old table's readers, before anything changes for anybody; then
table and view change places by one statement of ours. Whoever is killed leaves each name with the one or the other, and
what was left ready is made anew, or dropped, by the next deed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from ...base.errors import Broken, Misconfigured
from ...base.sql import Sql, Statements, escaped_literal, name
from ..names import BESIDE, MARK, Answer, Standing, refuse_to_restore, refuse_to_switch
from .naming import fold, folded
from .session import Session

READY = "__after"
"""What is behind an old name in the name of a view that is about to take its place, or has left it."""

_READS = {"OWNERSHIP": Sql("select"), "SELECT": Sql("select"), "REFERENCES": Sql("references")}
"""What lets one read a table, and what that is of a view."""
_ROLES = {"ROLE": Sql("role"), "DATABASE_ROLE": Sql("database role")}
_SQL = Statements(__package__, "names.sql")


class SnowflakeNames:
    """Implements `Names` with a session of its own."""

    def __init__(self, open_: Callable[[], Session], schema: str) -> None:
        self._schema = schema
        self._session = open_()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def has(self, schema: str, table: str) -> bool:
        return fold(table) in self._relations(schema)

    def switch(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        standing = self._standing([one.name for one in answers])
        refuse_to_switch(self._schema, standing)
        self._make_schema()
        waiting = [one for one in answers if not standing[one.name].is_ours]
        for one in waiting:
            self._make_ready(one, standing[one.name])
        aside = tuple(one.name for one in waiting if standing[one.name].kind == "table")
        for one in waiting:
            if one.name in aside:
                self._at_once("take_over", one.name)
            else:
                self._rename("rename_view", one.name, READY)
        for one in answers:
            if standing[one.name].is_ours:
                self._answer(one, self._name(one.name))
        return aside

    def restore(self, names: Sequence[str]) -> tuple[str, ...]:
        standing = self._standing(names)
        refuse_to_restore(self._schema, standing)
        self._clear(names)
        back = tuple(old for old, stands in standing.items() if stands.has_aside)
        for old, stands in standing.items():
            if stands.is_ours and stands.has_aside:
                self._at_once("give_back", old)
            elif stands.is_ours:
                self._session.run(_SQL("silence", view=self._name(old)))
            elif stands.has_aside:
                self._rename("rename_table", old, BESIDE)
        self._clear(names)
        return back

    def _make_schema(self) -> None:
        if not self._session.rows(_SQL("has_schema"), {"schema": fold(self._schema)})[0]["number"]:
            self._session.run(_SQL("make_schema", schema=folded(self._schema)))

    def _standing(self, names: Sequence[str]) -> dict[str, Standing]:
        found = self._relations(self._schema)
        for old in names:
            self._refuse_another(old, found.get(fold(old + READY)))
        return {
            old: Standing(*found.get(fold(old), ("nothing", False)), has_aside=fold(old + BESIDE) in found)
            for old in names
        }

    def _refuse_another(self, old: str, stands: tuple[str, bool] | None) -> None:
        """The name at which a view is made ready is nobody else's."""
        if stands is not None and not stands[1]:
            whole = f"{self._schema}.{old}{READY}"
            hint = "Rename or drop it. Nothing was changed."
            raise Misconfigured(f"{whole} is a {stands[0]} that tieout has not made.", hint=hint)

    def _relations(self, schema: str) -> dict[str, tuple[str, bool]]:
        rows = self._session.rows(_SQL("relations"), {"schema": fold(schema), "mark": MARK})
        return {row["name"]: (row["kind"], row["is_ours"]) for row in rows}

    def _make_ready(self, one: Answer, stands: Standing) -> None:
        """The view beside its name, for those who could read the old table."""
        view = self._name(one.name, READY)
        self._answer(one, view)
        if stands.kind == "table":
            self._admit(self._name(one.name), view)
        elif stands.has_aside:
            self._admit(self._name(one.name, BESIDE), view)

    def _admit(self, table: Sql, view: Sql) -> None:
        for row in self._session.rows(_SQL("readers", table=table)):
            privilege, role = _READS.get(row["privilege"]), _ROLES.get(row["granted_to"])
            if privilege is not None and role is not None:
                grantee = Sql(f"{role} {name(row['grantee_name'])}")
                self._session.run(_SQL("admit", privilege=privilege, view=view, grantee=grantee))

    def _answer(self, one: Answer, view: Sql) -> None:
        columns = [{"name": folded(each.name), "value": each.value(folded(each.field))} for each in one.columns]
        parts = {"view": view, "latest": folded(*one.latest), "mark": escaped_literal(MARK)}
        try:
            self._session.run(_SQL("answer", columns=columns, **parts))
        except Broken as error:
            hint = "See the types that migration.yaml gives it: they are Snowflake's own words."
            raise Misconfigured(f"{self._schema}.{one.name} cannot be answered: {error.message}", hint=hint) from error

    def _at_once(self, block: str, old: str) -> None:
        parts = {"table": self._name(old), "aside": self._name(old, BESIDE), "ready": self._name(old, READY)}
        self._renamed(old, _SQL("do", block=escaped_literal(f"{_SQL(block, **parts)};")))

    def _rename(self, statement: str, old: str, behind: str) -> None:
        self._renamed(old, _SQL(statement, relation=self._name(old, behind), to=self._name(old)))

    def _renamed(self, old: str, statement: Sql) -> None:
        try:
            self._session.run(statement)
        except (Broken, Misconfigured) as error:
            hint = f"The role needs OWNERSHIP of it, and CREATE TABLE and CREATE VIEW in {self._schema}."
            raise Misconfigured(f"{self._schema}.{old} cannot be renamed: {error.message}", hint=hint) from error

    def _clear(self, names: Sequence[str]) -> None:
        """Views that were made ready, or have left their place."""
        found = self._relations(self._schema)
        for old in names:
            if found.get(fold(old + READY)) == ("view", True):
                self._session.run(_SQL("silence", view=self._name(old, READY)))

    def _name(self, old: str, behind: str = "") -> Sql:
        return folded(self._schema, old + behind)
