"""A stream: one kind of thing from one source, under one key. `erp.account` is the accounts of the ERP."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import Misconfigured

SOURCE_NAME = re.compile(r"[a-z](_?[a-z0-9]){0,40}")
"""Underscores stand single and never last, so that no two streams share the name `source__object` of their tables."""
_OBJECT_BYTES_MAX = 200


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """`source` is the name in tieout.yaml; `object` is the source's own name of the thing, bytes kept."""

    source: str
    object: str

    def __post_init__(self) -> None:
        if not SOURCE_NAME.fullmatch(self.source):
            raise Misconfigured(
                f"source name {self.source!r} is not usable.",
                hint="Write lower-case letters, digits and single underscores between them, beginning with a letter.",
            )
        if not 0 < len(self.object.encode()) <= _OBJECT_BYTES_MAX or "\x00" in self.object or "/" in self.object:
            raise Misconfigured(
                f"object name {self.object!r} of source {self.source} is not usable.",
                hint=f"Use 1 to {_OBJECT_BYTES_MAX} bytes without '/' and NUL, or give it an alias.",
            )
        if self.object.startswith("."):
            raise Misconfigured(f"object name {self.object!r} begins with a dot.", hint="Give it an alias.")

    @classmethod
    def parse(cls, text: str) -> Stream:
        """`erp.account` -> Stream. Only the first dot divides."""
        source, dot, object_ = text.partition(".")
        if not dot:
            raise Misconfigured(f"{text!r} is not a stream.", hint="Write SOURCE.OBJECT, such as erp.account.")
        return cls(source, object_)

    @property
    def table(self) -> str:
        """The name of its tables in the warehouse, in the schemas raw, latest and quarantine."""
        return f"{self.source}__{self.object}"

    def __str__(self) -> str:
        return f"{self.source}.{self.object}"
