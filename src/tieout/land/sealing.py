"""Sealing: changes and their footer become the bytes of a Parquet file, and are read back from them.

The name of a batch is the SHA-256 of these bytes, so equal batches must have equal bytes: nothing here may depend on
the time, the process, or how a table happens to be cut into chunks. Knows nothing of where the bytes are kept.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..base.batch import Batch, Footer
from ..base.change import JUDGED
from ..base.codec import sha256_hex
from ..base.errors import Broken, Misconfigured
from ..base.stream import Stream

_FOOTER = b"tieout"
_ROW_GROUP_ROWS = 1 << 20
_NEVER_ALIKE = ("_key", "_cid")
_RESTORE = "Restore the file from a copy."


def seal(footer: Footer, changes: pa.Table) -> pa.Buffer:
    """The bytes of the batch. The same footer and changes give the same bytes, in every process."""
    assert changes.num_rows == footer.received.count, f"{footer.stream}: the footer counts other rows than it seals"
    assert changes.schema.names[: len(JUDGED.names)] == JUDGED.names, f"{footer.stream}: not a judged table"
    plain = pa.schema([field.remove_metadata() for field in changes.schema], {_FOOTER: footer.to_json().encode()})
    sink = pa.BufferOutputStream()
    # Every setting that shapes the bytes stands here, so that a new default of the library does not change names.
    pq.write_table(
        changes.combine_chunks().cast(plain),
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in plain.names if name not in _NEVER_ALIKE],
        row_group_size=_ROW_GROUP_ROWS,
        data_page_size=1 << 20,
        write_statistics=True,
        store_schema=True,
    )
    return sink.getvalue()


def read_footer(stream: Stream, where: str, source: Any) -> Footer:
    """The footer in `source` (an open file or a buffer), unproven. Raises Broken when there is none of this stream."""
    try:
        text = (pq.read_metadata(source).metadata or {})[_FOOTER]
        footer = Footer.from_json(text.decode())
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError, Misconfigured) as error:
        raise Broken(f"the footer of batch {where} cannot be read: {error}.", hint=_RESTORE) from error
    if footer.stream != stream:
        raise Broken(
            f"batch {where} is of stream {footer.stream}, and lies in the place of {stream}.",
            hint="Move the file back to where it belongs.",
        )
    return footer


def footer_bytes(tail: bytes) -> int:
    """How many bytes at the end of a batch hold its footer, as the last eight of them say."""
    return int.from_bytes(tail[-8:-4], "little") + 8


def unseal(stream: Stream, name: str, where: str, data: bytes) -> Batch:
    """The batch in `data`, proven against its name. Raises Broken when a bit of it has changed since it was sealed."""
    if sha256_hex(data) != name:
        raise Broken(f"the bytes of batch {where} are not those that were sealed.", hint=_RESTORE)
    footer = read_footer(stream, where, pa.BufferReader(data))
    try:
        changes = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        raise Broken(f"batch {where} has its right name and cannot be read: {error}.", hint=_RESTORE) from error
    if changes.num_rows != footer.received.count:
        raise Broken(
            f"batch {where} has {changes.num_rows} rows, its footer counts {footer.received.count}.",
            hint="It was not sealed by tieout, or by a faulty version; do not rely on it.",
        )
    return Batch(name, footer, changes.replace_schema_metadata(None))


def missing(where: str, *, mend: str = _RESTORE) -> Broken:
    return Broken(f"batch {where} is missing.", hint=mend)
