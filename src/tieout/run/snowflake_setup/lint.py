"""What must never stand in a set-up, looked for in its text: whoever edits that by hand is held to the same.

Each rule is a function from all statements to what is wrong with some of them. A rule knows the text alone; which
tables are about people, the tags in it say, or whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .reading_back import Said, Unreadable, read_back
from .vocabulary import VOCABULARY

SUSPEND_SECONDS_MAX = 300
_ADMINS: Final = frozenset({"ACCOUNTADMIN", "SECURITYADMIN", "ORGADMIN", "USERADMIN", "SYSADMIN"})
_GRANT = re.compile(r"grant (?P<rights>[a-z ,]+) on (?P<what>.+) to role (?P<to>@\d+|[a-z]+)")
_FORMS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"grant role (@\d+|[a-z]+) to (role|user) (@\d+|[a-z]+)",
        r"grant database role @0 \. @1 to role @2",
        r"grant [a-z ,]+ on account to role (@\d+|[a-z]+)",
        r"grant [a-z ,]+ on (database|schema|warehouse|table) @\d+( \. @\d+)* to role (@\d+|[a-z]+)",
        r"grant [a-z ,]+ on (all|future) (tables|views) in schema @0 \. @1 to role (@\d+|[a-z]+)",
        r"revoke [a-z ,]+ on all tables in schema @0 \. @1 from role (@\d+|[a-z]+)",
    )
)
"""Of grants."""
_OF_A_TABLE: Final = re.compile(r"(grant|revoke) [a-z ,]+ on table .+|create or replace secure view .+")
"""Statements without an IF EXISTS of their own, of tables that the first batch makes."""
_RIGHTS: Final = {
    "READER": {"usage", "select"},
    "AUDITOR": {"usage", "select"},
    "ERASER": {"usage", "select", "update", "delete"},
}
"""The most that a role may be granted on anything."""
_ABOUT_ROWS: Final = frozenset({"RAW", "LATEST", "QUARANTINE"})


@dataclass(frozen=True, slots=True)
class Fault:
    """`rule` is its name in the docs; `statement` begins as the one that breaks it."""

    rule: str
    told: str
    statement: str


@dataclass(frozen=True, slots=True)
class Granted:
    said: Said
    rights: frozenset[str]
    what: str
    to: str

    @property
    def object(self) -> tuple[str, ...]:
        return self.said.name(self.what)

    def is_of(self, duty: str) -> bool:
        return self.to.endswith(f"_{duty}")


def lint(text: str, *, personal: frozenset[str] = frozenset()) -> tuple[Fault, ...]:
    """All that is wrong with the text of a set-up. `personal`: tables about people, beside those with tags."""
    try:
        book = tuple(read_back(text))
    except Unreadable as error:
        return (Fault("statement", f"cannot be read {error}", ""),)
    about = personal | {said.name(said.plain)[2] for said in book if " set tag " in said.plain}
    faults = [Fault(name, told, said.written[:120]) for name, rule in RULES.items() for said, told in rule(book)]
    faults += [Fault("eraser", told, said.written[:120]) for said, told in _eraser(book, about)]
    return tuple(faults)


Found = Iterator[tuple[Said, str]]


def _grants(book: Sequence[Said]) -> Iterator[Granted]:
    for said in book:
        if match := _GRANT.fullmatch(said.plain.removesuffix(" with grant option")):
            to = said.name(match["to"])
            rights = frozenset(one.strip() for one in match["rights"].split(","))
            yield Granted(said, rights, match["what"], to[0] if to else match["to"].upper())


def _public(book: Sequence[Said]) -> Found:
    for said in book:
        if said.plain.startswith("grant ") and (said.names[-1:] == ("PUBLIC",) or said.plain.endswith(" public")):
            yield said, "grants to PUBLIC, which is everyone"


def _admin(book: Sequence[Said]) -> Found:
    for said in book:
        if match := re.fullmatch(r"grant role (@\d+|[a-z]+) to (?:role|user) .+", said.plain):
            granted = (said.name(match[1]) or (match[1].upper(),))[0]
            if granted in _ADMINS:
                yield said, f"hands {granted} on"
    for one in _grants(book):
        if one.to in _ADMINS:
            yield one.said, f"gives {one.to} rights of its own"
        if one.rights & {"all", "all privileges", "manage grants"} or one.said.plain.endswith("with grant option"):
            yield one.said, "grants more than it names"


def _secret(book: Sequence[Said]) -> Found:
    for said in book:
        if "password" in said.words or any("PRIVATE KEY" in text for text in said.texts):
            yield said, "holds a secret"
        if said.plain.startswith("create user ") and " type = service" not in said.plain:
            yield said, "makes a user that may have a password"


def _ownership(book: Sequence[Said]) -> Found:
    for said in book:
        if said.plain.startswith("grant ownership "):
            yield said, "gives away what its maker owns"


def _orphan(book: Sequence[Said]) -> Found:
    above: dict[str, set[str]] = {}
    for said in book:
        if match := re.fullmatch(r"grant role (@\d+) to role (@\d+)", said.plain):
            above.setdefault(said.name(match[1])[0], set()).add(said.name(match[2])[0])
    for said in book:
        if said.plain.startswith("create role ") and not _leads_up(said.names[0], above):
            yield said, "makes a role that SYSADMIN does not reach"


def _leads_up(role: str, above: dict[str, set[str]]) -> bool:
    seen, ahead = set(), {role}
    while ahead:  # each turn sees a role more
        seen |= ahead
        ahead = {higher for one in ahead for higher in above.get(one, ())} - seen
    return "SYSADMIN" in seen


def _warehouse(book: Sequence[Said]) -> Found:
    stopping = {
        said.names[0]
        for said in book
        if re.match(r"create resource monitor .+ credit_quota = \d.+ do suspend", said.plain)
    }
    watched = {
        said.names[0]
        for said in book
        if re.fullmatch(r"alter warehouse .+ set resource_monitor = @1", said.plain) and said.names[1] in stopping
    }
    for said in book:
        makes = said.plain.startswith("create warehouse ")
        suspend = re.search(r" auto_suspend = (\d+)", said.plain)
        if (makes and suspend is None) or (suspend and not 0 < int(suspend[1]) <= SUSPEND_SECONDS_MAX):
            yield said, f"makes a warehouse that stays up idle for more than {SUSPEND_SECONDS_MAX} s"
        if not makes:
            continue
        for needed in ("initially_suspended = true", "statement_timeout_in_seconds = "):
            if needed not in said.plain:
                yield said, f"makes a warehouse without {needed.split(' ')[0].upper()}"
        if said.names[0] not in watched:
            yield said, "makes a warehouse that no resource monitor stops"


def _quoted(book: Sequence[Said]) -> Found:
    for said in book:
        if strange := [word for word in said.words if word not in VOCABULARY]:
            yield said, f"says {strange[0]} without quotes, which is no word of the language that is used here"


def _again(book: Sequence[Said]) -> Found:
    emptied: set[tuple[str, ...]] = set()
    for said in book:
        plain = said.plain
        if plain.endswith(" drop all row access policies"):
            emptied.add(said.names)
        if plain.startswith("create "):
            view = plain.startswith("create or replace secure view ") and " copy grants as " in plain
            if not view and (" if not exists " not in plain or plain.startswith("create or replace ")):
                yield said, "fails, or makes anew what is there, when it is run again"
        elif plain.startswith("drop ") and " if exists " not in plain:
            yield said, "fails when it is run again"
        elif " set masking policy " in plain and not plain.endswith(" force"):
            yield said, "fails when it is run again; it needs FORCE"
        elif " add row access policy " in plain and said.names[:3] not in emptied:
            yield said, "fails when it is run again; drop what the table has first"
        elif not plain.startswith(("drop ", "alter ", "grant ", "revoke ")):
            yield said, "does not say how the account shall be"
        is_of_a_table = bool(_OF_A_TABLE.fullmatch(plain))
        if (is_of_a_table and not said.may_miss) or (plain.startswith("alter table ") and " if exists " not in plain):
            yield said, "stops where the table is not there yet"
        elif said.may_miss and not is_of_a_table:
            yield said, "passes over more than a table that is not there yet"


def _rights(book: Sequence[Said]) -> Found:
    for one in _grants(book):
        for duty, most in _RIGHTS.items():
            if one.is_of(duty) and (beyond := one.rights - most):
                yield one.said, f"lets the {duty.lower()} {sorted(beyond)[0].upper()}"


def _reader(book: Sequence[Said]) -> Found:
    for one in _grants(book):
        schema = one.object[1:2]
        is_wide = one.what.startswith(("all ", "future "))
        if one.is_of("READER") and (schema in {("RAW",), ("QUARANTINE",)} or (is_wide and schema == ("LATEST",))):
            yield one.said, "lets readers see what bears no tags yet, or never will"


def _eraser(book: Sequence[Said], about: frozenset[str]) -> Found:
    for one in _grants(book):
        if not one.is_of("ERASER") or one.rights == {"usage"}:
            continue
        is_table = one.what.startswith("table ") and len(one.object) == 3 and one.object[1] in _ABOUT_ROWS
        if not is_table or one.object[2] not in about:
            yield one.said, "lets the eraser see more than tables about people"


def _role(book: Sequence[Said]) -> Found:
    for said in book:
        of_account = re.match(
            r"(create|alter) resource monitor |grant (database role|[a-z ,]+ on account) |alter warehouse .+ resource_",
            said.plain,
        )
        if (said.role == "ACCOUNTADMIN") is not bool(of_account):
            wrong = "needs ACCOUNTADMIN" if of_account else "needs no ACCOUNTADMIN"
            yield said, f"stands under {said.role or 'no role'}, and {wrong}"
        elif said.plain.startswith(("grant ", "revoke ")) and not of_account and said.role != "SECURITYADMIN":
            yield said, f"grants under {said.role}; only SECURITYADMIN shall"


def _exempt(book: Sequence[Said]) -> Found:
    """A role that merges what it saw masked would write the mask."""
    for said in book:
        if " policy " in said.plain and " current_role ( ) in " in said.plain:
            shown = said.plain.endswith(" else said end")
            if not shown and not any(text.endswith("_LOADER") for text in said.texts):
                yield said, "hides values from the loader, which would write back what it was shown"


def _kept(book: Sequence[Said]) -> Found:
    for said in book:
        match = re.match(r"(create|alter) (transient )?schema .+ data_retention_time_in_days = (\d+)", said.plain)
        if match and said.names[1] in _ABOUT_ROWS:
            is_permanent = match[1] == "create" and match[2] is None
            extension = re.search(r" max_data_extension_time_in_days = (\d+)", said.plain)
            if is_permanent or int(match[3]) > 1 or extension is None or int(extension[1]) > 0:
                yield said, "keeps deleted rows longer than a day"


def _known(book: Sequence[Said]) -> Found:
    """A form that no rule looks into could say anything."""
    filled = {said.names[:3] for said in book if " add row access policy " in said.plain}
    for said in book:
        if said.plain.startswith(("grant ", "revoke ")) and not any(one.fullmatch(said.plain) for one in _FORMS):
            yield said, "grants in a form that no rule looks into"
        elif said.plain.startswith("drop ") and (
            said.plain != "drop schema if exists @0 . @1" or said.names[1] != "PUBLIC"
        ):
            yield said, "drops more than the schema PUBLIC"
        elif said.plain.endswith(" drop all row access policies") and said.names not in filled:
            yield said, "takes a row policy away and gives none back"


def _apart(book: Sequence[Said]) -> Found:
    """Duties are kept apart: no role of the set-up has another one, no session has more roles than its own."""
    made = {said.names[0] for said in book if said.plain.startswith("create role ")}
    for said in book:
        if re.fullmatch(r"grant role @0 to (role|user) @1", said.plain):
            role, to = said.names
            is_service = said.plain.endswith(" user @1") and to == f"{role}_SERVICE"
            if role in made and not is_service and not (said.plain.endswith(" role @1") and to == "SYSADMIN"):
                yield said, f"gives {to} what {role} may"
        if (said.plain.startswith("alter user ") and " set default_role = " in said.plain
                and " default_secondary_roles = ( )" not in said.plain):  # fmt: skip
            yield said, "lets a session have more roles than its own"


RULES: Final[dict[str, Callable[[Sequence[Said]], Found]]] = {
    "public": _public,
    "admin": _admin,
    "secret": _secret,
    "ownership": _ownership,
    "orphan": _orphan,
    "warehouse": _warehouse,
    "quoted": _quoted,
    "again": _again,
    "rights": _rights,
    "reader": _reader,
    "role": _role,
    "exempt": _exempt,
    "kept": _kept,
    "known": _known,
    "apart": _apart,
}
"""Beside these there is `statement` (it can be read) and `eraser` (it sees tables about people alone)."""
