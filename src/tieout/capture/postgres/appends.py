"""Append-only tables: of a table without a key only what is added is told, and each row bears a name that we give it.

A row of the log is named by its place there, which is the same when the server sends it again; a row that was read by
the moment of the reading and its place in the table. Both are names of one row, so a table is read in one moment, and
the sweep of that moment ends every older name. Such a table stands in a publication of its own: to publish the updates
of a table that has no replica identity makes the application's own updates fail.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ...base.codec import sha256_hex
from ...base.errors import Misconfigured
from ...base.sql import Sql
from ..source import Remark

ROW_ID: Final = "row_id"
"""The column that is the key, of which the table knows nothing."""

_SUFFIX = "_appends"
_name_bytes_max = 63


def appends_of(publication: str) -> str:
    """The publication of append-only tables, beside the one of this name."""
    whole = publication + _SUFFIX
    if len(whole.encode()) <= _name_bytes_max:
        return whole
    mark = "_" + sha256_hex(publication.encode())[:8] + _SUFFIX
    return publication.encode()[: _name_bytes_max - len(mark)].decode(errors="ignore") + mark


def row_ids(origins: pa.Array, ranks: pa.Array) -> pa.Array:
    """The names of rows of the log: their transactions' and their own places in it."""
    return pc.binary_join_element_wise(origins, ranks.cast(pa.string()), " ")


def refuse(where: Sql, columns: Collection[str], named: tuple[str, ...], *, has_key: bool) -> None:
    """`columns` are those of an append-only table, `named` the key that its contract names, if there is one. A table
    that got a key when it was followed already is followed on: nobody shall have to wait because of that."""
    if has_key and not named:
        raise Misconfigured(
            f"table {where} is append_only, and has a key by which all that happens to it can be told.",
            hint="Take `append_only` out in tieout.yaml.",
        )
    if taken := sorted(column for column in columns if column.lower() == ROW_ID):
        raise Misconfigured(
            f"table {where} is append_only and has a column {taken[0]}, as its key is called here.",
            hint=f"Run: alter table {where} rename column {taken[0]} to {taken[0]}_2;",
        )
    if named and named != (ROW_ID,):
        raise Misconfigured(
            f"table {where} is append_only, and its contract names another key than {ROW_ID}.",
            hint="Take `append_only` out, or read it as another stream: {table: ..., as: NAME, append_only: true}.",
        )


def refuse_left(where: Sql, columns: Collection[str], named: tuple[str, ...]) -> None:
    """Of a table that is not append_only, but was when its contract was drafted."""
    if named == (ROW_ID,) and ROW_ID not in columns:
        raise Misconfigured(
            f"table {where} is not append_only, and its contract names the key {ROW_ID}, which it does not have.",
            hint="Write append_only: true, or read it as another stream: {table: ..., as: NAME}.",
        )


def remark(source: str, object_: str, where: Sql) -> Remark:
    return Remark(
        f"updates and deletes of {where}, which is append_only.",
        f"`tieout certify {source}.{object_}` finds them, and `--repair` brings them in. Only a key would tell them.",
    )
