"""Watching for drift: what a source shows of its columns is compared with what it showed before, and followed or told.

What was seen is in the ledger, so that a change is told once, and nothing is taken for new that was there all along. It
is looked at before a piece is judged, so that no row is refused for a column whose contract could have followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa

from ..base.change import CAPTURED, UNREADABLE
from ..base.codec import canonical_json
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.types import Column
from ..capture.source import Captured, Retells, Source
from ..contract.contract import Contract
from ..contract.drift import BREAKS, Finding, Policy, What, compare, followed
from ..contract.kept import has_key_of, kept
from ..contract.shown import shown_in
from ..land.landing import Landing
from ..ledger.facts import Drifted, Fact, Looked, Paused
from ..ledger.ledger import Ledger
from .choices import look_at_choices
from .contracts import Contracts
from .declared import judged_last
from .landed import told_of_none
from .pausing import paused_now

LOOK_SECONDS = 60.0
"""How often a source with a catalogue is asked whether a table has changed of which nothing new is told."""

_ENVELOPE = frozenset(CAPTURED.names)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A stream as it was looked at last: its columns with the source's words, those that were kept apart, and the
    contract that held."""

    columns: Mapping[str, str]
    aside: frozenset[str]
    contract: Contract


class Watch:
    """The drift of one lane. `followed`: streams whose contracts have changed, and whose tables have to follow."""

    def __init__(self, source: Source, contracts: Contracts, ledger: Ledger, landing: Landing) -> None:
        self._source = source
        self._contracts = contracts
        self._ledger = ledger
        self._landing = landing
        self._seen: dict[Stream, _Seen] = {}
        self._looked_at: datetime | None = None
        self.followed: set[Stream] = set()

    def meet(self, captured: Captured) -> None:
        """Before a piece is judged: a column that it shows for the first time is looked at."""
        for object_, table in captured.tables.items():
            stream = Stream(self._source.lane, object_)
            contract, refused = self.standing(stream)
            if refused is not None or object_ == UNREADABLE or not self._contracts.has(stream):
                continue
            names = [name for name in table.column_names if name not in _ENVELOPE]
            seen = self._of(stream)
            if seen is not None and seen.contract != contract:
                seen = replace(seen, contract=contract)
                self._note(seen, [])
            if seen is None:
                self._begin(contract, table, names)
            elif not seen.columns.keys() >= set(names) or self._may_follow_now(contract, seen, names):
                self._look(contract, seen, self._shown(stream, table, anew=True))
            elif not isinstance(self._source, Retells):
                self._look(contract, seen, self._shown(stream, None, anew=False))

    def _may_follow_now(self, contract: Contract, seen: _Seen, names: list[str]) -> bool:
        """Whether a column of these was kept apart, and its owner has changed the wish since."""
        return bool(seen.aside & set(names)) and self._contracts.policy(contract) is Policy.EVOLVE

    def standing(self, stream: Stream) -> tuple[Contract, Paused | None]:
        """The contract that rows are judged by. Where its file cannot be used that is the last that could, and the
        stream is to be paused: what it says lands, and nothing is merged until the file is mended."""
        seen = self._of(stream)
        try:
            contract = self._contracts.of(stream, self._source.describe)
        except Misconfigured as error:
            if seen is None:
                raise
            return seen.contract, Paused(str(stream), error.message.rstrip("."), error.hint, "")
        if seen is None or has_key_of(contract, seen.contract):
            return contract, None
        reason = f"its rows have landed under the key {list(seen.contract.key)}, its contract now says another"
        hint = "Write the key as it was, or give the object another name, under which it is read anew."
        return seen.contract, Paused(str(stream), reason, hint, "")

    def doubts(self, contract: Contract) -> bool:
        """After rows were refused: whether the catalogue knows a reason, and the contract has followed it."""
        seen = self._of(contract.stream)
        if isinstance(self._source, Retells) or seen is None:
            return False
        self._look(contract, seen, self._shown(contract.stream, None, anew=True))
        return self._contracts.of(contract.stream, self._source.describe).digest != contract.digest

    def look(self, now: datetime) -> None:
        """When all that there was is read: whether the catalogue knows of what no change has told yet."""
        is_due = self._looked_at is None or now - self._looked_at >= timedelta(seconds=LOOK_SECONDS)
        if isinstance(self._source, Retells) or not is_due:
            return
        self._looked_at = now
        look_at_choices(self._source, self._ledger)
        for described in self._source.describe(anew=True):
            stream = Stream(self._source.lane, described.object)
            seen = self._of(stream)
            if seen is not None and self._contracts.has(stream):
                contract, refused = self.standing(stream)
                if refused is None:
                    self._look(contract, seen, {column.name: column for column in described.columns})

    def _of(self, stream: Stream) -> _Seen | None:
        if stream not in self._seen:
            found = judged_last(self._ledger, stream)
            if found is None:
                return None
            looked, contract = found
            last: dict[str, str] = {}
            for entry in self._ledger.entries(Drifted, stream=str(stream)):
                assert isinstance(entry.fact, Drifted), "only Drifted was asked for"
                last[entry.fact.column] = entry.fact.what
            aside = frozenset(column for column, what in last.items() if what == What.ASIDE)
            self._seen[stream] = _Seen(json.loads(looked.columns), aside, contract)
        return self._seen[stream]

    def _begin(self, contract: Contract, table: pa.Table, names: list[str]) -> None:
        """The first sight of a stream: what it shows now is no drift. Where a ledger was lost it was seen before: a
        column of which no row told that has landed has come since."""
        known = dict.fromkeys(names, "")
        if isinstance(self._source, Retells):
            known |= dict.fromkeys((column.name for column in contract.columns), "")
        else:
            known |= _words(self._shown(contract.stream, None, anew=False))
        promised = {column.name for column in contract.columns}
        unpromised = known.keys() - promised
        # A draft has every column of its day, which may be long before the first row: what it lacks has come since.
        gained = (
            frozenset(unpromised)
            if contract.is_as_drafted
            else told_of_none(self._ledger, self._landing, contract.stream, unpromised)
        )
        seen = _Seen({name: word for name, word in known.items() if name not in gained}, frozenset(), contract)
        self._note(seen, [])
        if gained:
            self._look(contract, seen, self._shown(contract.stream, table, anew=True))

    def _shown(self, stream: Stream, table: pa.Table | None, *, anew: bool) -> dict[str, Column]:
        """The columns that the source has: by its catalogue, or by what it has told."""
        described = next((one for one in self._source.describe(anew=anew) if one.object == stream.object), None)
        shown = {column.name: column for column in described.columns} if described is not None else {}
        if isinstance(self._source, Retells) and table is not None:
            for name in table.column_names:
                if name not in _ENVELOPE and name not in shown:
                    shown[name] = shown_in(name, table.column(name))
        return shown

    def _look(self, contract: Contract, seen: _Seen, shown: Mapping[str, Column]) -> None:
        if not shown:  # the source knows the stream no longer
            return
        is_whole, policy = not isinstance(self._source, Retells), self._contracts.policy(contract)
        found = compare(contract, policy, seen.columns, shown, is_whole=is_whole, aside=seen.aside)
        columns = _words(shown) if is_whole else {**seen.columns, **dict.fromkeys(shown, "")}
        if not found and columns == seen.columns:
            return
        found, version = self._follow(contract, policy, found)
        aside = seen.aside | {one.column.name for one in found if one.what is What.ASIDE}
        aside -= {one.column.name for one in found if one.what is What.ADDED}
        facts: list[Fact] = [_told(contract.stream, one, version) for one in found]
        if policy is Policy.FREEZE:
            facts += self._broken(contract, found)
        now = self._contracts.of(contract.stream, self._source.describe)
        self._note(_Seen(columns, aside, now), facts)

    def _follow(
        self, contract: Contract, policy: Policy, found: tuple[Finding, ...]
    ) -> tuple[tuple[Finding, ...], str]:
        """The contract follows, where it may and its file lets us. Returns what was done, and its new version."""
        columns = followed(contract, found) if policy is Policy.EVOLVE else contract.columns
        if columns == contract.columns:
            return found, ""
        amended = self._contracts.amend(contract, columns)
        if amended is None:
            undone = {What.ADDED: What.ASIDE, What.WIDENED: What.RETYPED}
            return tuple(replace(one, what=undone.get(one.what, one.what)) for one in found), ""
        self.followed.add(contract.stream)
        if (paused := paused_now(self._ledger).get(contract.stream)) is not None:
            self._ledger.append([replace(paused, contract=amended.digest)], given=[])
        return found, amended.version

    def _broken(self, contract: Contract, found: tuple[Finding, ...]) -> list[Fact]:
        broken = [one for one in found if one.what in BREAKS]
        if not broken:
            return []
        reason = "; ".join(_broken_promise(contract, one) for one in broken)
        stream = contract.stream
        hint = f"Mend the source or the contract, or go on with what is left of it: `tieout resume {stream}`."
        return [Paused(str(stream), reason, hint, contract.digest)]

    def _note(self, seen: _Seen, facts: list[Fact]) -> None:
        stream = seen.contract.stream
        looked = Looked(str(stream), canonical_json(dict(seen.columns)), kept(seen.contract))
        self._ledger.append([*facts, looked], given=[])
        self._seen[stream] = seen


def _words(shown: Mapping[str, Column]) -> dict[str, str]:
    return {name: column.physical for name, column in shown.items()}


def _told(stream: Stream, found: Finding, version: str) -> Drifted:
    is_followed = found.what in (What.ADDED, What.WIDENED) or (found.what is What.REMOVED and version)
    type_ = "" if found.what is What.REMOVED else found.column.physical or str(found.column.type)
    return Drifted(str(stream), found.what.value, found.column.name, type_, found.was, version if is_followed else "")


def _broken_promise(contract: Contract, found: Finding) -> str:
    promised = next(column for column in contract.columns if column.name == found.column.name)
    where = f"{contract.stream}.{promised.name}"
    if found.what is What.REMOVED:
        return f"{where} is not in the source any more, and its contract promises it (drift: freeze)"
    now = found.column.physical or found.column.type
    return f"{where} is {now} in the source, {promised.type} in the contract (drift: freeze)"
