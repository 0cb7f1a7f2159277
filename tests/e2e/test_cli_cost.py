"""`tieout cost` and `tieout snowflake setup` of a project that has run."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command import image, project


def test_a_project_that_has_run_is_estimated_from_its_own_ledger(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", *(image(f"A{number}", number, name="a") for number in range(1, 51)))
    books.tieout("run", "--once")

    told = books.json("cost")

    figures = {one["figure"]: one["values"] for one in told["swings"]}
    assert told["budget"] is None
    assert told["usd"]["likely"] > 0
    assert "streams.erp.account.updated" in figures


def test_a_budget_that_a_project_does_not_hold_is_told_by_the_exit_code(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"))
    books.tieout("run", "--once")

    assert books.tieout("cost", "--budget", "1", "--json").code == 3
    assert books.tieout("cost", "--budget", "1000000", "--json").code == 0


def test_a_project_without_a_batch_is_asked_for_volumes(tmp_path: Path) -> None:
    said = project(tmp_path, within=True).tieout("cost", "--json")

    assert said.code == 2
    assert "--volumes FILE" in said.document["error"]["hint"]


def test_the_set_up_of_a_project_is_data_too_and_nothing_is_said_without_print(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)

    told = books.json("snowflake", "setup", "--print", "--credits", "live=7", "--from", "10.0.0.0/8")
    silent = books.tieout("snowflake", "setup", "--json")

    roles = [section["role"] for section in told["sections"]]
    texts = [one["text"] for section in told["sections"] for one in section["statements"]]
    assert roles[:4] == ["SECURITYADMIN", "SYSADMIN", "ACCOUNTADMIN", "SECURITYADMIN"]
    assert any("credit_quota = 7 " in text for text in texts)
    assert any("allowed_ip_list = ('10.0.0.0/8')" in text for text in texts)
    assert (silent.code, silent.document["error"]["kind"]) == (2, "misconfigured")
