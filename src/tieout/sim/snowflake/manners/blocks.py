"""Blocks of Snowflake Scripting, as far as statements that run one after another, and what is done when one fails.
Either others run and the block fails, or an error of one number is passed over.

Variables, branches and loops are not made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .plain import bare

_EXECUTED = re.compile(
    r"execute\s+immediate\s+(?:'((?:[^'\\]|''|\\.)*)'|\$\$(.*)\$\$)\s*;?\s*", re.IGNORECASE | re.DOTALL
)
_FAILING = (
    r"\s+exception\s+when\s+(?:other\s+then\s+(.*?)raise\s*;"
    r"|statement_error\s+then\s+if\s*\(\s*sqlcode\s*<>\s*(\d+)\s*\)\s*then\s+raise\s*;\s*end\s+if\s*;)"
)
_BLOCK = re.compile(rf"\s*begin\s+(.*?)(?:{_FAILING})?\s*end\s*;?\s*", re.IGNORECASE | re.DOTALL)
_PIECE = re.compile(r"""(?:'[^']*'|"[^"]*"|[^;'"])+""")


@dataclass(frozen=True)
class Block:
    """`handler` follows when a statement fails; `passes_over` is the number of the error that then counts for none."""

    statements: list[str]
    handler: list[str]
    passes_over: int | None


def block(text: str) -> Block | None:
    """The block that is to be executed."""
    found = _EXECUTED.fullmatch(text)
    if found is None:
        return None
    said = found[2] if found[1] is None else re.sub(r"''|\\(.)", lambda one: one[1] or "'", found[1], flags=re.DOTALL)
    within = _BLOCK.fullmatch(bare(said))
    if within is None:
        return None
    return Block(_pieces(within[1]), _pieces(within[2] or ""), None if within[3] is None else int(within[3]))


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in _PIECE.findall(text) if piece.strip()]
