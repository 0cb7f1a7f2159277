"""Whether the server keeps the log for us, for how long, and what holds it up. Answers in, findings out."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from ....base.finding import Finding
from ....base.sql import literal
from .answers import Aim, Answers, LogSaid, ServerSaid, SlotSaid
from .codes import CODES
from .mending import mend

_GIB = 2**30
_behind_bytes_max = _GIB
_orphan_bytes_max = 2**28
_old_seconds_max = 60.0
"""A slot that is being made waits no longer than this for a transaction (`lock_timeout` in wire.py)."""
_away_hours_min = 24.0
_keep_gib_min = 10
_counted_seconds_min = 600.0
"""A rate that was counted for less says little of a day."""


def slot(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """Our slot."""
    ours = our_slot(aim, answers)
    if ours is None:
        named = f"slot {aim.slot} is not there: it was not made yet, or was dropped"
        yield CODES("postgres.slot.none", named if aim.slot else "there is no slot of ours yet", about=aim.slot or "")
    elif ours.plugin != "pgoutput" or not ours.here:
        yield CODES(
            "postgres.slot.foreign",
            f"replication slot {ours.name} belongs to another database or program",
            about=ours.name,
            hint="Choose another name by `slot` in tieout.yaml.",
        )
    else:
        yield from _ours(ours, answers)


def others(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """Slots of others that nobody reads."""
    for one in answers.slots:
        if one.name != aim.slot and one.active_pid is None and one.retained >= _orphan_bytes_max:
            yield CODES(
                "postgres.slot.orphan",
                f"nobody reads slot {one.name}, which keeps {size(one.retained)}",
                about=one.name,
                sql=mend("drop_slot", slot=literal(one.name)),
                hint="Ask whose it is first: what it kept is lost to its reader.",
            )


def transactions(answers: Answers) -> Iterator[Finding]:
    """Who holds up a slot that is being made, and the log from going."""
    for one in answers.transactions:
        sleeps = one.state.startswith("idle in transaction") and not one.application.startswith("tieout")
        if one.seconds >= _old_seconds_max and (one.writes or sleeps):
            deed = "has written and not ended" if one.writes else "does nothing and has not ended"
            yield CODES(
                "postgres.transaction.old" if one.writes else "postgres.transaction.idle",
                f"a transaction of {one.role} ({one.application or 'unnamed'}) {deed} for {one.seconds / 60:,.0f} min",
                about=f"pid {one.pid}",
                sql=mend("end_session", pid=one.pid),
                hint="Its work is undone; better let its owner end it.",
            )
    for prepared in answers.prepared:
        if prepared.seconds >= _old_seconds_max:
            yield CODES(
                "postgres.transaction.prepared",
                f"transaction {prepared.id} was prepared {prepared.seconds / 60:,.0f} min ago and not ended",
                about=prepared.id,
                sql=mend("end_prepared", id=literal(prepared.id)),
                hint="Or commit it: ask whoever prepared it.",
            )
    if answers.concealed:
        yield CODES(
            "postgres.transaction.concealed",
            f"what {answers.concealed:,} sessions of others do is hidden from our role",
            hint="Ask a member of pg_read_all_stats to look for old transactions, when a slot is slow to be made.",
        )


def room(said: ServerSaid, log: LogSaid | None, ours: SlotSaid | None) -> Iterator[Finding]:
    """How long we may be away, by how fast the log is written."""
    rate = log.written / log.seconds if log is not None and log.seconds >= _counted_seconds_min else None
    written = "" if rate is None else f"; {size(rate * 86_400)} of log a day were written so far"
    wanted = max(_keep_gib_min, ceil((rate or 0) * _away_hours_min * 3600 * 2 / _GIB))
    sql = mend("keep", size=literal(f"{wanted}GB"))
    if said.keep_bytes is None:
        found = f"max_slot_wal_keep_size is -1{written}"
        hint = "A slot that keeps more is lost then, and every table read anew: choose what the disk can bear."
        yield CODES("postgres.log.unbounded", found, sql=sql, hint=hint)
        return
    left = ours.safe if ours is not None and ours.safe is not None else said.keep_bytes
    hours = None if not rate else max(left, 0) / rate / 3600
    if hours is not None and hours < _away_hours_min:
        yield CODES("postgres.log.short", f"{size(left)} may still be written, which takes {hours:,.1f} h", sql=sql)
    else:
        enough = "" if hours is None else f", which takes {hours:,.0f} h"
        yield CODES("postgres.log.ok", f"{size(left)} may still be written{enough}{written}")


def our_slot(aim: Aim, answers: Answers) -> SlotSaid | None:
    return next((one for one in answers.slots if one.name == aim.slot), None)


def size(number: float) -> str:
    """`1.5 GB`: three digits, and a unit of 1024."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:,.1f} TB"


def _ours(ours: SlotSaid, answers: Answers) -> Iterator[Finding]:
    drop = mend("drop_slot", slot=literal(ours.name))
    if ours.status == "lost" or ours.reason:
        found = f"slot {ours.name} is lost ({ours.reason or 'its log was removed'})"
        yield CODES("postgres.slot.lost", found, about=ours.name, sql=drop)
        return
    if ours.status == "unreserved":
        found = f"slot {ours.name} keeps more log than it may"
        yield CODES("postgres.slot.unreserved", found, about=ours.name, shell="tieout run --once")
    if ours.behind >= _behind_bytes_max:
        found = f"slot {ours.name} is {size(ours.behind)} behind and keeps {size(ours.retained)} of log"
        yield CODES("postgres.slot.behind", found, about=ours.name, shell="tieout run --once")
    if ours.active_pid is not None and ours.reader is not None and not ours.reader.startswith("tieout"):
        found = f"{ours.reader or 'an unnamed program'} reads from slot {ours.name}"
        sql = mend("end_session", pid=ours.active_pid)
        yield CODES("postgres.slot.taken", found, about=ours.name, sql=sql)
    if answers.server is not None and answers.server.physical_slots and ours.failover is False:
        yield CODES(
            "postgres.server.failover",
            f"standbys follow the server, and slot {ours.name} is not kept on them",
            about=ours.name,
            hint="While no worker runs, in psql with replication=database: "
            f"ALTER_REPLICATION_SLOT {ours.name} (FAILOVER);",
        )
    read = f"pid {ours.active_pid} reads from it" if ours.active_pid is not None else "nobody reads from it now"
    kept = f"{size(ours.behind)} behind, {size(ours.retained)} of log kept"
    yield CODES("postgres.slot.ok", f"slot {ours.name}: {kept}; {read}", about=ours.name)
