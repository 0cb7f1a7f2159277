"""`tieout incidents --tell`: each address hears of an incident once, and once more when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.e2e.command import Project, contract_file, image, project
from tieout.base.errors import Occupied
from tieout.ledger.facts import Ran
from tieout.merge.warehouse import Engine
from tieout.quality.incident import Trouble
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.incidents import open_incidents
from tieout.run.project import load_project
from tieout.run.serve import PatientReader

SECRET = "T0K3N"


class Listening(BaseHTTPRequestHandler):
    """A webhook. `heard` keeps what was sent to it; while it is `deaf` it refuses."""

    heard: list[dict[str, Any]]
    deaf = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not type(self).deaf:
            type(self).heard.append(body)
        self.send_response(503 if type(self).deaf else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the test's stderr."""


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Listening]]]:
    """The address of a webhook that listens, and what it hears."""
    kind = type("Hook", (Listening,), {"heard": [], "deaf": False})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/{SECRET}", kind
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def books(tmp_path: Path, hook: tuple[str, type[Listening]]) -> Project:
    books = project(tmp_path, within=True)
    with (tmp_path / "tieout.yaml").open("a") as file:
        file.write(f'alerts:\n  - {{to: "{hook[0]}", least: warn}}\n')
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    with (tmp_path / "contracts" / "erp" / "account.yaml").open("a") as file:
        file.write("team: {members: [{username: ann, role: owner}]}\nsupport: [{channel: '#books'}]\n")
    return books


def hide(books: Project) -> None:
    (books.root / "inbox").rename(books.root / "elsewhere")
    books.tieout("run", "--once")


def bring_back(books: Project) -> None:
    (books.root / "elsewhere").rename(books.root / "inbox")
    books.tieout("run", "--once")


def titles(kind: type[Listening]) -> list[str]:
    return [one["title"] for one in kind.heard]


def test_an_incident_is_told_once_and_its_end_once(books: Project, hook: tuple[str, type[Listening]]) -> None:
    heard = hook[1]
    assert books.json("incidents", "--tell") == {"incidents": [], "unread": "", "sent": []}

    hide(books)
    first = books.json("incidents", "--tell", code=3)["sent"]
    again = books.json("incidents", "--tell", code=3)
    bring_back(books)
    over = books.json("incidents", "--tell")["sent"]

    assert first == [{"to": "json", "event": "opened", "incident": "source:erp", "delivered": True}]
    assert again["sent"] == []
    assert again["incidents"][0]["owner"] == {"names": ["ann"], "channels": ["#books"]}
    assert [one["event"] for one in over] == ["recovered"]
    assert titles(heard) == ["Incident: source:erp", "Recovered: source:erp"]
    assert "Owner: ann, #books." in heard.heard[0]["message"]
    assert "tieout doctor --source erp" in heard.heard[0]["message"]
    assert "docs/operate/runbooks/source.md" in heard.heard[0]["message"]
    hide(books)
    books.json("incidents", "--tell", code=3)
    assert titles(heard)[2:] == ["Incident: source:erp"]


def test_what_could_not_be_delivered_is_tried_again(books: Project, hook: tuple[str, type[Listening]]) -> None:
    heard = hook[1]
    hide(books)
    heard.deaf = True
    lost = books.json("incidents", "--tell", code=3)["sent"]
    heard.deaf = False
    books.json("incidents", "--tell", code=3)

    assert [one["delivered"] for one in lost] == [False]
    assert titles(heard) == ["Incident: source:erp"]


def test_a_test_reaches_everybody_and_the_address_is_shown_nowhere(
    books: Project, hook: tuple[str, type[Listening]]
) -> None:
    said = books.tieout("incidents", "--test")

    assert said.code == 0
    assert titles(hook[1]) == ["Test: books"]
    assert SECRET not in said.out + said.err
    hook[1].deaf = True
    assert books.tieout("incidents", "--test").code == 1


@pytest.mark.parametrize(
    ("alerts", "says"),
    [
        ("", "names nobody who is to be told"),
        (f"alerts: [{{to: 'nosuch://{SECRET}'}}]\n", "of the scheme nosuch"),
        (f"alerts: [{{to: 'json://{SECRET}', least: loud}}]\n", "least"),
        ("alerts: [{}]\n", "to"),
    ],
)
def test_alerts_that_make_no_sense_are_refused_without_showing_them(tmp_path: Path, alerts: str, says: str) -> None:
    books = project(tmp_path, within=True)
    with (tmp_path / "tieout.yaml").open("a") as file:
        file.write(alerts)

    said = books.tieout("incidents", "--test")

    assert said.code == 2
    assert says in " ".join(said.err.split())
    assert SECRET not in said.err


