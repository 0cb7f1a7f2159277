"""How a session with the server is asked for: what is read must not depend on whose settings happen to hold, and no
wait on a line that is dead may be without an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg2.extensions

from .refusal import refusals_told

_connect_seconds_max = 20

_PATIENCE: Mapping[str, str] = {
    # A slot is made when the transactions that run have ended: it waits for each no longer than this.
    "lock_timeout": "60s",
    # A machine of ours that has vanished holds the slot no longer than TCP takes to notice.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings for which the URL's own `options` may say something else."""

_MEANING: Mapping[str, str] = {
    # Values in the log are written as the session would write them; these make them one text everywhere.
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    # A table that hides rows from us must fail, or its hidden rows would be taken for deleted ones.
    "row_security": "off",
    # A large table takes its time.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""Settings on which what we read depends."""

_NOTICES: Mapping[str, int] = {
    # A server that has vanished without a word is noticed by us within a minute or two, not when the system likes: two
    # hours. A machine of ours that waits for an answer says nothing that could go unconfirmed.
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # Of what we have said and nobody confirms, in milliseconds.
    "tcp_user_timeout": 60_000,
}
"""Of every connection, where the URL says nothing else."""


def dsn_of(url: str, *, encoding: str) -> str:
    """The URL with all of it."""
    with refusals_told("reading `url`"):
        given = psycopg2.extensions.parse_dsn(url)
    # The server takes the last of two equal settings.
    settings = [
        *_settings(_PATIENCE),
        given.pop("options", ""),
        *_settings(_MEANING),
        f"-c client_encoding={encoding}",
    ]
    given.setdefault("connect_timeout", _connect_seconds_max)
    given.setdefault("application_name", "tieout")
    return psycopg2.extensions.make_dsn(**{**_NOTICES, **given}, options=" ".join(settings))


def _settings(settings: Mapping[str, str]) -> Iterator[str]:
    return (f"-c {key}={value}" for key, value in settings.items())
