"""The live schema of the org, what it was for each event written so far, and what the connector's user may not see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .errors import no_such_type
from .schema import Field, SObject


class Schemas:
    def __init__(self, objects: Iterable[SObject]) -> None:
        self._live: dict[str, SObject] = {}
        self._once: dict[tuple[str, int], tuple[Field, ...]] = {}
        self._hidden: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        self.hidden_rows: defaultdict[str, set[str]] = defaultdict(set)
        """Ids by object (as it is spelled) that sharing keeps from the connector's user. Events come all the same."""
        for each in objects:
            self.put(each)

    def __iter__(self) -> Iterator[SObject]:
        return iter(list(self._live.values()))

    def __getitem__(self, name: str) -> SObject:
        """Names are not case-sensitive. Raises INVALID_TYPE."""
        found = self._live.get(name.lower())
        if found is None:
            raise no_such_type(name)
        return found

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._live

    def put(self, sobject: SObject) -> None:
        self._live[sobject.name.lower()] = sobject
        self._once[sobject.name, sobject.version] = sobject.event_fields

    def of_id(self, record: str) -> SObject | None:
        return next((each for each in self._live.values() if each.key_prefix == record[:3]), None)

    def version(self, name: str) -> int:
        return self[name].version

    def fields_at(self, name: str, version: int) -> tuple[Field, ...]:
        """The fields of events of this version, in the order of their schema, as `SObject.event_fields` has it."""
        return self._once[self[name].name, version]

    def hidden(self, name: str) -> frozenset[str]:
        """Lower-cased names of fields that field-level security keeps from the connector's user."""
        return self._hidden[name.lower()]

    def hide(self, name: str, field: str) -> None:
        self._hidden[name.lower()] |= {field.lower()}

    def show(self, name: str, field: str) -> None:
        self._hidden[name.lower()] -= {field.lower()}

    def seen(self, name: str, field: str) -> Field | None:
        """The field, if it exists and the connector's user may see it."""
        return None if field.lower() in self.hidden(name) else self[name].field(field)
