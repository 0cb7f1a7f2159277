"""A change: an immutable fact about one key. Here are its kinds, and the columns in which changes travel.

The idea is `merge/rule.py`'s `Change`; on the road changes are Arrow tables. They have two shapes: *captured*, as
the source said it (a connector makes these), and *judged*, as its contract understands it (a batch holds these).
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """What a change says.

    image     the row, alive, over its cover        patch     the fields of its cover changed
    delete    the key is dead                       undelete  alive again, with what its fields say
    gap       something happened, value unknown     truncate  every key before this is dead
    sweep     a full read ended: what it did not mention is dead
    mark      says nothing of any key (the head of a sweep): counted as control
    """

    IMAGE = "image"
    PATCH = "patch"
    DELETE = "delete"
    UNDELETE = "undelete"
    GAP = "gap"
    TRUNCATE = "truncate"
    SWEEP = "sweep"
    MARK = "mark"


CONTROL = frozenset({Kind.SWEEP, Kind.MARK})
"""Kinds that the books count as control."""

TIMESTAMP = pa.timestamp("us", tz="UTC")

CAPTURED = pa.schema(
    [
        pa.field("_kind", pa.string(), nullable=False),
        pa.field("_position", pa.int64()),  # null only on a row with a fault
        pa.field("_class", pa.int8()),  # order.Class
        pa.field("_minor", pa.int64()),
        pa.field("_rank", pa.int64()),
        pa.field("_cover", pa.string()),  # sorted JSON array of the names of the fields it speaks of
        pa.field("_keyed", pa.string()),  # sorted JSON array of the names the source calls its key; null: not told
        pa.field("_observed_at", TIMESTAMP),  # when the source says it happened, else when we read it
        pa.field("_origin", pa.string(), nullable=False),  # a file, "wal 0/16B374D8", "snapshot 0/16B374D8"
        pa.field("_ordinal", pa.int64(), nullable=False),  # the line or row within the origin
        pa.field("_fault", pa.string()),  # why the decoder could not read this row; its reason, "code: detail"
        pa.field("_raw", pa.binary()),  # the bytes as received; null where they were never bytes
    ]
)
"""The envelope of a captured table; the source's columns stand behind it, by their own names."""

JUDGED = pa.schema(
    [
        pa.field("_key", pa.string()),  # canonical key; null: the whole object, or unreadable
        pa.field("_kind", pa.string(), nullable=False),
        pa.field("_cover", pa.string(), nullable=False),
        pa.field("_order", pa.string()),  # order token; null only on a row with a fault
        pa.field("_cid", pa.string(), nullable=False),  # change id, 32 hex digits
        pa.field("_position", pa.int64()),
        pa.field("_observed_at", TIMESTAMP),
        pa.field("_extra", pa.string()),  # JSON object of the fields the contract does not know
        pa.field("_fault", pa.string()),  # set: this row goes to quarantine, for this reason
        pa.field("_where", pa.string()),  # of a faulty row: "file.ndjson:17"
        pa.field("_raw", pa.binary()),  # of a faulty row: the bytes as received
        pa.field("_settles", pa.string()),  # of a row that settles a quarantined one: that one's change id
    ]
)
"""The envelope of a judged table and of a batch; the contract's columns stand behind it, typed."""

RESERVED = frozenset(
    {
        *CAPTURED.names,
        *JUDGED.names,
        "_deleted",
        "_changed_at",
        "_alive",
        "_born",
        "_life",
        "_base",
        "_patch",
        "_gap",
        "_batch",
    }
)
"""Names that a source's column may not bear, in upper or lower case; nor one that begins with two underscores, nor
`rowid`, behind which DuckDB hides its own."""


def is_reserved(name: str) -> bool:
    """Whether a source's column may not bear this name, because tieout's own columns do."""
    return name.startswith("__") or name.lower() in RESERVED or name.lower() == "rowid"


UNREADABLE = "_unreadable"
"""The object under which a source's lines are booked that do not tell which of its streams they belong to."""
