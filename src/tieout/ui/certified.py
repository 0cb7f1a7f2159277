"""A certificate, drawn: both sides of each stream, what differs, and why it is not complete where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.prompt import Confirm
from rich.table import Table
from rich.text import Text

from ..quality.certificate import Certificate, Certificates, Difference, Repair, State, Uncertified
from .paint import count, grid, next_step, safe, several, stacked, state, verdict

_FIGURES = ("source", "here", *(difference.value for difference in Difference))
_VERDICTS = {
    State.COMPLETE: "What is here is what the source has, row by row, value by value.",
    State.PARTIAL: "Not complete: each hole is known and named.",
    State.BROKEN: "Broken: something differs that nothing known explains.",
}
_PARTLY_COMPLETE = "What changed here is what the source has; the rest is as it was when all was compared."
_COUNTED_COMPLETE = "What is here is what the source has, as far as it can count."
_UNCERTIFIED = "Not every stream could be compared."


@dataclass(frozen=True, slots=True)
class Certified:
    certificates: Certificates

    @property
    def exit_code(self) -> int:
        return self.certificates.exit_code

    def to_json(self) -> dict[str, Any]:
        return self.certificates.to_json()

    def shown(self) -> RenderableType:
        streams, uncertified = self.certificates.streams, self.certificates.uncertified
        if not streams and not uncertified:
            return stacked(
                verdict("new", "Nothing has landed yet, so there is nothing to compare."),
                next_step("tieout run --once", "reads what the sources have"),
            )
        reasons = [_reason(one, told) for one in streams for told in one.reasons]
        untold = [_untold(one) for one in streams if one.compared.untold]
        aged = [_aged(one) for one in streams if one.derived is not None and one.derived.rows_aged]
        partly = [_partly(one) for one in streams if one.proof.since is not None]
        counted = [_counted(one) for one in streams if one.proof.counted is not None]
        repairs = [_repaired(one) for one in streams if one.repaired]
        lacking = [_reason(one, f"not compared, as it cannot be merged: {one.reason}") for one in uncertified]
        word = self.certificates.state
        told = _UNCERTIFIED if uncertified else _VERDICTS[word]
        if word is State.COMPLETE and partly:
            told = _PARTLY_COMPLETE
        elif word is State.COMPLETE and counted:
            told = _COUNTED_COMPLETE
        notes = [*reasons, *lacking, *untold, *aged, *partly, *counted, *repairs, verdict(word.value, told)]
        return stacked(_table(streams), *notes, *_hints([*streams, *uncertified]))


def agreed(plan: Repair) -> bool:
    """Asks the person at the terminal; where there is none, nobody has agreed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    asked = f"{plan.stream}: land {plan.rows:,} of {plan.of_rows:,} rows again?"
    return Confirm.ask(asked, console=Console(stderr=True, markup=False), default=False)


def _table(streams: tuple[Certificate, ...]) -> Table:
    table = grid("stream", "state", *_FIGURES, right=_FIGURES)
    for one in streams:
        figures = [count(one.compared.finding(difference).count) for difference in Difference]
        sides = count(one.compared.source_rows), count(one.compared.current_rows)
        table.add_row(safe(str(one.stream)), state(one.state.value), *sides, *figures)
    return table


def _reason(one: Certificate | Uncertified, told: str) -> Text:
    return Text.assemble((f"{one.stream}: ", "bold"), safe(told))


def _untold(one: Certificate) -> Text:
    columns = ", ".join(one.compared.untold)
    return Text.assemble((f"{one.stream}: ", "bold"), safe(f"not compared, as the source does not tell it: {columns}"))


def _partly(one: Certificate) -> Text:
    assert one.proof.since is not None, "it was not compared as a whole"
    told = f"only what changed since certificate {one.proof.since.number} was compared, which was of the whole."
    return Text.assemble((f"{one.stream}: ", "bold"), told)


def _counted(one: Certificate) -> Text:
    calls = "" if one.proof.counted is None else f", in {several(one.proof.counted.calls, 'call')}"
    return Text.assemble((f"{one.stream}: ", "bold"), f"compared {one.proof.how}{calls}.")


def _aged(one: Certificate) -> Text:
    """No event and no stamp tells of these columns, so that they are old is no difference."""
    assert one.derived is not None, "it has no derived columns"
    fields = ", ".join(f"{field} ({rows:,})" for field, rows in one.derived.fields.items())
    as_of = "never" if one.derived.as_of is None else f"at {one.derived.as_of:%Y-%m-%d %H:%M} UTC"
    rows = f"{one.derived.rows_aged:,} of {several(one.derived.rows_compared, 'row')} hold older values of formulas"
    return Text.assemble((f"{one.stream}: ", "bold"), safe(f"{rows}: {fields}; all rows' were last read {as_of}."))


def _repaired(one: Certificate) -> Text:
    return Text.assemble(
        (f"{one.stream}: ", "bold"), f"{several(one.repaired, 'row')} landed again, then compared anew."
    )


def _hints(streams: Iterable[Certificate | Uncertified]) -> list[Text]:
    return [Text.assemble(("→ ", "dim"), safe(told)) for told in dict.fromkeys(one.hint for one in streams) if told]
