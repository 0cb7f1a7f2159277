"""Whether a server, and the role that we are there, let the log be followed. Answers in, findings out."""

from __future__ import annotations

from collections.abc import Iterator

from ....base.finding import Finding
from ....base.sql import Sql, name
from .answers import Aim, Answers, Refused, RoleSaid, ServerSaid
from .codes import CODES
from .mending import mend

_number_min = 130000
_pooler_ports = frozenset({"6432"})
_pooler_words = ("unsupported startup parameter", "pgbouncer")
_skew_seconds_max = 5.0
_patience_seconds_min = 10.0
_decoding_bytes_min = 64 * 2**20
_idle_seconds_min = 7 * 86_400.0
"""A worker may rest over a long weekend."""


def connection(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """How we got there, and what was refused on the way."""
    for refused in answers.refused:
        # That of a role that may not is told once, as the role's.
        if refused.question == "replication" and answers.role is not None and not may_replicate(answers.role):
            continue
        yield _refused(aim, answers, refused)
    if aim.port in _pooler_ports:
        yield CODES(
            "postgres.connection.pooled",
            f"`url` names port {aim.port}, the usual one of PgBouncer",
            hint="Write the server's own port into `url`, most often 5432.",
        )
    link = answers.link
    if link is not None and not link.encrypted and not link.local:
        yield CODES(
            "postgres.connection.plain",
            "the connection is not encrypted",
            hint="Add sslmode=verify-full to `url`, and sslrootcert=... where the server has a certificate of its own.",
        )
    if answers.server is not None and answers.ours is not None:
        skew = (answers.server.now - answers.ours).total_seconds()
        if abs(skew) > _skew_seconds_max:
            ahead = "ahead of" if skew > 0 else "behind"
            yield CODES(
                "postgres.clock.skew",
                f"the server's clock is {abs(skew):,.0f} s {ahead} ours",
                hint="Let both machines ask a time server: timedatectl shows whether one does.",
            )


def server(said: ServerSaid, *, role: Sql, has_slot: bool) -> Iterator[Finding]:
    """What it is, and what it is configured to for our role. `has_slot`: our slot is there."""
    if said.number < _number_min:
        yield CODES("postgres.server.old", f"it is PostgreSQL {said.version}", hint="Upgrade the server.")
    if said.standby:
        yield CODES("postgres.server.standby", "it is a standby", hint="Write the primary's address into `url`.")
    if said.wal_level != "logical":
        yield CODES(
            "postgres.server.wal_level",
            f"wal_level is {said.wal_level}",
            sql=mend("wal_level"),
            hint="Then restart the server. On RDS set rds.logical_replication = 1 in the parameter group, and reboot.",
        )
    yield from _room(said, slots=1 if has_slot else 2)
    yield from _patience(said, role)
    if said.encoding != "UTF8":
        yield CODES("postgres.server.encoding", f"the database's encoding is {said.encoding}")


def rights(said: RoleSaid) -> Iterator[Finding]:
    if said.superuser:
        yield CODES(
            "postgres.role.superuser",
            f"role {said.name} is a superuser",
            hint="Make a role that can do only what is needed: `tieout doctor --setup-sql` writes the statements.",
        )
    elif not may_replicate(said):
        right = "managed_replication" if said.managed else "replication"
        yield CODES(
            "postgres.role.replication",
            f"role {said.name} may not replicate",
            about=said.name,
            sql=mend(right, role=name(said.name)),
        )


def may_replicate(said: RoleSaid) -> bool:
    return said.superuser or said.replication or said.managed_replication


def _refused(aim: Aim, answers: Answers, refused: Refused) -> Finding:
    if refused.question not in ("connection", "replication"):
        return CODES("postgres.question.refused", refused.message, about=refused.question, hint=refused.hint)
    if any(words in refused.message.lower() for words in _pooler_words):
        return CODES(
            f"postgres.{refused.question}.refused",
            f"a pooler answers: {refused.message}",
            hint="Write the server's own address and port into `url`, not the pooler's.",
        )
    said = answers.role
    if refused.question == "replication" and said is not None and "pg_hba.conf" in refused.message:
        line = f"hostssl {said.database} {said.name} <our address>/32 scram-sha-256"
        hint = f"Add to pg_hba.conf: {line}; then run: select pg_reload_conf();"
        return CODES("postgres.replication.refused", refused.message, hint=hint)
    return CODES(f"postgres.{refused.question}.refused", refused.message, hint=refused.hint)


def _room(said: ServerSaid, *, slots: int) -> Iterator[Finding]:
    """Room for our slot, for the one of a moment, and for the connections of both."""
    if said.slots_max - said.slots_used < slots:
        wanted = said.slots_used + slots + 2
        yield CODES(
            "postgres.server.slots_full",
            f"{said.slots_used} of {said.slots_max} replication slots are in use",
            sql=mend("slots_max", number=wanted),
            hint="Then restart the server.",
        )
    if said.senders_max - said.senders_used < 1:
        yield CODES(
            "postgres.server.senders_full",
            f"{said.senders_used} of {said.senders_max} WAL senders are in use",
            sql=mend("senders_max", number=said.senders_used + 4),
            hint="Then restart the server.",
        )


def _patience(said: ServerSaid, role: Sql) -> Iterator[Finding]:
    waits = said.sender_timeout_seconds
    if waits == 0:
        yield CODES(
            "postgres.server.sender_timeout",
            "wal_sender_timeout is 0",
            sql=mend("sender_timeout", role=role),
        )
    elif waits < _patience_seconds_min:
        yield CODES(
            "postgres.server.sender_impatient",
            f"wal_sender_timeout is {waits:g} s",
            sql=mend("sender_timeout", role=role),
        )
    if said.decoding_bytes < _decoding_bytes_min:
        yield CODES(
            "postgres.server.decoding_memory",
            f"logical_decoding_work_mem is {said.decoding_bytes // 1024:,} kB",
            sql=mend("decoding_memory", role=role),
        )
    if said.idle_seconds is not None and 0 < said.idle_seconds < _idle_seconds_min:
        yield CODES(
            "postgres.slot.idle_timeout",
            f"idle_replication_slot_timeout is {said.idle_seconds / 3600:,.1f} h",
            sql=mend("idle_timeout"),
        )
