"""The source at a simulated org, without a worker: pieces are registered here, and folded by the rule."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import httpx
import pyarrow as pa

from tests.org import HandClock
from tieout.base.cursor import Cursor
from tieout.base.stream import Stream
from tieout.base.types import Column, Kind
from tieout.capture.hole import unread
from tieout.capture.salesforce.budget import Budget
from tieout.capture.salesforce.events.subscription import Subscription
from tieout.capture.salesforce.source import SalesforceSource
from tieout.capture.salesforce.wanted import Wanted
from tieout.capture.salesforce.wire.bulk import BulkJobs as BulkQueries
from tieout.capture.salesforce.wire.client import Client
from tieout.capture.salesforce.wire.oauth import ClientCredentials
from tieout.capture.salesforce.wire.org import OrgWire
from tieout.capture.source import Captured
from tieout.contract.contract import Contract
from tieout.contract.judge import judge
from tieout.merge.rule import State, fold, is_shown, object_gap_is_open, open_reasons
from tieout.merge.told import changes_of
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.replay import ReplayIds
from tieout.sim.org.pubsub.server import PubSubServer
from tieout.sim.org.pubsub.stream import Rhythm
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

CHANNEL = "/data/ChangeEvents"
KEEPALIVE_SECONDS = 0.02
_AWAIT_SECONDS = 2.0
_PASSES_MAX = 200
_KEY = ("Id",)


def wanted(*names: str, **more: Any) -> tuple[Wanted, ...]:
    """Each looked at every minute, its derived fields never, where nothing else is said."""
    chosen = {"every_seconds": 60.0, "deleted_seconds": 60.0, "derived_seconds": 0.0} | more
    return tuple(Wanted(name, **chosen) for name in names)


class _Prompt(Subscription):
    """Waits a moment for word of the org, which is quick here: so a pass hears what was told before it."""

    def take(self, max_events: int, wait_seconds: float) -> Any:
        return super().take(max_events, max(wait_seconds, _AWAIT_SECONDS))


@dataclass
class Served:
    """An org that answers on this machine. `clock` is the org's, the worker's, and a hand's."""

    org: Org
    clock: HandClock
    rest: OrgServer
    bulk: BulkJobs
    events: PubSubServer

    def wire(self, *, hears: bool = True) -> OrgWire:
        # No authority is looked up, as nobody here has a certificate: that takes longer than a pass.
        transport = httpx.HTTPTransport(verify=False)
        budget = Budget(reserve=0.2, look_again=timedelta(minutes=15))
        credentials = ClientCredentials("app", "hush")
        client = Client(self.rest.login_url, credentials, "62.0", clock=self.clock, budget=budget, transport=transport)
        subscribe = partial(self._subscription, client) if hears else None
        return OrgWire(client, BulkQueries(client), CHANNEL, subscribe)

    def _subscription(self, client: Client) -> Subscription:
        return _Prompt(
            self.events.target,
            CHANNEL,
            client.token,
            clock=self.clock,
            renew=client.renew,
            pauses_seconds=(0.01, 0.01),
        )


@contextmanager
def served(seed: int = 7, *, org_id: str = "00D5f0000000001EAA", clock: HandClock | None = None) -> Iterator[Served]:
    clock = clock or HandClock()
    org = Org(seed, clock, org_id=org_id)
    org.sessions.register(App("app", "hush", run_as="integration@tieout.example"))
    with ExitStack() as stack:
        rest, bulk = OrgServer(org), BulkJobs(org)
        rest.add(*BulkRoutes(bulk).routes)
        stack.enter_context(rest)
        stack.callback(bulk.close)
        events = stack.enter_context(PubSubServer(org, rest.script, rhythm=Rhythm(keepalive=KEEPALIVE_SECONDS)))
        yield Served(org, clock, rest, bulk, events)


