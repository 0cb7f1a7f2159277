"""The Avro schemas of all events that were ever written: by the event, and by the id under which a client asks."""

from __future__ import annotations

from ..events import ChangeEvent
from ..schema import Field
from ..schemas import Schemas
from .avro import EventSchema
from .refusals import schema_not_found


class EventSchemas:
    """`org` is the org's id. A schema is made when it is first needed, and kept."""

    def __init__(self, org: str, schemas: Schemas) -> None:
        self._org = org
        self._schemas = schemas
        self._made: dict[tuple[str, int], EventSchema] = {}
        self._by_id: dict[str, EventSchema] = {}

    def of(self, event: ChangeEvent) -> EventSchema:
        made = self._made.get((event.entity, event.schema_version))
        return made or self._make(
            event.entity, event.schema_version, self._schemas.fields_at(event.entity, event.schema_version)
        )

    def current(self, entity: str) -> EventSchema:
        sobject = self._schemas[entity]
        made = self._made.get((sobject.name, sobject.version))
        return made or self._make(sobject.name, sobject.version, sobject.event_fields)

    def by_id(self, schema_id: str) -> EventSchema:
        """Whoever has an id got it from an event or a topic of this server, or of one before it on the same org."""
        if schema_id not in self._by_id:
            for sobject in self._schemas:
                for version in range(1, sobject.version + 1):
                    self._make(sobject.name, version, self._schemas.fields_at(sobject.name, version))
        found = self._by_id.get(schema_id)
        if found is None:
            raise schema_not_found(schema_id)
        return found

    def _make(self, entity: str, version: int, fields: tuple[Field, ...]) -> EventSchema:
        made = EventSchema(self._org, entity, version, fields)
        self._made[entity, version] = made
        self._by_id[made.id] = made
        return made
