"""Each address hears what is new for it, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.base.stream import Stream
from tieout.ledger.ledger import Ledger
from tieout.ledger.sqlite import SqliteLedger
from tieout.quality.incident import Cause, Incident, Severity, Trouble, incidents
from tieout.run import alerting
from tieout.run.alerting import alert, try_out
from tieout.run.clock import SystemClock
from tieout.run.project import AlertConfig

ORDERS = Stream("shop", "orders")
AWAY = incidents([Trouble(Cause.SOURCE, "shop", None, None, "It is away.", "Do this.")])
WAITING = incidents([Trouble(Cause.QUARANTINE, "shop", ORDERS, None, "They wait.", "Do this.")])


class Hearing:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def deliver(self, title: str, text: str) -> bool:
        self.heard.append(title)
        return True


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> Hearing:
    """What every address hears but the one that nobody understands."""
    hearing = Hearing()

    def post_of(address: AlertConfig) -> Hearing:
        if address.to == "wrong":
            raise Misconfigured("an address that nobody understands.", hint="Mend it.")
        return hearing

    monkeypatch.setattr(alerting, "post_of", post_of)
    return hearing


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())
    yield ledger
    ledger.close()


def failed(*names: str) -> tuple[Incident, ...]:
    return incidents([Trouble(Cause.CHECK, "shop", ORDERS, None, "They failed.", "Do this.", names)])


def test_one_address_that_is_wrong_silences_no_other_and_is_told(ledger: Ledger, hearing: Hearing) -> None:
    addresses = [AlertConfig("wrong", Severity.WARN), AlertConfig("right", Severity.WARN)]

    with pytest.raises(Misconfigured, match="nobody understands"):
        alert(ledger, AWAY, addresses)
    with pytest.raises(Misconfigured, match="nobody understands"):
        try_out(addresses, "books")

    assert hearing.heard == ["Incident: source:shop", "Test: books"]


def test_an_address_that_is_listed_twice_hears_of_each_thing_once(ledger: Ledger, hearing: Hearing) -> None:
    addresses = [AlertConfig("one", Severity.WARN), AlertConfig("one", Severity.PAGE)]

    for found in (WAITING, WAITING, (), ()):
        alert(ledger, found, addresses)

    assert hearing.heard == ["Warning: quarantine:shop.orders", "Recovered: quarantine:shop.orders"]


def test_a_second_check_that_fails_is_told_once(ledger: Ledger, hearing: Hearing) -> None:
    for found in (failed("a"), failed("a", "b"), failed("a", "b"), (), failed("b")):
        alert(ledger, found, [AlertConfig("one", Severity.PAGE)])

    opened, grew, over = (f"{word}: check:shop.orders" for word in ("Incident", "Incident grew", "Recovered"))
    assert hearing.heard == [opened, grew, over, opened]
