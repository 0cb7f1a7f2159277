"""What was certified, and which gates that opens: read from the landing alone, beside any worker."""

from __future__ import annotations

from collections.abc import Mapping

from ..base.clock import Clock
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import nearest
from ..land.landing import Landing
from ..quality.chain import Chain, chain_of
from ..quality.gate import Gate, Verdict, judge


def proven(landing: Landing, *, only: Stream | None) -> Mapping[Stream, Chain]:
    """Of each stream that was ever certified its chain. Raises Misconfigured for one that was not."""
    known = landing.certified()
    if only is not None and only not in known:
        hint = nearest(str(only), [str(stream) for stream in known]) or f"Run `tieout certify {only}`."
        raise Misconfigured(f"{only} was never certified.", hint=hint)
    return {stream: chain_of(landing.certificates(stream)) for stream in known if only in (None, stream)}


def gates(known: tuple[Gate, ...], landing: Landing, clock: Clock, *, only: str | None) -> tuple[Verdict, ...]:
    """Which of the project's gates are open. Raises Misconfigured for a name that none bears, or if there are none."""
    if not known:
        hint = "Write gates: {revenue: {needs: [shop.orders], within: 24h}} into tieout.yaml."
        raise Misconfigured("this project has no gates.", hint=hint)
    chosen = [gate for gate in known if only in (None, gate.name)]
    if not chosen:
        names = [gate.name for gate in known]
        raise Misconfigured(f"there is no gate {only!r}.", hint=nearest(only or "", names) or f"There are: {names}.")
    needed = {stream for gate in chosen for stream in gate.needs}
    chains = {stream: chain_of(landing.certificates(stream)) for stream in sorted(needed)}
    return tuple(judge(gate, chains, clock.now()) for gate in chosen)
