"""A captured table: the envelope of `change.CAPTURED`, and the source's columns behind it."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from ...base.change import CAPTURED


def captured(envelope: Mapping[str, pa.Array], columns: Mapping[str, pa.Array]) -> pa.Table:
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    arrays = [envelope[name] for name in CAPTURED.names] + list(columns.values())
    return pa.Table.from_arrays(arrays, schema=pa.schema([*CAPTURED, *fields]))
