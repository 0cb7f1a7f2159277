"""What a PostgreSQL server is asked and told for a source: `statements.sql`."""

from __future__ import annotations

from typing import Final

from ...base.sql import Statements

statements: Final = Statements(__package__, "statements.sql")
