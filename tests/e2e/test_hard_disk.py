"""Disks that are full or may not be written to: nothing is lost, it is said, and with room all of it arrives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cramped import hasty_run, on_a_disk_of_its_own
from tests.e2e.test_kill_at_every_step import project_in, truth_of

SIZES = {
    "book": ("24k", "80k", "100k"),
    "landing": ("8k", "16k"),
    "house": ("4k", "12k", "16k"),
    "contracts": ("4k",),
}
"""For each store, disks so small that another write of its finds each full: the first file, a log, a commit."""
RECEIVED = {"landing": [0, 61], "house": [122, 122, 122], "contracts": [0]}
"""What the ledger took meanwhile, of 122 rows: nothing that is not sealed, and all of it without a warehouse."""
SPEAKS_OF_THE_DISK = ("No space left on device", "disk is full", "disk I/O error")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = project_in(tmp_path_factory.mktemp("undisturbed"))
    hasty_run(root)
    return repr(truth_of(root))


@pytest.mark.parametrize("store", SIZES)
def test_a_full_disk_is_said_and_loses_nothing(store: str, tmp_path: Path, undisturbed: str) -> None:
    """Faults 60 and 69: the source is told that it may forget only what is sealed and in the ledger."""
    stories = on_a_disk_of_its_own("full", tmp_path, store, *SIZES[store])

    for story in stories:
        cramped, lanes = story["cramped"], story["lanes"]
        assert cramped["code"] in (3, "Transient"), story
        assert any(words in cramped["reason"] for words in SPEAKS_OF_THE_DISK), story
        assert "space" in cramped["hint"] or "full" in cramped["hint"], story
        if store != "book":  # a full ledger cannot note why, and says so itself
            assert [(lane["outcome"], lane["reason"]) for lane in lanes] == [("partial", cramped["reason"])]
        assert story["after"]["outcome"] == "complete", story
        assert story["truth"] == undisturbed, story
    assert RECEIVED.get(store) in (None, [story["cramped"].get("received") for story in stories])


@pytest.mark.parametrize(
    ("store", "size", "said"), [("house", "60k", "COMMIT succeeded"), ("book", "100k", ""), ("landing", "8k", "")]
)
def test_a_worker_that_goes_on_recovers_when_there_is_room(
    store: str, size: str, said: str, tmp_path: Path, undisturbed: str
) -> None:
    """Faults 60 and 70: in the warehouse it is a checkpoint after a commit that fails, and DuckDB then wants to be
    opened anew; in the ledger, the very fact that would tell of it."""
    story = on_a_disk_of_its_own("full_while_running", tmp_path, store, size)

    assert said in story["reasons"][0]
    assert story["reasons"][-1] == ""
    assert story["last"]["outcome"] == "complete"
    assert story["truth"] == undisturbed


@pytest.mark.parametrize("store", ["book", "landing", "house"])
def test_a_disk_that_may_not_be_written_to_is_named_with_the_mend(store: str, tmp_path: Path, undisturbed: str) -> None:
    """Fault 64."""
    story = on_a_disk_of_its_own("read_only", tmp_path, store)

    assert story["refused"]["code"] in (2, "Misconfigured")
    assert f"/{store}/" in story["refused"]["reason"]
    assert "tieout.yaml" in story["refused"]["hint"]
    assert story["after"]["outcome"] == "complete"
    assert story["truth"] == undisturbed


def test_a_log_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    """Fault 60: the file that stderr goes to is on a full disk; the document and the exit code come all the same."""
    root = project_in(tmp_path)
    contract = root / "contracts" / "erp" / "account.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text("nonsense: 1\n")

    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "tieout", "run", "--once", "--json", "--project", str(root)],
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=60,
            check=False,
        )

    document: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode, document["outcome"]) == (2, "failed")


def test_a_batch_whose_siblings_contract_cannot_be_written_is_not_sealed_again_and_again(tmp_path: Path) -> None:
    """Fault 60: what is tried again for a day must not fill the disk by itself."""
    root = project_in(tmp_path)
    (root / "contracts" / "erp").mkdir(parents=True)
    (root / "contracts" / "erp" / "contact.yaml").write_text("nonsense: 1\n")

    outcomes = [hasty_run(root) for _ in range(3)]

    assert {outcome.exit_code for outcome in outcomes} == {2}
    assert list((root / ".tieout" / "landing").rglob("*.parquet")) == []
