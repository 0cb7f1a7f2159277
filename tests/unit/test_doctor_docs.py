"""The page of the doctor, held against the codes that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tieout.base.finding import Codes
from tieout.capture.changes.checkup import CODES as CHANGES
from tieout.capture.postgres.checkup.codes import CODES as POSTGRES
from tieout.capture.salesforce.checkup.codes import CODES as SALESFORCE
from tieout.land.s3_checkup import CODES as S3
from tieout.merge.snowflake.checkup import CODES as SNOWFLAKE
from tieout.run.stores import CODES as PROJECT

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operate" / "doctor.md").read_text(encoding="utf-8")


EVERY = (PROJECT, S3, SNOWFLAKE, CHANGES, POSTGRES, SALESFORCE)


def rows(title: str) -> dict[str, tuple[str, str]]:
    """Code -> level and why, of the table under a heading."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return {code: (level, why) for code, level, why in re.findall(r"^\| `([^`]+)` \| (\w+) \| (.*) \|$", section, re.M)}


def told(codes: Codes) -> dict[str, tuple[str, str]]:
    return {code: (level.value, why) for code, (level, why) in codes.items()}


def test_every_code_has_its_line_as_it_is_told() -> None:
    assert rows("The project") == told(PROJECT)
    assert rows("The landing in S3") == told(S3)
    assert rows("The warehouse in Snowflake") == told(SNOWFLAKE)
    assert rows("Source `changes`") == told(CHANGES)
    assert rows("Source `postgres`") == told(POSTGRES)
    assert rows("Source `salesforce`") == told(SALESFORCE)


def test_every_code_is_brought_about_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))

    assert not [code for codes in EVERY for code in codes if code not in tests]


def test_every_code_begins_with_what_it_is_about() -> None:
    assert all(code.startswith("project.") for code in PROJECT)
    assert all(code.startswith("s3.") for code in S3)
    assert all(code.startswith("snowflake.") for code in SNOWFLAKE)
    assert all(code.startswith("changes.") for code in CHANGES)
    assert all(code.startswith("postgres.") for code in POSTGRES)
    assert all(code.startswith("salesforce.") for code in SALESFORCE)
