"""A dual run, a cut-over and its way back, drawn: how much differs, in which columns, and who is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..merge.names import BESIDE
from ..quality.migration import Comparison, Named, Right, Side
from ..run.comparing import DualRun, is_explained
from ..run.cutover import Ended
from .answer import OK, PARTIAL
from .paint import count, grid, next_step, safe, several, stacked, state, verdict

_FIGURES = ("old", "new", "only old", "only new", "differ", "twice", "no key")
_SENTENCES = {
    "equal": ("complete", "The old tables and the new ones say the same."),
    "explained": ("complete", "Whatever differs, the source agrees with the new table."),
    "differs": ("partial", "They differ, and not all of it is known to be the old table's fault."),
}


@dataclass(frozen=True, slots=True)
class Compared:
    found: DualRun

    @property
    def exit_code(self) -> int:
        return PARTIAL if self.found.state == "differs" else OK

    def to_json(self) -> dict[str, Any]:
        return self.found.to_json()

    def shown(self) -> RenderableType:
        table = grid("table", "state", *_FIGURES, right=_FIGURES)
        for one in self.found.comparisons:
            figures = [one.legacy_rows, one.current_rows, *(one.counts[side] for side in Side)]
            word = "equal" if one.is_equal else "differs"
            table.add_row(safe(one.table), state(word), *map(count, [*figures, one.duplicates, one.nameless]))
        details = [line for one in self.found.comparisons if not one.is_equal for line in self._details(one)]
        return stacked(table, *details, verdict(*_SENTENCES[self.found.state]), self._next())

    def _details(self, one: Comparison) -> Iterator[Text]:
        columns = ", ".join(f"{name} in {number:,}" for name, number in one.columns.items() if number)
        if columns:
            yield Text.assemble((f"{one.table}: ", "bold"), safe(f"differs by column: {columns}."))
        if one.unasked:
            yield Text.assemble((f"{one.table}: ", "bold"), "the source was not asked: ", safe(one.unasked))
        elif one.named:
            right = ", ".join(f"{one.right[who]:,} {who.value}" for who in Right if one.right[who])
            yield Text.assemble(
                (f"{one.table}: ", "bold"), f"who is right, of {several(len(one.named), 'key')}: {right}."
            )
        for named in one.named:
            yield Text.assemble("  ", safe(_sentence(named)))
        earlier = self.found.earlier[one.table]
        if earlier:
            last = earlier[-1]
            yield Text(
                f"  before, at {last.at:%Y-%m-%d %H:%M} UTC, {several(last.differ, 'key')} differed", style="dim"
            )

    def _next(self) -> Text | None:
        if all(one.is_equal or is_explained(one) for one in self.found.comparisons):
            return next_step("tieout migrate cutover", "answers the old names from the new tables")
        return None


@dataclass(frozen=True, slots=True)
class Switched:
    ended: Ended
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return self.ended.to_json()

    def shown(self) -> RenderableType:
        ended = self.ended
        if ended.to == "legacy":
            back = [Text.assemble("  ", safe(f"{ended.schema}.{one}")) for one in ended.moved]
            told = (
                f"{several(len(ended.moved), 'old table')} back under the old names; no view of tieout's is left there."
            )
            return stacked(*back, verdict("complete", told))
        views = [Text.assemble("  ", safe(self._told(one))) for one in ended.answered]
        done = f"{several(len(ended.answered), 'old name')} answered from the new tables."
        return stacked(
            *views, verdict("complete", done), next_step("tieout migrate rollback", "puts the old tables back")
        )

    def _told(self, one: str) -> str:
        aside = f"; the old table is {self.ended.schema}.{one}{BESIDE}" if one in self.ended.moved else ""
        return f"{self.ended.schema}.{one}{aside}"


def _sentence(named: Named) -> str:
    who = {Right.UNASKED: "", Right.NEITHER: "; right is neither"}.get(
        named.right, f"; right is the {_NOUN[named.right]}"
    )
    if named.side is not Side.DIFFERS:
        return f"{named.key} is only in the {'old' if named.side is Side.ONLY_LEGACY else 'new'} table{who}"
    fields = ", ".join(f"{one.name} {_value(one.legacy)} -> {_value(one.current)}" for one in named.fields)
    return f"{named.key}: {fields}{who}"


_NOUN = {Right.CURRENT: "new table", Right.LEGACY: "old table", Right.NEITHER: "", Right.UNASKED: ""}


def _value(text: str | None) -> str:
    return "null" if text is None else text
