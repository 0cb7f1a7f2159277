"""What a review of alerts has found."""

from __future__ import annotations

from tests.e2e.command import Project
from tests.e2e.test_cli_incidents import Listening, books, hide, hook, titles

__all__ = ["books", "hook"]


def test_a_warehouse_that_cannot_be_read_keeps_nobody_from_hearing(
    books: Project, hook: tuple[str, type[Listening]]
) -> None:
    """What is wrong with a source stands in the ledger."""
    hide(books)
    (books.root / ".tieout" / "warehouse.duckdb").write_bytes(b"no such file any more" * 1000)

    books.tieout("incidents", "--tell")

    assert "Incident: source:erp" in titles(hook[1])