def test_a_contract_that_cannot_be_read_is_told_once_and_silences_nothing_else(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    torn = '{"stream": "erp.order", "kind": "image"'
    books.drop("1.ndjson", image("A", 1, name="a"), image("B", 1, stream="erp.order", name="b"), torn)
    books.tieout("run", "--once")
    with duckdb.connect(str(tmp_path / ".tieout" / "warehouse.duckdb")) as connection:
        connection.execute("update tieout.applied set merged_at = now() - interval 8 day")
    (tmp_path / "contracts" / "erp" / "account.yaml").write_text("no contract: [")

    before = books.json("incidents", code=3)["incidents"]
    books.drop("2.ndjson", image("A", 2, name="b"))
    books.tieout("run", "--once")
    after = books.json("incidents", code=3)["incidents"]

    assert [one["id"] for one in before] == ["stuck:erp.account", "quarantine:erp.order"]
    assert [one["id"] for one in after] == ["stuck:erp.account", "quarantine:erp.order"]
    assert all("account.yaml:2" in told[0]["what"] for told in (before, after))


def test_a_warehouse_that_cannot_be_read_is_told_and_keeps_nobody_from_hearing_the_rest(
    books: Project, hook: tuple[str, type[Listening]]
) -> None:
    """What is wrong with a source stands in the ledger."""
    hide(books)
    (books.root / ".tieout" / "warehouse.duckdb").write_bytes(b"no such file any more" * 1000)

    unread = books.json("incidents", "--tell", code=3)["unread"]

    assert "is damaged" in unread
    assert titles(hook[1]) == ["Incident: warehouse:project", "Incident: source:erp"]
    bring_back(books)
    (books.root / ".tieout" / "warehouse.duckdb").unlink()
    books.tieout("run", "--once")
    assert books.json("incidents", "--tell")["incidents"] == []
    assert titles(hook[1])[2:] == ["Recovered: warehouse:project", "Recovered: source:erp"]


class Held:
    """Implements `Reader` over a warehouse that another process holds."""

    engine = Engine.DUCKDB

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        raise Occupied("process 7 holds the warehouse's file.", hint="Wait for it.")

    def close(self) -> None:
        """It never had it."""


def test_a_warehouse_that_somebody_holds_is_no_trouble_and_what_it_would_tell_is_not_over(books: Project) -> None:
    hide(books)

    with opened(load_project(books.root, environ={}), SystemClock()) as house:
        look = open_incidents(house, Held())

    assert [one.id for one in look.incidents] == ["source:erp"]
    assert "process 7" in look.unread
    assert {"books", "quarantine", "warehouse"} <= look.unseen


class Later(SystemClock):
    """So many minutes from now."""

    def __init__(self, minutes: int) -> None:
        super().__init__()
        self.ahead = timedelta(minutes=minutes)

    def now(self) -> datetime:
        return super().now() + self.ahead


def in_(minutes: int, books: Project) -> list[Trouble]:
    """What will be wrong if nothing happens until then."""
    clock = Later(minutes)
    with opened(load_project(books.root, environ={}), clock) as house:
        look = open_incidents(house, PatientReader(house.project.warehouse, clock))
    return [one.trouble for one in look.incidents]


def test_a_worker_that_is_gone_is_told_where_a_contract_promises_more(books: Project) -> None:
    assert in_(10_000, books) == []

    with contract_file(books.root, "erp.account").open("a") as contract:
        contract.write("slaProperties: [{property: frequency, value: 1, unit: h}]\n")

    assert in_(59, books) == []
    (gone,) = in_(125, books)
    assert gone.id == "source:erp"
    assert gone.what == "Nobody has read it for 2 hours, and erp.account is promised within 60 minutes."
    with opened(load_project(books.root, environ={}), Later(120)) as house:
        house.tools.ledger.append([Ran("erp", "partial", "the source is away.")], given=[])
    assert in_(125, books) == []  # somebody tries to read it
    assert in_(140, books)[0].what == "the source is away."


def test_a_promise_of_seconds_rings_for_no_worker_that_is_started_anew(books: Project) -> None:
    with contract_file(books.root, "erp.account").open("a") as contract:
        contract.write("slaProperties: [{property: latency, value: 1, unit: s}]\n")

    assert in_(10, books) == []
    assert [one.id for one in in_(16, books)] == ["source:erp"]
