"""Blocks of Snowflake Scripting, as far as statements that run one after another, and what is done when one fails.

Variables, branches and loops are not made.
"""

from __future__ import annotations

import re

from .plain import bare

_EXECUTED = re.compile(
    r"execute\s+immediate\s+(?:'((?:[^'\\]|''|\\.)*)'|\$\$(.*)\$\$)\s*;?\s*", re.IGNORECASE | re.DOTALL
)
_BLOCK = re.compile(
    r"\s*begin\s+(.*?)(?:\s+exception\s+when\s+other\s+then\s+(.*?)raise\s*;)?\s*end\s*;?\s*", re.IGNORECASE | re.DOTALL
)
_PIECE = re.compile(r"""(?:'[^']*'|"[^"]*"|[^;'"])+""")


def block(text: str) -> tuple[list[str], list[str]] | None:
    """The statements of a block that is to be executed, and those that follow when one of them fails."""
    found = _EXECUTED.fullmatch(text)
    if found is None:
        return None
    said = found[2] if found[1] is None else re.sub(r"''|\\(.)", lambda one: one[1] or "'", found[1], flags=re.DOTALL)
    within = _BLOCK.fullmatch(bare(said))
    return None if within is None else (_pieces(within[1]), _pieces(within[2] or ""))


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in _PIECE.findall(text) if piece.strip()]
