"""What one line says, and the shapes that lines have: the nouns that the decoder hands to the sweeps and the tables."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ...base.change import is_reserved
from ...base.codec import canonical_json
from ...base.errors import Rejected

names_max = 2_000
"""Of one line. A wider row is a mistake; PostgreSQL stops at 1,600 columns."""
name_bytes_max = 1_000
_fault_characters_max = 500


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The names that many lines have in common; one object for all of them.

    names      of the columns, in the line's order, the key's before the others
    key_count  how many of them are the key's
    shared     names that stand both in `key` and in `fields`
    """

    names: tuple[str, ...]
    key_count: int
    cover: str
    keyed: str
    shared: tuple[str, ...] = ()

    @classmethod
    def of(cls, key: tuple[str, ...], fields: tuple[str, ...]) -> Shape:
        """Raises Rejected for a name that no column can bear."""
        names = tuple(dict.fromkeys(key + fields))
        if len(names) > names_max:
            raise Rejected(f"bad_name: {len(names)} names in one line, {names_max} are allowed")
        for name in names:
            _check_name(name)
        shared = tuple(name for name in key if name in set(fields)) if len(names) < len(key) + len(fields) else ()
        cover = sorted(set(fields).difference(shared))
        return cls(names, len(key), canonical_json(cover), canonical_json(sorted(key)), shared)


BARE = Shape.of((), ())
"""The shape of a line that names neither key nor field."""


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One end of a sweep. `rows` is how many change lines it announces, None when it does not."""

    id: str
    begins: bool
    watermark: int
    rows: int | None


class Said(msgspec.Struct, gc=False):
    """One line, understood as far as it can be. A Struct, not a dataclass: there is one for every line of a file.

    object    None: the line itself does not tell
    values    JSON text by name
    mentions  it has a key that can be read, so a sweep does not delete it
    sweep     set on the two ends of a sweep, which are no change lines
    """

    object: str | None
    kind: str
    position: int | None = None
    read: int | None = None
    minor: int | None = None
    rank: int = 0
    shape: Shape = BARE
    values: dict[str, bytes] = {}
    observed_at: str | None = None
    fault: str | None = None
    mentions: bool = False
    sweep: SweepLine | None = None


def fault_text(message: str) -> str:
    """A fault as it may stand in a table: in UTF-8, on one line, of bounded length."""
    text = " ".join(message.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00").split())
    return text if len(text) <= _fault_characters_max else text[: _fault_characters_max - 3] + "..."


def _check_name(name: str) -> None:
    # Warehouses fold case, so _KEY would meet our _key there.
    if is_reserved(name):
        raise Rejected(f"reserved_name: {name} is one of tieout's own columns; send it under another name")
    if not name or "\x00" in name or len(name.encode("utf-8")) > name_bytes_max:
        raise Rejected(f"bad_name: {name[:40]!r} cannot be a column; use 1 to {name_bytes_max} bytes without NUL")
