"""What the org shows this user of its objects: described when first needed, and again now and then or on suspicion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ...base.clock import Clock
from ...base.errors import Misconfigured, Transient
from ..source import Remark
from .budget import Work
from .describe import SObject
from .refusal import ObjectHidden
from .wanted import Wanted
from .wire.client import Client

DESCRIBED_SECONDS = 300
"""How long a description is believed: each costs a call."""


class Catalogue:
    """Of the objects that are wanted."""

    def __init__(self, client: Client, wanted: Sequence[Wanted], clock: Clock) -> None:
        self._client = client
        self._wanted = {one.object: one for one in wanted}
        self._clock = clock
        self._known: dict[str, SObject] = {}
        self._hidden: dict[str, Misconfigured] = {}
        self._asked: dict[str, datetime] = {}
        self._answered: dict[str, datetime] = {}
        self._unchanged: dict[str, datetime] = {}

    def objects(self, *, anew: bool) -> Mapping[str, SObject]:
        """Those that the org shows. With `anew` a description that is old is asked for again; where the org cannot be
        asked it holds for longer."""
        for object_ in self._wanted:
            if anew and self._is_old(object_):
                self._asked.pop(object_, None)
            try:
                self._ask(object_)
            except Transient:
                if object_ not in self._known:
                    raise
        return {object_: self._known[object_] for object_ in self._wanted if object_ not in self._hidden}

    @property
    def known(self) -> Mapping[str, SObject]:
        """Those that were described, as they were last. Asks nobody."""
        return {object_: one for object_, one in self._known.items() if object_ not in self._hidden}

    def object(self, object_: str) -> SObject:
        """Raises ObjectHidden where the org does not show it, or no longer."""
        self._ask(object_)
        if (hidden := self._hidden.get(object_)) is not None:
            raise hidden
        return self._known[object_]

    def doubt(self, object_: str) -> None:
        """It may have changed: it is described anew when it is needed next."""
        self._asked.pop(object_, None)

    def remarks(self) -> tuple[Remark, ...]:
        """What of the objects cannot be read."""
        notes = ((one.object, one.described().note) for one in self._known.values())
        return tuple(Remark(f"{object_}: {note}", "It is left out.") for object_, note in notes if note)

    def unchanged_until(self, object_: str) -> datetime | None:
        """When it was still described as it was before it changed last; None: it did not change."""
        return self._unchanged.get(object_)

    def _note(self, object_: str, sobject: SObject) -> None:
        known = self._known.get(object_)
        if known is not None and known.fingerprint != sobject.fingerprint:
            self._unchanged[object_] = self._answered[object_]
        self._known[object_] = sobject

    def _is_old(self, object_: str) -> bool:
        asked = self._asked.get(object_)
        return asked is None or self._clock.now() - asked >= timedelta(seconds=DESCRIBED_SECONDS)

    def _ask(self, object_: str) -> None:
        if object_ in self._asked and not (object_ in self._hidden and self._is_old(object_)):
            return
        try:
            described = self._client.describe(self._wanted[object_].api_name, work=Work.LIVE)
        except ObjectHidden as error:
            self._hidden[object_] = error
        else:
            self._hidden.pop(object_, None)
            if described is not None:  # else it is as it was
                self._note(object_, SObject.of(described))
            self._answered[object_] = self._clock.now()
        self._asked[object_] = self._clock.now()
