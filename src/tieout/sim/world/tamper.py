"""Whether the certificate can be trusted: somebody edits the tables by hand; it must say so, name the key, and mend.

A certificate that calls everything complete would pass all other checks.
"""

from __future__ import annotations

from typing import Any

import duckdb

from ...base.sql import Statements, name
from ...base.stream import Stream
from ...capture.source import Retells
from ...contract.contract import Contract
from ...quality.certificate import Certificate, State
from ...run.certify import certify
from ...run.house import House
from .chance import Chance
from .invariants import Invariants
from .operator import build_anew, repair

_SQL = Statements(__package__, "tamper.sql")


def tampered(
    house: House, contract: Contract, rows: dict[str, dict[str, Any]], chance: Chance, must: Invariants
) -> None:
    """Edits a row of a stream whose tables are as they should be. Raises Violated when that is not found, or mended."""
    stream, latest = contract.stream, name("latest", contract.stream.table)
    with duckdb.connect(str(house.project.warehouse)) as connection:
        dead = [key for (key,) in connection.execute(_SQL("dead_keys", latest=latest)).fetchall()]
        edits = {
            "revive_row": [(key, "") for key in dead],
            "drop_row": [(key, "") for key in sorted(rows)],
            "change_value": [
                (key, field.name)
                for key, row in sorted(rows.items())
                for field in contract.fields
                if row[field.name] is not None
            ],
        }
        possible = [edit for edit, places in edits.items() if places]
        if not possible:
            return
        edit = chance.pick(possible)
        key, field = chance.pick(edits[edit])
        connection.execute(_SQL(edit, latest=latest, field=name(field or "_")), {"key": key})
    found = _certified(house, stream)
    told = f"{stream}: after {edit} of {key} {field} it is {found.state}: {found.compared.findings}"
    keys = [one for finding in found.compared.findings.values() for one in finding.keys]
    must.must("I8", found.state is not State.COMPLETE and found.compared.differing == 1 and keys == [key], told)
    source = house.source(stream.source)
    source.close()
    (build_anew if isinstance(source, Retells) else repair)(house)
    mended = _certified(house, stream)
    must.must("I8", mended.state is State.COMPLETE, f"{told}; and mended it is {mended.state}: {mended.reasons}")


def _certified(house: House, stream: Stream) -> Certificate:
    (certificate,) = certify(house, (stream,), repair=False, may_repair=lambda plan: False).streams
    return certificate
