"""What happens without an event: purges, hard deletes, jobs of the database, stamps that move by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from .errors import locked
from .schema import Row, SObject
from .selecting import Kept
from .soql import written
from .store import SQL
from .values import moment, stamp, stored

if TYPE_CHECKING:
    from .org import Org


class Silent:
    def __init__(self, org: Org) -> None:
        self._org = org

    def purge_bin(self, name: str, *, before: datetime | None = None) -> list[str]:
        """What was deleted before then vanishes from queryAll too; the delete log goes on to tell of it."""
        with self._org.store.lock:
            sobject = self._org.schemas[name]
            end = moment(before) if before else "9"
            gone = [row[0] for row in self._org.store.execute(SQL("in_bin_before"), (sobject.name, end))]
            self._org.store.purge(sobject.name, gone)
            return gone

    def purge_delete_log(self, name: str, *, before: datetime) -> None:
        """getDeleted knows nothing of what was deleted before then."""
        sobject = self._org.schemas[name]
        self._org.store.execute(SQL("purge_log"), (sobject.name, moment(before)))
        self._org.log_purged(sobject.name, moment(before))

    def hard_delete(self, name: str, records: Collection[str], *, tells_gap: bool = False) -> None:
        """Past the recycle bin: the delete log tells of it, and a GAP_DELETE or nothing."""
        with self._org.store.lock:
            sobject = self._org.schemas[name]
            self._free(records)
            now = stamp(self._org.now())
            with self._org.store.at_once():
                for record in records:
                    self._org.store.execute(SQL("log_deletion"), (sobject.name, record, now, "", 0))
                self._org.store.purge(sobject.name, records)
            self._org.witness((sobject.name, record, None) for record in records)
            if tells_gap:
                self._tell("GAP_DELETE", sobject, records)

    def vanish(self, name: str, records: Collection[str]) -> None:
        """Gone without any trace at all, as after a purge of bin and log."""
        with self._org.store.lock:
            self._free(records)
            self._org.store.remove(self._org.schemas[name].name, records)

    def database_job(
        self, name: str, records: Collection[str], fields: Mapping[str, object], *,
        moves_stamp: bool = True, tells_gap: bool = False,
    ) -> None:  # fmt: skip
        """Rows changed beneath everything. LastModifiedDate stays; SystemModstamp moves or stays; a GAP_UPDATE tells
        of it or nothing does."""
        with self._org.store.lock:
            sobject = self._org.schemas[name]
            self._free(records)
            given: Row = {}
            for each, value in fields.items():
                if (field := sobject.field(each)) is not None:
                    given[field.name] = stored(field, value)
            if moves_stamp:
                given["SystemModstamp"] = stamp(self._org.now())
            self._org.store.update_many(sobject.name, records, given)
            # Of a stamp that stays no reader of the org can know, and nobody can be held to it.
            seen = self._org.witness if moves_stamp else self._org.witness_silent
            seen((sobject.name, record, self._org.get(sobject.name, record)) for record in records)
            if tells_gap:
                self._tell("GAP_UPDATE", sobject, records)

    def move_stamps(self, name: str, where: str = "") -> int:
        """SystemModstamp alone, of every row of which the SOQL condition holds; how many."""
        with self._org.store.lock:
            records = self._org.select(written("Id", name, where), kept=Kept.EVERYTHING, as_system=True).ids
            self.database_job(name, records, {})
            return len(records)

    def hide_rows(self, name: str, records: Collection[str]) -> None:
        """Sharing keeps them from the connector's user: to it they look deleted. Events ignore sharing."""
        self._org.schemas.hidden_rows[self._org.schemas[name].name].update(records)

    def show_rows(self, name: str, records: Collection[str]) -> None:
        self._org.schemas.hidden_rows[self._org.schemas[name].name].difference_update(records)

    def _tell(self, kind: str, sobject: SObject, records: Collection[str]) -> None:
        if sobject.tracked:
            commit, version = self._org.next_commit(), sobject.version
            gaps = [commit.event(sobject.name, (record,), kind, version=version) for record in records]
            self._org.events.append(gaps)

    def _free(self, records: Collection[str]) -> None:
        for record in records:
            if record in self._org.locks:
                raise locked(record)
