"""What a source has at a cut is heard, judged, and gathered stream by stream.

A source of changes may have lost some that it told before, as files are deleted and replaced; those are heard from the
landing, and the certificate says so. So are settlements of quarantined rows, which we alone have said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

from ..base.cursor import Cursor
from ..base.errors import Transient
from ..base.stream import Stream
from ..capture.source import Cut, Retells
from ..ledger.facts import Landed
from ..merge.aligned import aligned
from ..quality.telling import Telling
from .contracts import describes_nothing
from .doubt import judge_doubting
from .pausing import refused
from .route import Route, Tools
from .settle import TRACK as SETTLEMENT

_NAMED_MAX = 5


def retell(route: Route, tools: Tools, cut: Cut, tellings: Mapping[str, Telling], source: object) -> tuple[str, ...]:
    """Fills the tellings, by object, with all that there is at the cut. Returns what the source can no longer tell
    itself, one sentence each."""
    refused_of = Counter[Stream]()
    told = _hear(route, cut, tellings, refused_of, are_changes=isinstance(source, Retells))
    lost = _hear_landed(route, tools, tellings, told, source) if isinstance(source, Retells) else ()
    for telling in tellings.values():
        telling.end()
    stricter = [
        _stricter(tools, stream, rows) for stream, rows in refused_of.items() if rows and isinstance(source, Retells)
    ]
    return (*cut.unable, *lost, *filter(None, stricter))


def _stricter(tools: Tools, stream: Stream, rows: int) -> str:
    """A contract that refuses what one before it took is the reason why both sides differ, and no rebuild mends it."""
    digest = tools.contracts.of(stream, describes_nothing).digest
    others = sum(tools.landing.footer(stream, name).contract != digest for name in _landed(tools, stream))
    if not others:
        return ""
    batches = "1 batch" if others == 1 else f"{others} batches"
    return (
        f"{stream}: today's contract refuses {rows} of the rows that the source tells; {batches} landed under another "
        "one, and what that took stays."
    )


def _hear(
    route: Route, cut: Cut, tellings: Mapping[str, Telling], refused_of: Counter[Stream], *, are_changes: bool
) -> list[Cursor]:
    """Returns the cursors of the pieces, and counts the rows that their contracts refuse."""
    keyless: Counter[tuple[str, str]] = Counter()
    told: list[Cursor] = []
    for captured in cut.tell(tellings):
        route.renew()
        told.append(captured.after)
        for object_ in captured.tables:
            telling, of_track = tellings[object_], (captured.after.track, object_)
            before = partial(keyless.__getitem__, of_track)
            judged = judge_doubting(captured, object_, telling.contract, keyless_before=before)
            keyless[of_track] += judged.keyless
            refused_of[telling.contract.stream] += len(refused(captured.tables[object_], judged))
            hear = telling.tell_changes if are_changes else telling.tell_rows
            hear(judged.changes)
    return told


def _hear_landed(
    route: Route, tools: Tools, tellings: Mapping[str, Telling], told: list[Cursor], source: Retells
) -> tuple[str, ...]:
    if changed := source.apart(told, tools.ledger.progress(route.lane).values()):
        raise Transient(f"{changed[0].track} changed while it was compared.", hint="Certify again.")
    lost: dict[str, None] = {}
    for telling in tellings.values():
        stream = telling.contract.stream
        spans = {name: tools.landing.footer(stream, name).span for name in _landed(tools, stream)}
        gone = set(source.apart([span.after for span in spans.values()], told))
        for name in [name for name, span in spans.items() if span.after in gone]:
            route.renew()
            telling.tell_changes(aligned(tools.landing.open(stream, name), telling.contract))
            lost[spans[name].track] = None
    lost.pop(SETTLEMENT, None)
    return tuple(_sentences(list(lost)))


def _landed(tools: Tools, stream: Stream) -> list[str]:
    entries = tools.ledger.entries(Landed, lane=stream.source, stream=str(stream))
    return [entry.fact.batch for entry in entries if isinstance(entry.fact, Landed)]


def _sentences(lost: list[str]) -> list[str]:
    named = [f"{track} was read and is gone or changed; it was compared as it landed." for track in lost[:_NAMED_MAX]]
    if (more := len(lost) - _NAMED_MAX) > 0:
        were, are = ("file was", "is") if more == 1 else ("files were", "are")
        named.append(f"{more} more {were} read and {are} gone or changed.")
    return named
