"""What was certified, and which gates that opens: read from the landing and the ledger, beside any worker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ..base.clock import Clock
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import nearest
from ..land.landing import Landing
from ..ledger.facts import Checked
from ..ledger.ledger import Ledger
from ..quality.chain import Chain, chain_of
from ..quality.gate import Gate, Verdict, judge


def proven(landing: Landing, *, only: Stream | None) -> Mapping[Stream, Chain]:
    """Of each stream that was ever certified its chain. Raises Misconfigured for one that was not."""
    known = landing.certified()
    if only is not None and only not in known:
        hint = nearest(str(only), [str(stream) for stream in known]) or f"Run `tieout certify {only}`."
        raise Misconfigured(f"{only} was never certified.", hint=hint)
    return {stream: chain_of(landing.certificates(stream)) for stream in known if only in (None, stream)}


def gates(
    known: tuple[Gate, ...], landing: Landing, ledger: Ledger, clock: Clock, *, only: str | None
) -> tuple[Verdict, ...]:
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
    failed = failed_checks(ledger, needed)
    return tuple(judge(gate, chains, clock.now(), failed=failed) for gate in chosen)


def failed_checks(ledger: Ledger, streams: Iterable[Stream]) -> dict[Stream, str]:
    """Of each stream whose checks were last found to fail the names of those that block, as they are told."""
    return {stream: ", ".join(names) for stream, names in blocking(ledger, streams).items()}


def blocking(ledger: Ledger, streams: Iterable[Stream]) -> dict[Stream, tuple[str, ...]]:
    """The same names, one by one."""
    failed: dict[Stream, tuple[str, ...]] = {}
    for stream in streams:
        for entry in ledger.entries(Checked, stream=str(stream), last=1):
            assert isinstance(entry.fact, Checked), "only Checked was asked for"
            told = json.loads(entry.fact.report)
            names = tuple(one["check"] for one in told if one["severity"] == "block" and one["outcome"] == "failed")
            if names:
                failed[stream] = names
    return failed
