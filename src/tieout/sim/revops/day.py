"""A working day, in minutes: what happens to the org beside its ordinary life, in the order and at the times that a
seed draws. Each incident is one of those that connectors are known to lose rows by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from ..org.misbehaviour import ExpireLocator, unavailable
from ..org.org import Org
from ..org.schema import Field
from ..org.soql import written
from ..org.transaction import Transaction
from .company import Company

NEW_FIELD = "Loss_Reason__c"
_MASS_ROWS = 2_000
_LATE_SECONDS = 6.0
_CRISIS_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Incident:
    """At so many seconds of the day; `kills`: the worker is dead while it happens."""

    seconds: float
    says: str
    deed: Callable[[Scene], None]
    kills: bool = False


class Scene:
    """What incidents work upon, and what they leave for later."""

    def __init__(self, company: Company, dice: Random) -> None:
        self.company = company
        self.dice = dice
        self._later: list[tuple[float, Callable[[], object]]] = []

    @property
    def org(self) -> Org:
        return self.company.org

    def later(self, seconds: float, deed: Callable[[], object]) -> None:
        due = self.org.now() + timedelta(seconds=seconds)
        self._later.append((due.timestamp(), deed))

    def do_due(self, *, all_: bool = False) -> None:
        """What was left for now; at the day's end, all that was left."""
        now = self.org.now().timestamp()
        due = [one for one in self._later if all_ or one[0] <= now]
        self._later = [one for one in self._later if one not in due]
        for _, deed in due:
            deed()

    def some(self, object_: str, count: int, where: str = "") -> list[str]:
        """Ids of some rows that are there."""
        ids = self.org.select(written("Id", object_, where), as_system=True).ids
        ids = [id_ for id_ in ids if self._is_free(object_, id_)]
        return self.dice.sample(ids, min(count, len(ids)))

    def _is_free(self, object_: str, id_: str) -> bool:
        """Whether nobody holds the row, nor a row that it names: a roll-up there would have to be added up anew."""
        row = self.org.get(object_, id_) or {}
        return not self.org.locks.keys() & {id_, *(str(value) for value in row.values() if value)}


def day(*, seed: int, seconds: float, chaos: bool) -> tuple[Incident, ...]:
    """The incidents of a day of so many seconds, none in its first and last tenths. Without chaos nothing fails and
    nobody is killed: what the org's people and flows do remains."""
    dice = Random(f"day {seed}")
    chosen = [*_HARD, *_ORDINARY] if chaos else list(_ORDINARY)
    dice.shuffle(chosen)
    step = 0.8 * seconds / len(chosen)
    return tuple(
        Incident(0.1 * seconds + at * step + dice.uniform(0, 0.6 * step), says, deed, kills)
        for at, (says, deed, kills) in enumerate(chosen)
    )


def _mass_update(scene: Scene) -> None:
    _update(scene, "Opportunity", _MASS_ROWS, {"NextStep": f"Review {scene.dice.randint(1, 999)}"})


def _update(scene: Scene, object_: str, rows: int, fields: Mapping[str, object], where: str = "") -> None:
    """By automation, in one transaction. Rows that people hold just then are left alone."""
    with scene.org.store.lock, scene.org.transaction() as deed:
        for id_ in scene.some(object_, rows, where):
            deed.update(object_, id_, fields)


def _gaps(scene: Scene) -> None:
    scene.org.gaps.update({"Opportunity": 10, "Account": 5})
    _update(scene, "Opportunity", 8, {"NextStep": "Told by a gap alone"})


def _overflow(scene: Scene) -> None:
    most, scene.org.manner.changes_most = scene.org.manner.changes_most, 100
    try:
        _update(scene, "Opportunity", 300, {"Description": f"Campaign {scene.dice.randint(1, 999)}"})
    finally:
        scene.org.manner.changes_most = most


def _token_expires(scene: Scene) -> None:
    scene.company.rest.expire_sessions()


def _long_transaction(scene: Scene) -> None:
    """Rows stamped now, seen only when it commits."""
    with scene.org.store.lock:
        work: Transaction = scene.org.begin()
        for id_ in scene.some("Opportunity", 5):
            work.update("Opportunity", id_, {"NextStep": "Stamped long before it was seen"})
    scene.later(_LATE_SECONDS, work.commit)


