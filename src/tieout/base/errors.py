"""Every error that tieout raises, grouped by the one question that matters: who must move next?

    TieoutError
    ├── Transient       time must pass: tried again with a pause, and shown meanwhile
    ├── Misconfigured   you must change a setting: exit 2, with the right one
    ├── Rejected        this row cannot be taken: it goes to quarantine, the others go on
    └── Broken          we must mend the code or the store: exit 1

An error says what, where, and in its `hint` the way out.
"""

from __future__ import annotations


class TieoutError(Exception):
    """The root. `hint` is the mend, one sentence; "" only where the message already says it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Transient(TieoutError):
    """A neighbour is away or busy. The same deed may succeed later, unchanged."""


class Misconfigured(TieoutError):
    """A setting, a right or a contract is wrong. Nothing will help but changing it."""


class Retyped(Misconfigured):
    """A contract gives a column another type than the tables have: they have to be made anew."""


class Rejected(TieoutError):
    """One row cannot be read as what its contract promises."""


class Broken(TieoutError):
    """A promise of ours does not hold: a flipped bit, a fenced writer that went on, a bug."""


class Fenced(Transient):
    """Another worker took this lane over. What we had not registered, it will read again."""


class Occupied(Transient):
    """Another living worker holds the lease."""


class Stopped(TieoutError):
    """The run was asked to stop. What was registered stands; the rest is read next time."""
