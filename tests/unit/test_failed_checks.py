"""A check that failed closes a gate if it blocks: a small anomaly that only warns stops nobody's mart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieout.base.stream import Stream
from tieout.ledger.facts import Checked
from tieout.ledger.sqlite import SqliteLedger
from tieout.quality.chain import Chain, Link
from tieout.quality.gate import Gate, judge
from tieout.run.clock import SystemClock
from tieout.run.proven import failed_checks

ORDERS = Stream("shop", "orders")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GATE = Gate("revenue", (ORDERS,), 3600)
PROVEN = {ORDERS: Chain((Link(1, "", NOON, {"state": "complete", "cut": {"at": NOON.isoformat()}, "reasons": []}),))}


@pytest.mark.parametrize(
    ("severity", "outcome", "is_open"),
    [
        ("block", "failed", False),
        ("warn", "failed", True),
        ("note", "failed", True),
        ("block", "pending", True),
        ("block", "unknown", True),
    ],
)
def test_a_check_that_warns_or_waits_closes_no_gate(tmp_path: Path, severity: str, outcome: str, is_open: bool) -> None:
    told = [{"check": "amount.range", "severity": severity, "outcome": outcome}]
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())
    ledger.append([Checked(str(ORDERS), "failed", json.dumps(told))], given=[])

    verdict = judge(GATE, PROVEN, NOON, failed=failed_checks(ledger, [ORDERS]))
    ledger.close()

    assert verdict.is_open is is_open
    assert [one.why for one in verdict.closed] == ([] if is_open else ["Checks that block have failed: amount.range."])
