"""An address that nobody understands keeps no other from being told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.ledger.sqlite import SqliteLedger
from tieout.quality.incident import Cause, Severity, Trouble, incidents
from tieout.run import alerting
from tieout.run.alerting import alert
from tieout.run.clock import SystemClock
from tieout.run.project import AlertConfig


class Hearing:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def deliver(self, title: str, text: str) -> bool:
        self.heard.append(title)
        return True


def test_one_address_that_is_wrong_silences_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hearing = Hearing()

    def post_of(address: AlertConfig) -> Hearing:
        if address.to == "wrong":
            raise Misconfigured("an address that nobody understands.", hint="Mend it.")
        return hearing

    monkeypatch.setattr(alerting, "post_of", post_of)
    away = incidents([Trouble(Cause.SOURCE, "shop", None, None, "It is away.", "Do this.")])
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())

    with suppress(Misconfigured):
        alert(ledger, away, [AlertConfig("wrong", Severity.WARN), AlertConfig("right", Severity.WARN)])

    assert hearing.heard == ["Incident: source:shop"]
