"""What was done behind the pipe's back and what came of it, drawn: step by step, and whole at the end."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..quality.certificate import Certificates, Difference
from ..quality.gate import Verdict
from ..sim.behind import Behind, Deed, Place
from .paint import count, grid, safe, several, stacked, verdict
from .proven import Gated

_AT = {Place.WAREHOUSE: "in the warehouse", Place.SOURCE: "in the shop, unheard"}


def steps(behind: Behind) -> list[tuple[str, str]]:
    """What has happened so far, a sentence each, and before it the word in whose colour it stands."""
    told = [_gated(behind.before)]
    for place in Place:
        deeds = [deed for deed in behind.deeds if deed.place is place]
        told += [("new", f"{_AT[place]}: {', '.join(_done(deed) for deed in deeds)}")] if deeds else []
    if behind.found is not None and behind.closed is not None:
        told += [_found(behind, behind.found), _gated(behind.closed)]
    if behind.repaired is not None and behind.after is not None:
        word, rows = behind.repaired.state.value, several(behind.landed_again, "row")
        told += [(word, f"certify --repair landed {rows} again: {word}"), _gated(behind.after)]
    return told


def behind_shown(behind: Behind) -> RenderableType:
    """Each deed beside what the certificate called it, why the mart had to wait, and that it waits no more."""
    return stacked(
        Text(f"Then {several(behind.touched, 'row')} were touched behind its back.", style="bold"),
        _table(behind),
        Text("While they differed:", style="dim"),
        _gate(behind.closed),
        Text("Since the repair:", style="dim"),
        *_outcome(behind),
        _gate(behind.after),
    )


def _outcome(behind: Behind) -> list[Text]:
    if behind.wrong:
        return [
            verdict("broken", "It did not come as it must."),
            *(Text.assemble("  ", safe(one)) for one in behind.wrong),
        ]
    rows = several(behind.landed_again, "row")
    return [verdict("complete", f"Each was named as what it was; certify --repair landed {rows} again; none differs.")]


def _gate(told: Verdict | None) -> RenderableType | None:
    return None if told is None else Gated((told,)).shown()


def _table(behind: Behind) -> Table:
    table = grid("where", "deed", "rows", "class", "so named", right=("rows", "so named"))
    for deed in behind.deeds:
        figures = count(len(deed.keys)), deed.difference.value, count(behind.named_of(deed))
        table.add_row(_AT[deed.place], f"{deed.stream.object} {deed.how.value}", *figures)
    return table


def _done(deed: Deed) -> str:
    return f"{len(deed.keys):,} {deed.stream.object} {deed.how.value}"


def _found(behind: Behind, found: Certificates) -> tuple[str, str]:
    named = ", ".join(f"{behind.named(difference):,} {difference.value}" for difference in Difference)
    return found.state.value, f"the certificate is {found.state.value}: {named}"


def _gated(told: Verdict) -> tuple[str, str]:
    if told.is_open:
        return "complete", f"the gate of {told.gate.name} is open"
    why = " ".join(f"{one.stream}: {one.why}" for one in told.closed)
    return "broken", f"the gate of {told.gate.name} is closed. {why}"
