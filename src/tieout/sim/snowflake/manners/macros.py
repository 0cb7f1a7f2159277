"""Snowflake's functions in DuckDB's words, as macros of each database, beside those that fakesnow makes there."""

from __future__ import annotations

from pathlib import Path

import fakesnow.macros  # type: ignore[import-not-found]

NO_BOOLEAN = "stand-in: no boolean for "
"""The beginning of the engine's error when MAX or MIN is asked of booleans, with the function's name behind it."""

_ours = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_theirs = fakesnow.macros.creation_sql


def creation(catalog: str) -> str:
    return str(_theirs(catalog)) + _ours.replace("{{ catalog }}", catalog)


fakesnow.macros.creation_sql = creation
