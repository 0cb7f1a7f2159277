"""The facts: what we did, each appended once and never changed. What may follow what is the table `FOLLOWS`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..base.batch import Tally
from ..base.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Landed:
    """A sealed batch became part of the record: by its capture's registration, or `adopted` from the landing."""

    batch: str
    stream: str
    lane: str
    track: str
    received: Tally
    adopted: bool


@dataclass(frozen=True, slots=True)
class Advanced:
    """A track's cursor is proven up to here by the batches registered with it, or by the chain of adopted footers."""

    lane: str
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The source was told that it may forget what lies before."""

    lane: str
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Merged:
    """Copied from the warehouse's own `applied`, which is the truth: this batch is in the tables."""

    batch: str
    stream: str
    merged_at: datetime


@dataclass(frozen=True, slots=True)
class Certified:
    """A comparison with the source ended. `report` is its JSON."""

    stream: str
    state: str
    report: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The checks of a stream's contract were held against its rows. `state` is "failed" (one that blocks), "warned" or
    "passed"; `report` a JSON list: of each its name, severity, outcome and number, and why, where it did not pass."""

    stream: str
    state: str
    report: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A worker's pass over a lane ended: "complete", "partial" (cut short) or "failed", and why. `through`: when its
    bound was taken, of a pass that came to it: all that the source had at that moment has landed before this fact.
    `apart`: of a source that vouches for each object by itself, a JSON object, object to that moment."""

    lane: str
    outcome: str
    reason: str
    through: datetime | None = None
    apart: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a lane's calls of its source have come to: `report` is the JSON of its budget."""

    lane: str
    report: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a source shows of a stream, and the contract that its rows are judged by. `columns`: a JSON object, name to
    the source's own word for the type, or ""; `contract`: what `contract.kept` makes of one."""

    stream: str
    columns: str
    contract: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """A source changed what it shows of a column. `what` is of `contract.drift.What`, `type` the source's word for the
    type now and `was` before; `version` is the contract's after it, "" where the contract was left as it is."""

    stream: str
    what: str
    column: str
    type: str
    was: str
    version: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The values that a source lets people choose: `choices` is a JSON object, column to a list of them."""

    stream: str
    choices: str


@dataclass(frozen=True, slots=True)
class Paused:
    """A stream lands and is not merged until somebody looks at it. `contract` is the digest of the one that held."""

    stream: str
    reason: str
    hint: str
    contract: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """It is merged again, and why."""

    stream: str
    why: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """A stream could not be merged, while its lane went on: its contract asks for a rebuild, or a batch of it is
    damaged. `hint` is the mend."""

    stream: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Freed:
    """It could be merged again."""

    stream: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants a range of a stream read again: the backfill of this id. `range` is its JSON, `rows` what the
    source expected of it."""

    lane: str
    stream: str
    backfill: str
    range: str
    rows: int


@dataclass(frozen=True, slots=True)
class Turned:
    """A backfill took a turn: it was "delayed", "resumed", "cancelled", "failed" or "done"; and why, where that is
    not plain. How far it has come, the cursor of its track says."""

    lane: str
    stream: str
    backfill: str
    turn: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """Somebody was told of an incident: that it "opened", "grew" or "recovered". `to` stands for the address, and is no
    part of it. `parts`: the names of what is wrong within it that were new then."""

    incident: str
    event: str
    to: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Modelled:
    """A build of the marts ended. `state`: "complete", "partial" (a gate was closed, or a test that blocks failed) or
    "failed"; `standing`: what `model.plan` makes of what each model was last built from; `report`: its JSON."""

    state: str
    standing: str
    report: str


@dataclass(frozen=True, slots=True)
class Compared:
    """An old table was held beside the one that stands for it now. `state` is "equal" or "differs"; `report` a JSON
    object of numbers, with nothing of any row."""

    stream: str
    table: str
    state: str
    report: str


@dataclass(frozen=True, slots=True)
class Switched:
    """Old names are answered from the new tables since ("current"), or from the old ones again ("legacy")."""

    to: str
    tables: tuple[str, ...]


Fact = (
    Landed
    | Advanced
    | Acknowledged
    | Merged
    | Certified
    | Checked
    | Ran
    | Spent
    | Looked
    | Drifted
    | Offered
    | Paused
    | Resumed
    | Stuck
    | Freed
    | Asked
    | Turned
    | Alerted
    | Modelled
    | Compared
    | Switched
)

FOLLOWS: dict[type, frozenset[type]] = {
    Merged: frozenset({Landed}),
    Acknowledged: frozenset({Advanced}),
    Resumed: frozenset({Paused}),
    Freed: frozenset({Stuck}),
}
"""What must stand in the book before a fact of this type can be true."""
