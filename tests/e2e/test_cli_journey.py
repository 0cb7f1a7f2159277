"""A new project, from its first file to the day when its ledger and its warehouse were lost."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.command import Project, image

ROWS = 1_000
BAD_LINE = '{"stream": "erp.account", "kind": "image", '


def test_a_state_survives_the_loss_of_everything_but_the_landing(tmp_path: Path) -> None:
    books = Project(tmp_path)
    assert books.json("init", "--name", "books")["project"] == "books"
    books.drop("day1.ndjson", *(image(f"A{n}", n + 1, amount=f"{n}.50") for n in range(ROWS)), BAD_LINE)

    ran = books.json("run", "--once")
    first = books.status()

    assert ran["outcome"] == "complete"
    assert [(lane["received"], lane["merged"]) for lane in ran["lanes"]] == [(ROWS + 1, ROWS + 1)]
    assert books.query("select count(*), max(amount) from latest.erp__account where not _deleted") == [[ROWS, "999.50"]]
    assert (first["current_rows"], first["books"]["received"], first["books"]["quarantined"]) == (ROWS, ROWS + 1, 1)
    assert first["books"]["balanced"]
    (waiting,) = books.json("quarantine", "list", "--rows")["rows"]
    assert (waiting["stream"], waiting["where"], waiting["raw"]) == ("erp.account", f"day1.ndjson:{ROWS + 1}", BAD_LINE)

    # Each command has run as a process by then, but for the last.
    again = Project(tmp_path, within=True)
    for lost in tmp_path.glob(".tieout/ledger.sqlite*"):
        lost.unlink()
    assert again.json("run", "--once")["outcome"] == "complete"
    without_ledger = again.status()

    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()
    assert again.json("run", "--once")["outcome"] == "complete"
    without_warehouse = again.status()

    (rebuilt,) = books.json("rebuild")["streams"]
    at_last = again.status()

    assert rebuilt["equal"]
    assert rebuilt["state_hash"] == first["state_hash"]
    for later in (without_ledger, without_warehouse, at_last):
        assert later["state_hash"] == first["state_hash"]
        assert later["books"] == first["books"]
        assert later["obligations"] == first["obligations"]
