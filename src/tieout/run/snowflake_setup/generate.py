"""The set-up of a project, generated and held against its own lint: what breaks a rule is never printed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ...base.errors import Broken
from .attaching import attach
from .lint import lint
from .plan import Section, plan
from .rendering import by_hand, rendered
from .wanted import Wanted


class Part(StrEnum):
    """What there has to be before the first run, or what is done to the tables that it made."""

    SETUP = "setup"
    ATTACH = "attach"


@dataclass(frozen=True, slots=True)
class SetUp:
    """`by_hand`: lines of advice on what nobody can generate."""

    wanted: Wanted
    part: Part
    sections: tuple[Section, ...]
    by_hand: tuple[str, ...]
    text: str


def generate(wanted: Wanted, part: Part) -> SetUp:
    """Raises Broken where it breaks a rule of ours, Misconfigured for a name that Snowflake does not take."""
    sections = plan(wanted) if part is Part.SETUP else attach(wanted)
    advice = by_hand(wanted) if part is Part.SETUP else ()
    what = "Snowflake before the first run" if part is Part.SETUP else "Snowflake's tables after a run"
    text = rendered(f"{what} of {wanted.project}, edition {wanted.options.edition}.", sections, advice)
    personal = frozenset(wanted.table("RAW", one).stored[2] for one in wanted.personal)
    if faults := lint(text, personal=personal):
        raise Broken(f"the set-up breaks the rule {faults[0].rule}: it {faults[0].told}: {faults[0].statement}")
    return SetUp(wanted, part, sections, advice, text)
