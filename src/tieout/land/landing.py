"""The promise of a landing: it keeps sealed batches for ever, by the hash of their bytes, and what was certified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from ..base.batch import Batch, Footer
from ..base.stream import Stream


class Landing(Protocol):
    def put(self, footer: Footer, changes: pa.Table) -> str:
        """Seals the changes (shape `change.JUDGED` and the contract's columns) under the footer; returns the name.

        When it returns, the batch survives a power cut. The same footer and changes give the same name, and putting
        them twice is one put. A reader never sees half of a batch. Raises Transient (disk full, store away).
        """
        ...

    def names(self, source: str | None = None) -> Iterator[tuple[Stream, str]]:
        """Every sealed batch, or every one of a source, in no order. One whose writer was killed before
        `put` returned is named too."""
        ...

    def sync(self, stream: Stream) -> None:
        """When it returns, all batches of the stream that were named survive a power cut, also those whose `put` never
        returned. To be called before the ledger learns of a batch that was found. Raises Transient,
        Misconfigured."""
        ...

    def footer(self, stream: Stream, name: str) -> Footer:
        """What a batch says of itself, *without* proof of its bytes; cheap. Raises Broken when it cannot be read."""
        ...

    def open(self, stream: Stream, name: str) -> Batch:
        """The batch, its bytes proven against its name. Raises Broken when a bit has flipped, or when it is missing."""
        ...

    def keep_certificate(self, stream: Stream, number: int, text: str) -> str:
        """Keeps the stream's certificate of this number under the hash of its text, which is returned. It then survives
        a power cut. Call it under the source's lease. Raises Transient."""
        ...

    def certificates(self, stream: Stream, *, last: int | None = None) -> list[tuple[str, str]]:
        """The stream's certificates, or the last so many, in the order of their numbers: the hash under which each was
        kept, and its text as it is now. Raises Transient, Misconfigured."""
        ...

    def certified(self) -> list[Stream]:
        """The streams that have certificates, sorted."""
        ...

    def identity(self) -> str | None:
        """By which it is told from every other landing; None where it has none yet. Raises Transient, Misconfigured."""
        ...

    def identify(self, proposed: str) -> str:
        """The identity that it has, or else the proposed one. Of two that do so at once both get the same."""
        ...

    def sweep_spool(self, source: str) -> int:
        """Deletes what a killed writer of this source left half-written; returns how many files. Never touches a sealed
        batch. Call it under the source's lease only."""
        ...
