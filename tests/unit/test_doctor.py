"""What the doctor says of the project's own side: each finding is brought about, and gone when its mend was run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.command import Project, image, project
from tieout.base.errors import Misconfigured
from tieout.base.finding import Finding, Level, Shell
from tieout.capture.changes.checkup import ChangesCheckup
from tieout.run.clock import SystemClock
from tieout.run.doctor import examine, setup
from tieout.run.stores import Seat, judge


@pytest.fixture
def books(tmp_path: Path) -> Project:
    return project(tmp_path / "the books")


def found(books: Project, environ: Mapping[str, str] = {}) -> dict[str, Finding]:
    diagnosis = examine(books.root, environ=environ, clock=SystemClock())
    return {finding.code: finding for finding in diagnosis.findings}


def mended(books: Project, code: str) -> bool:
    finding = found(books)[code]
    assert finding.typed is Shell.SHELL
    subprocess.run(["bash", "-c", finding.mend], check=True, timeout=10)
    return code not in found(books)


def test_a_folder_of_changes_is_made_by_the_mend(books: Project) -> None:
    (books.root / "inbox").rmdir()

    assert mended(books, "changes.folder.missing")
    assert "changes.folder.empty" in found(books)


def test_files_that_are_not_read_are_named(books: Project) -> None:
    (books.root / "inbox" / "notes.txt").write_text("by hand")
    books.drop("day1.ndjson", image("A1", 1))

    all_found = found(books)

    assert all_found["project.contracts.ok"].found == "contracts: 0"
    assert "notes.txt" in all_found["changes.file.ignored"].found
    assert all_found["changes.folder.ok"].found == "files: 1"


@pytest.mark.parametrize(
    "address",
    [
        "snowflake://LOADER@ORG-ONE/BOOKS?warehouse=LIVE&private_key=${file:none.p8}",
        "snowflake://LOADER@ORG-ONE/BOOKS?warehouse=LIVE&private_key=${GONE}",
        "${GONE}",
    ],
)
@pytest.mark.parametrize("models", ["", "models: '{}'\n"])
def test_an_account_whose_secret_is_lacking_is_not_called_wrong(books: Project, address: str, models: str) -> None:
    file = books.root / "tieout.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("warehouse:")]
    file.write_text(f"warehouse: '{address}'\n{models.format(address)}" + "\n".join(kept) + "\n")

    told = {code: one for code, one in found(books).items() if one.level is Level.ERROR}

    assert told.keys() == {"project.secret.lacking" if "file:" in address else "project.variable.unset"}
    assert "changes.folder.ok" in found(books) or "changes.folder.empty" in found(books)


@pytest.mark.parametrize(("environ", "said"), [({}, "is not set"), ({"SHOP_URL": ""}, "is set, but empty")])
def test_a_variable_that_is_not_set_hides_no_other_finding(books: Project, environ: dict[str, str], said: str) -> None:
    with (books.root / "tieout.yaml").open("a") as file:
        file.write("  shop: {type: postgres, url: '${SHOP_URL}', tables: [public.orders]}\n")

    diagnosis = examine(books.root, environ=environ, clock=SystemClock())

    (unset,) = [finding for finding in diagnosis.project if finding.level is Level.ERROR]
    assert (unset.code, unset.about) == ("project.variable.unset", "SHOP_URL")
    assert unset.found == f"sources.shop.url needs SHOP_URL, which {said}"
    assert list(diagnosis.sources) == ["erp"]
    typed = subprocess.run(
        ["bash", "-c", f"{unset.mend}; env"], input="secret\n", capture_output=True, text=True, timeout=10, check=True
    )
    assert "SHOP_URL=secret" in typed.stdout


def test_a_file_in_the_place_of_a_store_is_moved_by_the_mend(books: Project) -> None:
    (books.root / ".tieout").write_text("mine")

    assert mended(books, "project.store.no_folder")


def test_a_store_that_is_no_store_is_moved_by_the_mend(books: Project) -> None:
    (books.root / ".tieout").mkdir()
    (books.root / ".tieout" / "ledger.sqlite").write_text("no ledger at all")
    (books.root / ".tieout" / "warehouse.duckdb").write_text("no warehouse at all, but long enough to be read" * 100)

    assert mended(books, "project.ledger.damaged")
    assert mended(books, "project.warehouse.damaged")


def test_a_warehouse_that_is_held_is_told_with_its_holder(books: Project) -> None:
    books.drop("day1.ndjson", image("A1", 1))
    with books.worker() as worker:
        held = found(books)["project.warehouse.held"]

    assert str(worker.pid) in held.found
    assert held.level is Level.NOTE


def test_a_contract_that_cannot_be_read_is_told(books: Project) -> None:
    folder = books.root / "contracts" / "erp"
    folder.mkdir(parents=True)
    (folder / "account.yaml").write_text("kind: Nothing")

    wrong = found(books)["project.contract.wrong"]

    assert wrong.about == "erp.account"
    assert "account.yaml:1" in wrong.found


def test_a_check_that_cannot_be_understood_is_told(books: Project) -> None:
    folder = books.root / "contracts" / "erp"
    folder.mkdir(parents=True)
    (folder / "account.yaml").write_text(
        "{apiVersion: v3.1.0, kind: DataContract, id: a, name: a, version: 1.0.0, status: active, schema: [{name: a, "
        "quality: [{metric: rows}], properties: [{name: id, logicalType: string, primaryKey: true}]}]}"
    )

    wrong = found(books)["project.check.wrong"]

    assert wrong.about == "erp.account"
    assert "allowed: nullValues" in wrong.found


@pytest.mark.parametrize(
    ("writable", "free", "code"),
    [
        (True, 2**40, "project.store.ok"),
        (True, 2**20, "project.disk.low"),
        (False, 2**40, "project.store.closed"),
    ],
)
def test_a_place_is_judged_by_its_rights_and_its_room(writable: bool, free: int, code: str) -> None:
    place = Path("/x y")

    finding = next(judge(Seat("landing", place / "a", place, is_folder=True, writable=writable, free=free)))

    assert finding.code == code
    assert finding.mend == ("" if writable else "chmod u+rwx '/x y'")


def test_files_and_folders_that_may_not_be_read_are_opened_by_the_mend() -> None:
    with TemporaryDirectory() as outer, as_an_ordinary_user(Path(outer)) as folder:
        (folder / "day1.ndjson").write_text("")
        (folder / "day1.ndjson").chmod(0)
        (file,) = ChangesCheckup(folder).check()
        subprocess.run(["bash", "-c", file.mend], check=True, timeout=10)
        (opened,) = ChangesCheckup(folder).check()
        folder.chmod(0)
        (closed,) = ChangesCheckup(folder).check()
        subprocess.run(["bash", "-c", closed.mend], check=True, timeout=10)
        (opened_again,) = ChangesCheckup(folder).check()

    assert (file.code, closed.code) == ("changes.file.unreadable", "changes.folder.unreadable")
    assert (opened.code, opened_again.code) == ("changes.folder.ok", "changes.folder.ok")


@contextmanager
def as_an_ordinary_user(outer: Path) -> Iterator[Path]:
    """A folder of the user that we are meanwhile. Root may read everything, so it steps down."""
    is_root, nobody = os.geteuid() == 0, 65534
    folder = outer / "inbox"
    folder.mkdir()
    if is_root:
        outer.chmod(0o755)
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)


def test_a_source_that_is_not_there_is_refused_with_those_that_are(books: Project) -> None:
    with pytest.raises(Misconfigured, match="Sources are: erp"):
        examine(books.root, environ={}, clock=SystemClock(), only="shop")


def test_a_source_whose_address_names_no_role_cannot_be_set_up(books: Project) -> None:
    with (books.root / "tieout.yaml").open("a") as file:
        file.write("  shop: {type: postgres, url: 'postgresql://db.example/shop', tables: [public.orders]}\n")

    with pytest.raises(Misconfigured, match="names no role"):
        setup(books.root, environ={}, clock=SystemClock())
