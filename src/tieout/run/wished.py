"""The one stream that a run was asked for: one that is misspelt would be worked in vain, and be told a success."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..base.errors import Misconfigured, TieoutError
from ..base.stream import Stream
from ..capture.source import Retells
from .house import House
from .outcome import Outcome

_NOWHERE = "has not landed, and its source has no such stream"


def refuse_unknown(house: House, only: Stream | None) -> None:
    """Before a run. Raises Misconfigured for a stream that the source's catalogue does not have, and that never landed.

    Of a source without a catalogue, and of one that does not answer, that is known when the run is over.
    """
    if only is None or only in (known := _known(house, only)):
        return
    (lane,) = house.lanes(only)
    source = house.source(lane)
    try:
        if isinstance(source, Retells):
            return
        known |= {Stream(lane, one.object) for one in source.describe()}
    except TieoutError:  # the run meets the same, and tells it
        return
    finally:
        source.close()
    refuse(only, known, why=_NOWHERE)


def refuse_unheard(house: House, only: Stream | None, outcomes: Sequence[Outcome]) -> None:
    """After one. Raises Misconfigured where the run was complete, and its source has told nothing of the stream."""
    if only is None or any(one.exit_code for one in outcomes) or only in (known := _known(house, only)):
        return
    (lane,) = house.lanes(only)
    source = house.source(lane)
    try:
        known |= {Stream(lane, one.object) for one in source.describe()}
    finally:
        source.close()
    refuse(only, known, why=_NOWHERE)


def refuse(only: Stream, known: Collection[Stream], *, why: str) -> None:
    """Raises Misconfigured, with this reason, for a stream that is not among those that are known."""
    if only not in known:
        named = ", ".join(str(stream) for stream in sorted(known)) or "none yet"
        raise Misconfigured(f"{only} {why}.", hint=f"Known are: {named}.")


def _known(house: House, only: Stream) -> set[Stream]:
    """All of its source that have landed or have a contract, as what has landed has though the ledger was lost."""
    (lane,) = house.lanes(only)
    landed = {Stream.parse(text) for text in house.tools.ledger.landed(lane).values()}
    return landed | set(house.tools.contracts.written(lane))