def _limit_reached(scene: Scene) -> None:
    """Another application makes all calls that are left; then their hour is over."""
    api = scene.org.api
    api.use(max(0, api.most - api.used))

    def relieved() -> None:
        api.most = 2 * api.used

    scene.later(_CRISIS_SECONDS, relieved)


def _new_field(scene: Scene) -> None:
    """It has values of rows that nobody touches again."""
    org = scene.org
    org.admin.add_field("Opportunity", Field(NEW_FIELD, "string", "Loss reason", length=80))
    with org.store.lock:
        silently = scene.some("Opportunity", 200)
        org.silent.database_job("Opportunity", silently, {NEW_FIELD: "Filled by a migration"}, moves_stamp=False)
    _update(scene, "Opportunity", 20, {NEW_FIELD: "Price"})


def _deletions(scene: Scene) -> None:
    with scene.org.store.lock:
        _delete(scene)


def _delete(scene: Scene) -> None:
    gone = scene.some("Task", 40) + scene.some("Lead", 10)
    with scene.org.store.lock, scene.org.transaction() as deed:
        for id_ in gone:
            deed.delete("Task" if id_.startswith("00T") else "Lead", id_)
    back = [id_ for id_ in gone if id_.startswith("00Q")][:4]

    def undelete() -> None:
        with scene.org.store.lock, scene.org.transaction() as deed:
            binned = set(scene.org.binned("Lead"))  # people bring some back by themselves
            for id_ in [one for one in back if one in binned and one not in scene.org.locks]:
                deed.undelete("Lead", id_)

    scene.later(3.0, undelete)


def _purge(scene: Scene) -> None:
    """Past the recycle bin, and what was in it too."""
    with scene.org.store.lock:
        scene.org.silent.hard_delete("Task", scene.some("Task", 25))
        scene.org.silent.purge_bin("Task")


def _merge(scene: Scene) -> None:
    with scene.org.store.lock, scene.org.transaction() as deed:
        winner, *losers = scene.some("Account", 3)
        deed.merge("Account", winner, losers)


def _formula_drifts(scene: Scene) -> None:
    """A formula of deals changes with their accounts, and no stamp and no event of theirs tells of it."""
    _update(scene, "Account", 40, {"Tier__c": scene.dice.choice(["Enterprise", "Mid-Market", "SMB"])})


def _place_expires(scene: Scene) -> None:
    """What was heard last is older than the org keeps: three days pass while nobody listens."""
    _mass_update(scene)
    scene.company.pubsub.migrate()


def _nothing(scene: Scene) -> None:
    """To be killed is enough."""


def _edge_fails(scene: Scene) -> None:
    scene.company.script.at("query", 1, unavailable(), times=2)
    scene.company.script.at("query_more", 1, ExpireLocator())


def _picklist(scene: Scene) -> None:
    scene.org.admin.add_picklist_value("Opportunity", "StageName", "Security Review")
    _update(scene, "Opportunity", 10, {"StageName": "Security Review"}, "IsClosed = false")


_Line = tuple[str, Callable[[Scene], None], bool]

_ORDINARY: tuple[_Line, ...] = (
    ("automation updates every open opportunity", _mass_update, False),
    ("a custom field is added, with a history", _new_field, False),
    ("a stage is added to the picklist", _picklist, False),
    ("tasks and leads are deleted, some leads come back", _deletions, False),
    ("accounts are merged", _merge, False),
    ("account tiers change, and a formula of their deals with them", _formula_drifts, False),
    ("a transaction stays open for some seconds", _long_transaction, False),
)
_HARD: tuple[_Line, ...] = (
    ("the next events are gaps", _gaps, False),
    ("a transaction overflows the channel", _overflow, False),
    ("every session expires", _token_expires, False),
    ("the org's daily limit of calls is reached", _limit_reached, False),
    ("tasks are purged past the recycle bin", _purge, False),
    ("the place in the channel of events expires while the worker is dead", _place_expires, True),
    ("the edge answers with HTML, and a query's cursor is forgotten", _edge_fails, False),
    ("the worker is killed", _nothing, True),
    ("the worker is killed", _nothing, True),
    ("the worker is killed", _nothing, True),
)
