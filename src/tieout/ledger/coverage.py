"""Coverage: how far the sealed batches of a lane prove that it was read, by the chain of their spans.

This is how a ledger that was lost, or restored from yesterday, finds its cursors again. The one rule: a cursor is
proven only by a chain of whole spans from where we stand. Knows nothing of files, books and time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from ..base.batch import Span
from ..base.cursor import Cursor, Progress

Edges = Mapping[Cursor | None, Set[Cursor]]
"""Of one track: from each cursor, the cursors to which a whole span leads. None is the track's beginning."""


def whole(spans: Iterable[tuple[str, Span]]) -> frozenset[Span]:
    """The spans of which every sibling is sealed. `spans` names, for each sealed batch, its object and its span."""
    sealed: defaultdict[Span, set[str]] = defaultdict(set)
    for object_, span in spans:
        sealed[span].add(object_)
    return frozenset(span for span, objects in sealed.items() if objects.issuperset(span.siblings))


def proven(progress: Progress, spans: Iterable[tuple[str, Span]]) -> Progress:
    """The tracks that the sealed batches of a lane carry further than `progress`, each with the cursor it reaches.

    A killed worker leaves branches that lead nowhere, and a track may stand where no span begins (its batches are not
    here): neither moves a cursor. In the order of their names, so that the same sealed batches give the same entries.
    """
    edges: defaultdict[str, defaultdict[Cursor | None, set[Cursor]]] = defaultdict(lambda: defaultdict(set))
    for span in whole(spans):
        edges[span.track][span.before].add(span.after)
    furthest = {track: _furthest(progress.get(track), of_track) for track, of_track in sorted(edges.items())}
    return {track: cursor for track, cursor in furthest.items() if cursor is not None and cursor != progress.get(track)}


def _furthest(start: Cursor | None, edges: Edges) -> Cursor | None:
    """Where the chain from `start` ends: of what it reaches, the cursor of the greatest position."""
    reached = {cursor for cursor in _reachable(start, edges) if cursor is not None}
    if not reached:
        return None
    greatest = max(cursor.position for cursor in reached)
    last = {cursor for cursor in reached if cursor.position == greatest}
    # A chain may go on within one position, as a snapshot read in pieces does: then its end counts, not its middle.
    ends = {cursor for cursor in last if not edges.get(cursor, frozenset()) - {cursor}}
    return max(ends or last, key=lambda cursor: cursor.state)


def _reachable(start: Cursor | None, edges: Edges) -> set[Cursor | None]:
    """Every cursor to which spans lead from `start`, itself included. Ends, as no cursor is entered twice."""
    reached = {start}
    ahead = [start]
    while ahead:
        for after in edges.get(ahead.pop(), frozenset()):
            if after not in reached:
                reached.add(after)
                ahead.append(after)
    return reached
