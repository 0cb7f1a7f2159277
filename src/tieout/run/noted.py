"""What checks came to, copied from the ledger into the warehouse's own table, for whoever reads only that.

The ledger is the truth of it. Where the file is held by somebody who does not answer, the next check copies it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..base.errors import Misconfigured, Transient
from ..ledger.facts import Checked
from ..ledger.ledger import Entry
from ..merge.warehouse import CheckNote, Reader
from ..quality.asking import noted
from .house import House
from .serve import SocketReader, socket_path

_FACTS_MAX = 200
"""Checkups that are looked for, the newest: as many as may have been made since the file could be written to."""
_WAIT_SECONDS = 1.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def note_checks(house: House, reader: Reader) -> None:
    """The newest of the ledger's checkups stand in the warehouse, if it can be had."""
    if not house.has_warehouse:
        return
    known = _known(reader)
    entries = house.tools.ledger.entries(Checked, last=_FACTS_MAX)
    fresh = [notes for entry in entries if (notes := _notes(entry)) and _place(notes[0]) not in known]
    if not fresh:
        return
    with suppress(Transient):
        place = house.project.warehouse
        if isinstance(place, Path) and socket_path(place).exists():
            for notes in fresh:
                SocketReader(socket_path(place)).note_checks(notes)
            return
        warehouse = house.warehouse(wait_seconds=_WAIT_SECONDS)
        try:
            for notes in fresh:
                warehouse.note_checks(notes)
        finally:
            warehouse.close()


def _known(reader: Reader) -> set[tuple[str, int]]:
    try:
        rows = reader.query(noted(reader.engine)).to_pylist()
    except Misconfigured:  # a file that nobody has written to since there is such a table
        return set()
    return {(row["stream"], int(row["moment"])) for row in rows}


def _notes(entry: Entry) -> list[CheckNote]:
    fact = entry.fact
    assert isinstance(fact, Checked), "only Checked was asked for"
    return [
        CheckNote(
            stream=fact.stream,
            checked_at=entry.at,
            name=one["check"],
            severity=one["severity"],
            outcome=one["outcome"],
            measured=one["measured"],
            told=one.get("told", ""),
        )
        for one in json.loads(fact.report)
    ]


def _place(note: CheckNote) -> tuple[str, int]:
    return note.stream, (note.checked_at - _EPOCH) // timedelta(microseconds=1)
