"""The statements of a set-up: as a text that can be run, or each by itself with the role that has to run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..run.snowflake_setup.generate import SetUp
from .answer import OK


@dataclass(frozen=True, slots=True)
class SetUpWritten:
    made: SetUp

    @property
    def exit_code(self) -> int:
        return OK

    def to_json(self) -> dict[str, Any]:
        wanted = self.made.wanted
        return {
            "project": wanted.project,
            "database": wanted.database.stored[0],
            "edition": wanted.options.edition.value,
            "part": self.made.part.value,
            "sections": [
                {
                    "title": section.title,
                    "role": section.role.stored[0],
                    "statements": [{"form": one.form, "text": str(one.text)} for one in section.statements],
                }
                for section in self.made.sections
            ],
            "by_hand": list(self.made.by_hand),
        }

    def shown(self) -> str:
        return self.made.text
