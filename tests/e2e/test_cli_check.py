"""`tieout check`: rows held against what their contract demands, without a worker and beside one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.command import Project, contract_file, image, project, promise
from tieout.ledger.facts import Checked
from tieout.ledger.sqlite import SqliteLedger
from tieout.run.clock import SystemClock

COUNT = "metric: rowCount, mustBeGreaterThan: 1"
TOTAL = 'type: sql, name: total, query: "select sum(amount) from {object}", mustBeLessThan: 100'
ACCOUNT = (
    "name: account, logicalType: string, quality: "
    "[{type: custom, engine: tieout, implementation: {metric: reference, to: erp.account, pendingFor: 1h}}]"
)
AMOUNT = (
    'name: amount, logicalType: number, physicalType: "decimal(10,2)", '
    "quality: [{metric: nullValues, mustBe: 0, severity: warning}]"
)
CODE = "name: code, logicalType: string, unique: true"
VOLUME = "name: at, logicalType: timestamp, quality: [{type: custom, engine: tieout, implementation: {metric: volume}}]"


def promise_orders(root: Path, *, count: str = COUNT, account: str = ACCOUNT) -> None:
    promise(root, "erp.order", account, AMOUNT, CODE, checks=[count, TOTAL])


def with_contracts(root: Path) -> Project:
    books = project(root, within=True)
    promise_orders(root)
    promise(root, "erp.account")
    return books


def order(key: str, position: int, **fields: str | None) -> object:
    return image(key, position, stream="erp.order", **({"account": "A1", "amount": "1.00", "code": key} | fields))


def outcomes(document: dict, stream: str = "erp.order") -> dict[str, str]:
    (found,) = [one for one in document["streams"] if one["stream"] == stream]
    return {one["check"]: one["outcome"] for one in found["checks"]}


def checked(root: Path) -> list[Checked]:
    ledger = SqliteLedger(root / ".tieout" / "ledger.sqlite", SystemClock())
    facts = [entry.fact for entry in ledger.entries(Checked)]
    ledger.close()
    return [fact for fact in facts if isinstance(fact, Checked)]


def test_what_fails_closes_the_gate_and_is_kept_and_what_is_mended_opens_it(tmp_path: Path) -> None:
    books = with_contracts(tmp_path)
    assert set(outcomes(books.json("check")).values()) == {"unknown"}
    orders = [order("1", 1), order("2", 1, amount=None), order("3", 1, account="A2", code="1")]
    books.drop("1.ndjson", image("A1", 1), *orders)
    books.tieout("run", "--once")

    failed = books.json("check", code=3)
    shown = books.tieout("check", "erp.order")
    books.drop("2.ndjson", image("A2", 1), order("3", 2, account="A2"))
    books.tieout("run", "--once")
    warned = books.json("check", "erp.order", "--backtest", "30d")

    assert outcomes(failed) == {
        "code.unique": "failed",
        "rowCount": "passed",
        "total": "passed",
        "account.reference": "pending",
        "amount.nullValues": "failed",
    }
    assert (failed["state"], shown.code, warned["state"]) == ("failed", 3, "warned")
    assert "repeats another row's; must be 0 (such as" in " ".join(shown.out.split())
    assert [name for name, outcome in outcomes(warned).items() if outcome != "passed"] == ["amount.nullValues"]
    states = [fact.state for fact in checked(tmp_path) if fact.stream == "erp.order"]
    assert states == ["passed", "failed", "failed", "warned"]
    kept = "select name, outcome, count(*) from tieout.checks where outcome in ('failed', 'pending') group by all"
    assert sorted(books.query(kept)) == [
        ["account.reference", "pending", 2],
        ["amount.nullValues", "failed", 3],
        ["code.unique", "failed", 2],
    ]


def test_a_worker_that_holds_the_warehouse_answers_and_keeps_what_came_of_it(tmp_path: Path) -> None:
    books = with_contracts(tmp_path)
    books.drop("1.ndjson", image("A1", 1), order("1", 1), order("2", 1))

    with books.worker():
        found = books.json("check", "erp.order")
        kept = books.query("select name, outcome from tieout.checks order by 1")

    assert set(outcomes(found).values()) == {"passed"}
    assert kept == sorted([name, outcome] for name, outcome in outcomes(found).items())


def test_a_day_named_by_the_project_or_the_contract_is_neither_judged_nor_told_of_the_past(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract, settings = contract_file(tmp_path, "erp.account"), tmp_path / "tieout.yaml"
    promise(tmp_path, "erp.account", VOLUME)
    today = datetime.now(UTC).date()
    empty = today - timedelta(days=1)
    days = [today - timedelta(days=back) for back in range(2, 60)]
    books.drop("1.ndjson", *[image(f"{day}-{at}", 1, at=f"{day}T12:00:00Z") for day in days for at in range(12)])
    books.tieout("run", "--once")

    def found() -> tuple[str, int, list[str]]:
        (stream,) = books.json("check", "--backtest", "7d")["streams"]
        (check,) = [one for one in stream["checks"] if one["metric"] == "volume"]
        return check["outcome"], check["backtest"]["judged"], check["backtest"]["cried"]

    unnamed = found()
    plain = settings.read_text()
    settings.write_text(plain + f"exceptional_days: [{empty}]\n")
    by_project = found()
    settings.write_text(plain)
    contract.write_text(
        contract.read_text() + f"customProperties: [{{property: exceptional_days, value: ['{empty}']}}]\n"
    )
    by_contract = found()

    assert unnamed == ("failed", 7, [str(empty)])
    assert by_project == by_contract == ("unknown", 6, [])


def test_what_nobody_can_check_is_answered_with_what_could_be(tmp_path: Path) -> None:
    books = with_contracts(tmp_path)

    promise_orders(tmp_path, count=COUNT.replace("rowCount", "rowCounts"))
    unknown = books.json("check", code=2)["error"]
    promise_orders(tmp_path, account=ACCOUNT.replace("to: erp.account", "to: erp.acount"))
    nowhere = books.json("check", code=2)["error"]
    of_none = books.json("check", "erp.nothing", code=2)["error"]

    assert "order.yaml:10" in unknown["message"]
    assert unknown["hint"] == "Did you mean rowCount?"
    assert "erp.acount, which is no stream of this project" in nowhere["message"]
    assert nowhere["hint"] == "Did you mean erp.account?"
    assert "erp.nothing has not landed" in of_none["message"]
    assert checked(tmp_path) == []
