"""The errors that Snowflake gives and the engine underneath does not, by a name of ours."""

from __future__ import annotations

from snowflake.connector.errors import ProgrammingError

_REFUSALS = {
    "duplicate_row": (100090, "42P18", "Duplicate row detected during DML action"),
    "too_long": (100078, "22000", "String '{value}' is too long and would be truncated"),
    "lock_timeout": (
        625,
        "57014",
        "Statement aborted because its lock request on '{table}' timed out after {seconds} seconds.",
    ),
    "lock_waiters": (
        625,
        "57014",
        "Statement aborted because the number of waiters for this lock exceeds the 20 statements limit: '{table}'.",
    ),
    "cancelled": (604, "57014", "SQL execution canceled"),
    "syntax": (1003, "42000", "SQL compilation error:\nsyntax error {what}"),
    "several": (8, "0A000", "Actual statement count {count} did not match the desired statement count 1."),
    "unsupported": (2, "0A000", "Unsupported feature '{what}'."),
    "mistake": (300002, "XX000", "A mistake in the stand-in: {what}"),
    "identifier": (904, "42000", "SQL compilation error: invalid identifier: {what}"),
    "missing": (2003, "42S02", "SQL compilation error:\n{kind} '{name}' does not exist or not authorized."),
    "no_file": (91016, "22000", "Remote file '{name}' was not found. There are several potential causes."),
    "no_boolean": (
        1044,
        "42P13",
        "SQL compilation error:\nInvalid argument types for function '{function}': (BOOLEAN)",
    ),
    "exhausted": (100038, "22018", "Numeric value '{value}' is not recognized"),
    "parameter": (1006, "22023", "SQL compilation error:\ninvalid value [{value}] for parameter '{name}'"),
}


def refusal(name: str, /, **words: str) -> ProgrammingError:
    number, state, text = _REFUSALS[name]
    return ProgrammingError(msg=text.format(**words), errno=number, sqlstate=state)
