"""Where things stand in a landing, wherever that is: batches at `<source>/<object>/<sha256>.parquet`, certificates at
`.certificates/<source>/<object>/<number>-<sha256>.json`. What begins with a dot is no source's."""

from __future__ import annotations

import re

from ..base.errors import Misconfigured
from ..base.stream import Stream

SUFFIX = ".parquet"
CERTIFICATES = ".certificates"
CERTIFICATE = ".json"
IDENTITY = ".identity"
CERTIFIED = re.compile(rf"\d{{8,}}-([0-9a-f]{{64}}){re.escape(CERTIFICATE)}")
SEALED = re.compile(rf"([0-9a-f]{{64}}){re.escape(SUFFIX)}")


def certificate_name(number: int, name: str) -> str:
    return f"{number:08}-{name}{CERTIFICATE}"


def stream_at(source: str, object_: str) -> Stream | None:
    """The stream whose batches a folder keeps; None for a folder that is none of ours."""
    try:
        return Stream(source, object_)
    except (Misconfigured, UnicodeEncodeError):
        return None
