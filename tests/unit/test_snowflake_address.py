"""An address of Snowflake: what stands in it, what is refused, and that nothing secret of it is ever shown."""

from __future__ import annotations

import re
import socket
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from tieout.base.errors import Misconfigured, Transient
from tieout.merge.snowflake import opening
from tieout.merge.snowflake.account import Account, connect_arguments

KEY = "PRIVATE KEY-----"
PEM = f"-----BEGIN {KEY}\nMIIE+secret/Zm9v\nYmFy==\n-----END {KEY}\n"
PLACE = "snowflake://LOADER@org-prod/RAW_DATA"


def test_an_address_is_what_it_says() -> None:
    found = Account.parse(f"{PLACE}?warehouse=LOAD&role=LOADER&private_key={PEM}&host=a.privatelink.example&port=8443")

    assert (found.account, found.user, found.database) == ("org-prod", "LOADER", "RAW_DATA")
    assert (found.warehouse, found.role, found.private_key) == ("LOAD", "LOADER", PEM)
    assert (found.host, found.port, found.protocol) == ("a.privatelink.example", 8443, "https")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("snowflake://org-prod/D", "is no address of Snowflake"),
        (f"snowflake://LOADER:pass@org-prod/D?warehouse=W&private_key={PEM}", "a password has no place there"),
        (f"snowflake://LOADER@/D?warehouse=W&private_key={PEM}", "names no account"),
        (f"snowflake://LOADER@org-prod?warehouse=W&private_key={PEM}", "names no database"),
        (f"snowflake://LOADER@org-prod/D-1?warehouse=W&private_key={PEM}", "names no database"),
        (f"{PLACE}?private_key={PEM}", "lacks warehouse"),
        (f"{PLACE}?warehouse=W", "lacks private_key"),
        (f"{PLACE}?warehouse=W&private_key=MIIEsecret", "has a private_key that cannot be"),
        (f"{PLACE}?warehouse=W&private_key={PEM}&passphrase=se&cret", "No value may hold an '&'"),
        (f"{PLACE}?warehouse=W&warehouse=V&private_key={PEM}", "says warehouse twice"),
        (f"{PLACE}?warehouse=W-1&private_key={PEM}", "has a warehouse that cannot be"),
        (f"{PLACE}?warehouse=W&private_key={PEM}&port=http", "has a port that cannot be"),
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_shown(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as refused:
        Account.parse(text)

    assert not any(secret in str(refused.value) for secret in ("secret", "cret", "pass@", "MIIE"))


def test_secrets_are_kept_out_of_repr_and_of_the_name() -> None:
    found = Account.parse(f"{PLACE}?warehouse=W&private_key={PEM}&passphrase=open-sesame")

    assert "MIIE" not in repr(found)
    assert "sesame" not in repr(found)
    assert str(found) == PLACE


def keyed(passphrase: str, *, kept_as: str) -> Account:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    locked = BestAvailableEncryption(kept_as.encode()) if kept_as else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()
    return Account("org-prod", "LOADER", "D", "W", private_key=pem, passphrase=passphrase)


@pytest.mark.parametrize("passphrase", ["", "open-sesame"])
def test_a_key_is_given_to_the_driver_as_it_takes_it(passphrase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {}
    monkeypatch.setattr(opening.snowflake.connector, "connect", lambda **arguments: told.update(arguments))

    opening.opened(keyed(passphrase, kept_as=passphrase), {"project": "shop"})

    assert load_der_private_key(told["private_key"], None)
    assert told["authenticator"] == "SNOWFLAKE_JWT"
    assert "password" not in told


@pytest.mark.parametrize(
    ("account", "told"),
    [
        (keyed("", kept_as="open-sesame"), "is encrypted, and there is no passphrase"),
        (keyed("open-sesame", kept_as=""), "is not encrypted"),
        (keyed("wrong-one", kept_as="open-sesame"), "cannot be read"),
        (Account("org-prod", "LOADER", "D", "W", private_key=PEM), "cannot be read"),
    ],
)
def test_a_key_that_is_of_no_use_is_told_with_the_mend(account: Account, told: str) -> None:
    with pytest.raises(Misconfigured, match=told) as refused:
        opening.opened(account, {})

    assert refused.value.hint
    assert "sesame" not in str(refused.value)
    assert "MIIE" not in str(refused.value)


def test_a_session_says_what_it_is_for_and_waits_for_nothing_for_ever() -> None:
    found = Account("org-prod", "LOADER", "D", "W", private_key=PEM, role="R")

    told = connect_arguments(found, b"der", {"project": "shop"})

    assert told["session_parameters"]["QUERY_TAG"] == '{"project":"shop","tool":"tieout"}'
    assert told["session_parameters"]["LOCK_TIMEOUT"] < told["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"]
    assert told["login_timeout"]
    assert told["network_timeout"]


def test_a_host_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.merge.snowflake.account._LOGIN_SECONDS", 1)
    away = replace(keyed("", kept_as=""), host="127.0.0.1", port=closed_port(), protocol="http")

    with pytest.raises(Transient):
        opening.opened(away, {})


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