class Worker:
    """Reads one org, and knows what it was told. `before_each` is done before a piece is registered."""

    def __init__(self, at: Served, objects: Sequence[Wanted], *, hears: bool = True) -> None:
        self.at, self.org, self.clock, self.script = at, at.org, at.clock, at.rest.script
        self.objects = tuple(objects)
        self.hears = hears
        self.known: dict[str, Cursor] = {}
        self.tables: defaultdict[str, list[pa.Table]] = defaultdict(list)
        self.pieces: list[Captured] = []
        self.before_each: Callable[[], None] = lambda: None
        self.columns: dict[str, dict[str, Column]] = {}
        self._folded: dict[str, tuple[int, State]] = {}
        self.source = self._begun()

    def _begun(self) -> SalesforceSource:
        return SalesforceSource("crm", self.at.wire(hears=self.hears), self.objects, clock=self.clock, margin_seconds=1)

    def restart(self) -> None:
        """This process ends, and another goes on from what is registered."""
        self.source.close()
        self.source = self._begun()

    def close(self) -> None:
        self.source.close()

    # -- passes ----------------------------------------------------------------------------------------------------

    def told(self) -> Iterator[Captured]:
        """A pass, that registers nothing."""
        return self.source.capture(self.known, until=self.source.bound(), meanwhile=lambda: self.clock.sleep(1.0))

    def turn(self, seconds: float = 60.0) -> list[Captured]:
        """So much time goes by, the org is described where that is old, and all that is due is read and registered."""
        self.clock.sleep(seconds)
        for one in self.source.describe(anew=True):
            self.columns.setdefault(one.object, {}).update({column.name: column for column in one.columns})
        pieces = []
        for piece in self.told():
            self.before_each()
            self.land(piece)
            pieces.append(piece)
        return pieces

    def turns(self, count: int = 3, seconds: float = 60.0) -> None:
        for _ in range(count):
            self.turn(seconds)

    def killed(self, pieces: int, *, is_sealed: bool = False) -> bool:
        """A pass that ends with its process after so many pieces; `is_sealed`: the next one had landed, and was not
        registered. Whether it came so far."""
        told = self.told()
        landed = 0
        for piece in islice(told, pieces):
            self.land(piece)
            landed += 1
        if is_sealed and landed == pieces and (further := next(told, None)) is not None:
            self.seal(further)
        told.close()  # type: ignore[attr-defined]
        self.restart()
        return landed == pieces

    def until(self, is_so: Callable[[], bool]) -> None:
        """Passes without time going by."""
        for _ in range(_PASSES_MAX):
            if is_so():
                return
            self.turn(0.0)
        raise AssertionError("it did not come about")

    def hear(self) -> None:
        """Passes, until all is registered that the org has told so far."""
        self.until(self._has_heard)

    def _has_heard(self) -> bool:
        state = self.known["events"].read() if "events" in self.known else {}
        if not state.get("replay"):
            return False
        place = ReplayIds(0, 0).decode(b64decode(state["replay"]))
        return place is not None and place.position >= self.org.events.latest

    def land(self, piece: Captured) -> None:
        track = piece.after.track
        assert self.known.get(track) == piece.before, "each piece begins where the one before it ended"
        assert piece.before is None or piece.before.position < piece.after.position
        self.seal(piece)
        self.known[track] = piece.after
        self.source.acknowledge(piece.after)

    def seal(self, piece: Captured) -> None:
        self.pieces.append(piece)
        for object_, table in piece.tables.items():
            self.tables[object_].append(table)

    # -- what it comes to ------------------------------------------------------------------------------------------

    @property
    def holes(self) -> list[str]:
        return [hole.reason for of_object in unread(self.known).values() for hole in of_object.holes]

    def contract(self, object_: str) -> Contract:
        """The columns as the org describes them now, and those that it once did."""
        for one in self.source.describe():
            self.columns.setdefault(one.object, {}).update({column.name: column for column in one.columns})
        columns = tuple(self.columns[object_].values())
        return Contract(Stream("crm", object_), columns, _KEY, "1.0.0", "active", "digest")

    def state(self, object_: str) -> State:
        if self._folded.get(object_, (0, State()))[0] != len(self.tables[object_]):
            self._folded[object_] = len(self.tables[object_]), self._state(object_)
        return self._folded.get(object_, (0, State()))[1]

    def _state(self, object_: str) -> State:
        contract, state = self.contract(object_), State()
        if self.tables[object_]:
            table = pa.concat_tables(self.tables[object_], promote_options="default")
            judged = judge(table, contract, encoding="text", epoch=0)
            fold(state, changes_of(judged.changes), fields=frozenset(column.name for column in contract.fields))
        return state

    def rows(self, object_: str) -> dict[str, dict[str, Any]]:
        """As they would be shown: by id, each column that was told."""
        state = self.state(object_)
        return {
            _id(key): {name: value for name, (_, value) in row.fields.items()}
            for key, row in state.rows.items()
            if is_shown(row, state, required=frozenset())
        }

    def open_keys(self, object_: str) -> list[str]:
        state = self.state(object_)
        return [key for key, row in state.rows.items() if open_reasons(row, state, required=frozenset())]

    def mend(self) -> int:
        """Reads again what is not known for certain; how many keys."""
        wanted = {one.object: tuple(self.open_keys(one.object)) for one in self.objects}
        wanted = {object_: keys for object_, keys in wanted.items() if keys}
        with self.source.reread(wanted) as told:
            for piece in told:
                self.seal(piece)
        return sum(map(len, wanted.values()))

    def differences(self, object_: str, *, but: frozenset[str] = frozenset()) -> list[str]:
        """Where what is shown is not what the org has, but for these columns."""
        shown, true = self.rows(object_), self.truth(object_)
        names = {column.name for column in self.contract(object_).fields} - but
        wrong = ["it has an open gap"] if object_gap_is_open(self.state(object_)) else []
        wrong += [f"{id_} is open" for id_ in map(_id, self.open_keys(object_))]
        wrong += [f"{id_} is a ghost" for id_ in shown.keys() - true.keys()]
        wrong += [f"{id_} is missing" for id_ in true.keys() - shown.keys()]
        wrong += [
            f"{id_}.{name}: told {shown[id_].get(name)!r}, true {true[id_].get(name)!r}"
            for id_ in shown.keys() & true.keys()
            for name in sorted(names)
            if shown[id_].get(name) != true[id_].get(name)
        ]
        return wrong

    def truth(self, object_: str) -> dict[str, dict[str, Any]]:
        """The rows that the org has, in the terms of the rule."""
        columns = {column.name: column for column in self.contract(object_).columns}
        api_name = next(one.api_name for one in self.objects if one.object == object_)
        hidden = self.org.schemas.hidden_rows[self.org.schemas[api_name].name]
        return {
            str(row["Id"]): {name: _true(row[name], column) for name, column in columns.items() if name in row}
            for row in self.org.rows(api_name)
            if row["Id"] not in hidden
        }

    def count(self, kind: str, object_: str) -> int:
        """How often a change of this kind landed."""
        return sum(table.column("_kind").to_pylist().count(kind) for table in self.tables[object_])


@contextmanager
def working(*names: str, hears: bool = True, seed: int = 7, **more: Any) -> Iterator[Worker]:
    with served(seed) as at:
        worker = Worker(at, wanted(*names, **more), hears=hears)
        try:
            yield worker
        finally:
            worker.close()


def _id(key: str) -> str:
    return str(json.loads(key)[0])


def _true(value: Any, column: Column) -> Any:
    """As the org stores it -> as the rule holds it."""
    kind = column.type.kind
    if value is None or value == "":
        return None
    if kind is Kind.BOOLEAN:
        return bool(value)
    if kind in (Kind.DECIMAL, Kind.NUMERIC):
        return Decimal(str(value)) if kind is Kind.DECIMAL else str(value)
    if kind is Kind.DATE:
        return (datetime.fromisoformat(str(value)) - datetime(1970, 1, 1)).days
    if kind is Kind.TIMESTAMPTZ:
        delta = datetime.fromisoformat(str(value)) - datetime.fromisoformat("1970-01-01T00:00:00Z")
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return value
