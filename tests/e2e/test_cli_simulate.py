"""`tieout simulate` as its users have it: a run watched, a campaign, a planted bug caught, nonsense refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import Said, run_within
from tests.e2e.test_cli_documents import documents, members

BUG = "nulls_dropped"


def simulate(*arguments: str) -> Said:
    return run_within(["simulate", *arguments])


def named(document: object) -> set[str]:
    """The members of a document, but what is in those that differ from case to case."""
    by_kind = ("faults_by_kind.", "crash_points.", "crashes_behind_step.", "invariant_checks_by_kind.", "sometimes.")
    parts = (*by_kind, "versions.", "bugs[]")
    return {one for one in members(document) if not any(f".{part}" in one for part in parts)}


def test_a_run_is_watched_and_ends_with_its_verdict() -> None:
    said = simulate("--seed", "4")

    assert said.code == 0, said
    assert "Seed 4: every invariant held." in said.out
    assert "strikes" in said.err


def test_a_run_is_watched_to_a_step_and_is_the_same_each_time() -> None:
    first, again = (simulate("--seed", "4", "--until", "100", "--json").document for _ in range(2))

    assert first == again
    assert (first["halted"], first["steps"]) == (True, 100)
    assert first["last_steps"]


def test_the_page_shows_what_is_written() -> None:
    run, campaign = documents()["simulate"]

    assert named(simulate("--until", "50", "--json").document) == named(run)
    assert named(simulate("--algebra", "10", "--cores", "1", "--json").document) == named(campaign)


def test_a_campaign_of_the_system_sums_its_seeds_and_runs_one_twice() -> None:
    document = simulate("--seeds", "2", "--first-seed", "6", "--cores", "2", "--json").document

    assert (document["seeds"], document["violations"], document["repeated_seeds"]) == (2, 0, 1)
    assert document["bound"] == 1.5
    assert document["faults"] == sum(document["faults_by_kind"].values()) > 0
    assert document["invariant_checks"] == sum(document["invariant_checks_by_kind"].values()) > 0


def test_a_planted_bug_is_caught_and_the_command_told_that_repeats_it() -> None:
    said = simulate("--algebra", "500", "--cores", "1", "--plant", BUG, "--json")
    found = said.document["violated"]

    assert said.code == 1
    assert said.document["violations"] == len(found) > 0
    assert said.document["bound"] is None
    assert found[0]["repeat"] == f"tieout simulate --algebra 1 --first-seed {found[0]['seed']} --plant {BUG}"
    again = simulate(*found[0]["repeat"].split()[2:], "--cores", "1", "--json").document
    assert [one["message"] for one in again["violated"]] == [found[0]["message"]]


@pytest.mark.parametrize("bug", ["file_not_synced", "lease_kept"])
def test_the_command_that_is_told_brings_a_violation_back(bug: str) -> None:
    """One is broken at a step, the other at rest."""
    first = simulate("--plant", bug, "--json")
    again = simulate(*first.document["repeat"].split()[2:], "--json")

    assert first.code == 1
    assert first.document["violation"]
    assert again.document == first.document


def test_an_unknown_bug_is_answered_with_the_nearest() -> None:
    said = simulate("--algebra", "10", "--plant", "nulls_droped")

    assert said.code == 2
    assert f"Did you mean {BUG}?" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seeds", "2", "--algebra", "2"],
        ["--seeds", "2", "--seed", "1"],
        ["--seeds", "2", "--until", "1"],
        ["--algebra", "2", "--keep", "new"],
        ["--bugs"],
        ["--cores", "1"],
        ["--seeds", "2", "--bugs", "--algebra", "2"],
        ["--algebra", "2", "--bugs", "--plant", BUG],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_together_is_refused(arguments: list[str]) -> None:
    said = simulate(*arguments, "--json")

    assert said.code == 2
    assert said.document["error"]["kind"] == "misconfigured"


def test_a_file_that_holds_no_choices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text(json.dumps({"choices": [1, "two"]}))

    said = simulate("--choices", str(tmp_path / "choices.json"), "--json")

    assert said.code == 2
    assert "holds no choices" in said.document["error"]["message"]


def test_a_folder_that_is_not_empty_is_not_kept_in(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")

    assert simulate("--keep", str(tmp_path)).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_stays_of_a_run_can_be_looked_at(tmp_path: Path) -> None:
    said = simulate("--seed", "4", "--until", "200", "--keep", str(tmp_path / "look"))

    assert said.code == 0
    assert (tmp_path / "look" / "world" / "ledger.sqlite").is_file()
