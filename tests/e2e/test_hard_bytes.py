"""Bytes that changed, files that are gone or half there: found by their hash, never merged, named with the mend."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Project
from tests.e2e.cramped import hasty_run
from tests.e2e.killed import kill_at
from tests.e2e.test_kill_at_every_step import project_in, truth_of
from tieout.base.step import Step

Damage = Callable[[Path], None]


def flipped(at: int) -> Damage:
    """One bit of the byte at this place is another one."""

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    return flip


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def blanked(path: Path) -> None:
    """The length was written before the power cut, the content was not."""
    path.write_bytes(b"\0" * path.stat().st_size)


DAMAGES: dict[str, Damage] = {
    "a bit of the magic": flipped(0),
    "a bit of a data page": flipped(200),
    "a bit of the footer": flipped(-40),
    "a bit of the last byte": flipped(-1),
    "torn": torn,
    "emptied": emptied,
    "blanked": blanked,
    "deleted": Path.unlink,
}
WAREHOUSE = ".tieout/warehouse.duckdb"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that has run once: two streams, two batches each."""
    root = project_in(tmp_path)
    assert hasty_run(root).outcome == "complete"
    return root


def batches(root: Path, object_: str) -> list[Path]:
    return sorted((root / ".tieout" / "landing" / "erp" / object_).glob("*.parquet"))


def forget(root: Path, *names: str) -> None:
    for name in names:
        for file in root.glob(f"{name}*"):
            file.unlink()


def streams(root: Path) -> dict[str, dict[str, Any]]:
    told = Project(root, within=True).json("status")["streams"]
    return {one["stream"]: one for one in told}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_batch_is_never_merged_and_holds_up_its_stream_alone(damage: str, root: Path) -> None:
    """Faults 61, 62 and 63: the ledger knows the batch, the warehouse has to be made anew."""
    truth = truth_of(root)
    forget(root, WAREHOUSE)
    victim = batches(root, "account")[0]
    copy = shutil.copy(victim, root / "copy")
    DAMAGES[damage](victim)

    refused = hasty_run(root)
    told = streams(root)
    shutil.copy(copy, victim)
    restored = hasty_run(root)

    assert (refused.outcome, refused.exit_code) == ("failed", 1)
    assert victim.name in refused.reason
    assert refused.hint == "Restore the file from a copy."
    told_run = f"erp.account cannot be merged: {told['erp.account']['reason']}"
    assert (told["erp.account"]["state"], told_run) == ("failed", f"{refused.reason} {refused.hint}")
    assert told["erp.contact"]["state"] == "complete"
    assert told["erp.account"]["current_rows"] == 0
    assert told["erp.contact"]["books"]["pending"] == 0
    assert restored.outcome == "complete"
    assert truth_of(root) == truth


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "deleted"])
def test_a_damaged_batch_that_no_ledger_knows_is_not_adopted_and_named(damage: str, root: Path) -> None:
    """Faults 61 and 62: a file that was renamed into its place before a power cut, its bytes lost."""
    truth = truth_of(root)
    forget(root, WAREHOUSE, ".tieout/ledger.sqlite")
    shutil.rmtree(root / "inbox")
    (root / "inbox").mkdir()
    victim = batches(root, "account")[0]
    copy = shutil.copy(victim, root / "copy")
    DAMAGES[damage](victim)

    refused = hasty_run(root)
    shutil.copy(copy, victim)
    restored = hasty_run(root)

    assert (refused.outcome, refused.exit_code) == ("partial", 3)
    assert victim.name in refused.reason
    assert refused.hint == "Restore the file from a copy."
    assert refused.merged == 122 - restored.merged > 0
    assert restored.outcome == "complete"
    assert truth_of(root) == truth


def test_what_the_source_still_has_is_read_again_in_the_place_of_a_damaged_batch(root: Path) -> None:
    """Faults 61 and 62: nothing is lost for ever as long as one of the two still has it."""
    truth = truth_of(root)
    forget(root, WAREHOUSE, ".tieout/ledger.sqlite")
    torn(batches(root, "account")[0])

    assert hasty_run(root).exit_code == 3

    assert {object_: seen[0] for object_, seen in truth_of(root).items()} == {
        object_: seen[0] for object_, seen in truth.items()
    }


def test_a_rebuild_finds_a_batch_that_was_damaged_after_its_merge(root: Path) -> None:
    """Fault 62: nobody reads a merged batch until then; the tables stay as they were."""
    truth = truth_of(root)
    victim = batches(root, "account")[1]
    copy = shutil.copy(victim, root / "copy")
    flipped(100)(victim)

    said = Project(root, within=True).tieout("rebuild", "--json")
    live = truth_of(root)
    shutil.copy(copy, victim)

    assert said.code == 1
    assert victim.name in said.document["error"]["message"]
    assert live == truth
    assert all(one["equal"] for one in Project(root, within=True).json("rebuild")["streams"])


def with_another_head(path: Path) -> None:
    path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])


def replaced(path: Path) -> None:
    path.write_text("nothing of the kind")


WRECKS: dict[str, Damage] = {
    "head": with_another_head,
    "a bit": flipped(20_000),
    "torn": torn,
    "not one": replaced,
}


@pytest.mark.parametrize(
    ("store", "wreck"),
    # SQLite has no checksums of its pages, so a single bit of a ledger is not promised to be seen.
    [
        (store, wreck)
        for store in ("warehouse.duckdb", "ledger.sqlite")
        for wreck in WRECKS
        if (store, wreck) != ("ledger.sqlite", "a bit")
    ],
)
def test_a_wrecked_store_is_made_anew_as_its_hint_says(store: str, wreck: str, root: Path) -> None:
    """Fault 74, and the same of the ledger: the landing is the truth."""
    truth = truth_of(root)
    file = root / ".tieout" / store
    WRECKS[wreck](file)

    refused = Project(root, within=True).tieout("run", "--once", "--json")
    file.rename(root / "moved away")
    again = hasty_run(root)

    told = refused.document.get("error") or refused.document["lanes"][0]
    assert refused.code == 1
    assert store in told.get("message", told.get("reason"))
    assert re.search("[Mm]ove (its|the) file away", told["hint"])
    assert again.outcome == "complete"
    assert truth_of(root) == truth


@pytest.mark.parametrize("wreck", ["torn", "a bit of the magic", "emptied", "deleted"])
def test_the_log_of_a_killed_workers_warehouse_may_be_torn_or_lost(wreck: str, tmp_path: Path) -> None:
    """Fault 74: what was committed and not yet in the file is merged again, as the warehouse itself says what is in it;
    a log that DuckDB refuses is one with its file, and goes the same way."""
    whole, root = project_in(tmp_path / "whole"), project_in(tmp_path / "root")
    hasty_run(whole)
    assert kill_at(root, Step.MERGED, 2) == -signal.SIGKILL
    DAMAGES[wreck](root / f"{WAREHOUSE}.wal")

    outcome = hasty_run(root)
    if outcome.exit_code == 1:
        assert outcome.hint.startswith("Move its file away")
        (root / WAREHOUSE).rename(root / "moved away")
        outcome = hasty_run(root)

    assert outcome.outcome == "complete"
    assert truth_of(root) == truth_of(whole)
