"""The page on the stand-in for Snowflake, written from what is data about it. `make golden` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tests.snowflake_rules import RULES
from tieout.sim.snowflake.manners.corrections import CORRECTIONS, WITHOUT_EFFECT
from tieout.sim.snowflake.manners.gaps import GAPS, WORDS, Gap

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "snowflake-stand-in.md"
PROOFS = "tests/conformance/test_snowflake_stand_in.py"

_HEAD = """# The stand-in for Snowflake

The tests and the demo speak to a program on this machine that answers as Snowflake does, through Snowflake's own
driver. It stands on [fakesnow](https://github.com/tekumara/fakesnow), which translates for DuckDB. It is not Snowflake:
this page says where it was mended, and where it is still another. `make golden` writes it from data
([corrections.py](../../src/tieout/sim/snowflake/manners/corrections.py),
[gaps.py](../../src/tieout/sim/snowflake/manners/gaps.py)), and a test holds it against them.
"""


def page() -> str:
    words = [f"- `{word}`: {meaning}." for word, meaning in WORDS.items()]
    gaps = [line for word in WORDS for gap in GAPS if gap.word == word for line in [_row(gap)]]
    mended = [f"| {_cell(each.name)} | {_cell(each.fakesnow)} | {_cell(each.snowflake)} |" for each in CORRECTIONS]
    accepted = ", ".join(f"`{each}`" for each in sorted(WITHOUT_EFFECT))
    return "\n".join(
        [
            _HEAD,
            "## Gaps",
            "",
            "Each has a word:",
            "",
            *words,
            "",
            "| what | here | in Snowflake | word | why it is let be |",
            "|---|---|---|---|---|",
            *gaps,
            "",
            "## Rules beside it",
            "",
            "What Snowflake refuses or gets wrong and the stand-in lets pass is held over each statement that our",
            "sessions send in the tests (`tests/snowflake_rules.py`); a planted statement proves each.",
            "",
            "| rule | why |",
            "|---|---|",
            *(f"| `{name}` | {_cell(why)} |" for name, why in RULES.items()),
            "",
            "## What is accepted only",
            "",
            "These succeed, are recorded, and have no effect: `grant`, `revoke`, comments, settings of a schema or a",
            f"database, policies and tags of columns and tables, and `create`, `alter`, `drop` of {accepted}.",
            "",
            "## What was mended",
            "",
            f"Of each there is a test in `{PROOFS}`, which its data names.",
            "",
            "| what | fakesnow | Snowflake, and here |",
            "|---|---|---|",
            *mended,
            "",
        ]
    )


def _row(gap: Gap) -> str:
    cells = (gap.what, gap.here, gap.snowflake, f"`{gap.word}`", gap.reason)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
