"""The org: what stands in it, who is changing it, and what it tells of that.

Deeds go through `transaction`; what the schema's admin does, through `admin`; what happens without a trace, through
`silent`. Reads go through `select` (SOQL, for REST and Bulk) and see committed rows only. `events` is the log that the
Pub/Sub server reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Final

from ...base.clock import Clock
from .adding import added_up
from .admin import Admin
from .events import EventLog
from .ids import Ids, eighteen
from .objects import FIRST_DAY
from .paths import formula_function
from .schema import Field, Row, SObject
from .schemas import Schemas
from .selecting import Kept, Selection
from .sessions import Sessions
from .silent import Silent
from .soql import parse, written
from .store import SQL, Store
from .telling import Commit, Manner, told
from .transaction import Draft, Transaction
from .usage import ApiUsage
from .values import moment, stamp

API_VERSION: Final = "62.0"
_FIRST_COMMIT: Final = 11_400_000_000_000


Witness = Callable[[datetime, Iterable[tuple[str, str, Row | None]]], None]
"""Hears what becomes visible, and when, past every interface."""


class Org:
    """`user` is the connector's own; `automation` the one in whose name flows and jobs work. `manner` says how events
    are told, and `gaps` how many of an entity's next events become gaps."""

    def __init__(self, seed: int, clock: Clock, *, org_id: str = "00D5f0000000001EAA") -> None:
        self.clock = clock
        self.org_id = eighteen(org_id)
        self.random = Random(seed)
        self.ids = Ids(first=self.random.randrange(1, 62**4))
        self.store = Store()
        self.schemas = Schemas(replace(each, modified=moment(clock.now())) for each in FIRST_DAY)
        self.events = EventLog(self.schemas, strides=[self.random.randint(1, 5) for _ in range(101)])
        self.api = ApiUsage(clock)
        self.limits: dict[str, Callable[[], Mapping[str, int]]] = {}
        self.sessions = Sessions(clock, self.org_id, Random(seed))
        self.manner = Manner()
        self.gaps: Counter[str] = Counter()
        self.locks: dict[str, Transaction] = {}
        self.witnesses: list[Witness] = []
        self.silent_witnesses: list[Witness] = []
        self.admin = Admin(self)
        self.silent = Silent(self)
        self._open: list[Transaction] = []
        self._numbers: Counter[str] = Counter()
        self._commits = _FIRST_COMMIT
        self._purged_log_to: dict[str, str] = {}
        for sobject in self.schemas:
            self.store.create(sobject)
            for field in sobject.fields:
                self.define(sobject, field)
        self.user = self._person("Integration User", "integration@tieout.example")
        self.automation = self._person("Automated Process", "autoproc@tieout.example")

    def use_api(self, calls: int) -> None:
        """As other applications do."""
        self.api.use(calls)

    @property
    def objects(self) -> Schemas:
        return self.schemas

    def now(self) -> datetime:
        return self.clock.now()

    def begin(self, *, user: str | None = None, client: str | None = None, is_audited: bool = False) -> Transaction:
        """A transaction that commits when told to, however late."""
        key = f"{self.random.getrandbits(64):016x}-{self.random.getrandbits(48):012x}"
        began = Transaction(
            self, user=user or self.automation, client=client, began=self.now(), key=key, is_audited=is_audited
        )
        with self.store.lock:
            self._open.append(began)
        return began

    @contextmanager
    def transaction(
        self, *, user: str | None = None, client: str | None = None, is_audited: bool = False
    ) -> Iterator[Transaction]:
        """Commits at its end, or rolls back when something is raised."""
        began = self.begin(user=user, client=client, is_audited=is_audited)
        try:
            yield began
        except BaseException:
            began.rollback()
            raise
        began.commit()

    def latest_covered(self) -> datetime:
        """Up to when everything that was stamped can be seen: the second in which the oldest open transaction began,
        else the second that it is now. getUpdated and getDeleted tell it as latestDateCovered."""
        with self.store.lock:
            return min([self.now(), *(each.began for each in self._open)]).replace(microsecond=0)

    def mass_update(self, name: str, where: str, fields: Mapping[str, object]) -> int:
        """By automation, in one transaction: every row of which the SOQL condition holds ("" is all). How many."""
        with self.store.lock, self.transaction() as deed:
            ids = self.select(written("Id", name, where), kept=Kept.LIVING, as_system=True).ids
            for record in ids:
                deed.update(name, record, fields)
        return len(ids)

    def select(self, soql: str, *, kept: Kept = Kept.CURRENT, as_system: bool = False) -> Selection:
        """`as_system`: with what is hidden from the connector's user. Raises the errors of a query."""
        schemas = Schemas(self.schemas) if as_system else self.schemas
        return Selection(self.store, schemas, parse(soql), now=self.now(), kept=kept)

    def get(self, name: str, record: str) -> Row | None:
        """The committed row, as it is stored: without formulas."""
        return self.store.row(self.schemas[name], record)

    def rows(self, name: str, fields: str = "", *, everything: bool = False) -> list[Row]:
        """All rows of an object, with formulas, whoever may see them: for those who compare. Stored values."""
        sobject = self.schemas[name]
        names = fields or ", ".join(field.name for field in sobject.fields if field.type != "address")
        kept = Kept.EVERYTHING if everything else Kept.LIVING
        selection = self.select(written(names, name), kept=kept, as_system=True)
        keys = [".".join(column.names) for column in selection.columns]
        return [dict(zip(keys, row, strict=True)) for row in selection.page(0, selection.total)]

    def rollups_over(self, child: str) -> list[tuple[SObject, Field]]:
        """Roll-ups that add up rows of this object."""
        over = ((each, field) for each in self.schemas for field in each.rollups)
        return [(each, field) for each, field in over if field.rollup is not None and field.rollup.child == child]

    def deed_of_deletion(self, name: str, record: object) -> str | None:
        found = self.store.execute(SQL("deed_of_deletion"), (name, str(record)))
        return str(found[0][0]) if found else None

    def deleted_between(self, name: str, start: str, end: str) -> list[tuple[str, str]]:
        """The delete log of a window of stored datetimes, `end` excluded: ids, and when."""
        return [(row[0], row[1]) for row in self.store.execute(SQL("deleted_between"), (name, start, end))]

    def binned(self, name: str) -> list[str]:
        """What is in the recycle bin."""
        return [row[0] for row in self.store.execute(SQL("in_bin_before"), (name, "9"))]

    def earliest_deletion_kept(self, name: str) -> str | None:
        """From when the delete log is whole, if it was purged."""
        return self._purged_log_to.get(name)

    def log_purged(self, name: str, before: str) -> None:
        self._purged_log_to[name] = before

    def numbered(self, sobject: SObject) -> str:
        """The next number of an auto-numbered name."""
        self._numbers[sobject.name] += 1
        return f"DD-{self._numbers[sobject.name]:06d}"

    def skip_numbers(self, name: str, count: int) -> None:
        """So many auto-numbered names have been given already."""
        self._numbers[name] += count

    def define(self, sobject: SObject, field: Field) -> None:
        """Let queries compute a formula."""
        if field.formula is not None:
            function = formula_function(sobject.name, field.name)
            self.store.define(function, len(field.formula.inputs), field.formula.compute)

    def commit(self, deed: Transaction) -> None:
        """Makes it seen, all at once, and tells of it. Called by the transaction."""
        drafts = [draft for draft in deed.drafts.values() if self._settled(deed, draft)]
        with self.store.at_once():
            for draft in drafts:
                self._keep(deed, draft)
        commit = self.next_commit(deed)
        self.witness((draft.sobject.name, str(draft.after["Id"]), draft.after) for draft in drafts)
        self.events.append(told(drafts, commit, self.manner, self.gaps))
        self.release(deed)

    def witness(self, rows: Iterable[tuple[str, str, Row | None]]) -> None:
        """These rows are seen so from now on: object, id, and the row; None: it is gone."""
        self._shown_to(self.witnesses, rows)

    def witness_silent(self, rows: Iterable[tuple[str, str, Row | None]]) -> None:
        """The same of what no reader of the org could know: they may be seen so from now on."""
        self._shown_to(self.silent_witnesses, rows)

    def _shown_to(self, witnesses: Iterable[Witness], rows: Iterable[tuple[str, str, Row | None]]) -> None:
        told = list(rows)
        for witness in witnesses:
            witness(self.now(), told)

    def next_commit(self, deed: Transaction | None = None) -> Commit:
        self._commits += self.random.randint(1, 40)
        at = self.now().timestamp()
        origin = f"com/salesforce/api/rest/{API_VERSION};client={deed.client}" if deed and deed.client else ""
        key = deed.key if deed else f"{self.random.getrandbits(64):016x}-{self.random.getrandbits(48):012x}"
        return Commit(int(at * 1000), self._commits, key, deed.user if deed else self.automation, origin)

    def release(self, deed: Transaction) -> None:
        """Nothing of it is held any more."""
        self._open = [each for each in self._open if each is not deed]
        self.locks = {record: holder for record, holder in self.locks.items() if holder is not deed}

    def _settled(self, deed: Transaction, draft: Draft) -> bool:
        """Adds up roll-ups; whether anything of the row changed."""
        self._align(draft)
        for name, moved in draft.rollups.items():
            field = draft.sobject.field(name)
            if field is not None:
                draft.after[name] = added_up(deed, self.schemas, field, str(draft.after["Id"]), moved)
        if not draft.by_user and draft.after == draft.before:
            return False
        draft.after["SystemModstamp"] = draft.stamp
        return True

    def _align(self, draft: Draft) -> None:
        """The row as the schema is by now, if an admin changed it since."""
        live = self.schemas[draft.sobject.name]
        if live is draft.sobject:
            return
        now = self.store.row(live, str(draft.after["Id"])) or {each.name: each.default for each in live.stored_fields}
        draft.sobject = live
        draft.after = {name: draft.after.get(name, value) for name, value in now.items()}
        if draft.before is not None:
            draft.before = {name: draft.before.get(name, value) for name, value in now.items()}

    def _keep(self, deed: Transaction, draft: Draft) -> None:
        name, record, before, after = draft.sobject.name, str(draft.after["Id"]), draft.before, draft.after
        if before is None:
            self.store.insert(name, tuple(after), [tuple(after.values())])
        else:
            self.store.update(name, record, {each: value for each, value in after.items() if value != before[each]})
        was_gone, gone = bool(before and before.get("IsDeleted")), bool(after.get("IsDeleted"))
        if gone and not was_gone:
            self.store.execute(SQL("log_deletion"), (name, record, draft.stamp, deed.key, 1))
        elif was_gone and not gone:
            self.store.execute(SQL("forget_deletion"), (name, record))

    def _person(self, name: str, username: str) -> str:
        record = self.ids.next("005")
        now = stamp(self.now())
        row: Row = {"Id": record, "Username": username, "Name": name, "Email": username, "IsActive": 1,
               "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}  # fmt: skip
        self.store.insert("User", tuple(row), [tuple(row.values())])
        return record
