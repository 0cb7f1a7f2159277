"""A session in a Snowflake account, opened with the user's key through the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import snowflake.connector
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ...base.errors import Misconfigured
from .account import Account, connect_arguments
from .session import Session

_NEW = "openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -out tieout.p8 -nocrypt makes a new one."


def opened(account: Account, tag: Mapping[str, str]) -> Session:
    """Raises Transient where it is away, Misconfigured where it does not let us in. `tag`: what its statements are
    for, as the account's bill shall show it."""
    return _session(account, connect_arguments(account, _der(account), tag), tag)


def opened_to_look(account: Account, tag: Mapping[str, str]) -> Session:
    """The same where database and warehouse are not there: the session has none then, and can be asked for others."""
    arguments = connect_arguments(account, _der(account), tag)
    return _session(account, {**arguments, "validate_default_parameters": False}, tag)


def _session(account: Account, arguments: Mapping[str, Any], tag: Mapping[str, str]) -> Session:
    return Session(lambda: snowflake.connector.connect(**arguments), str(account), tag)


def _der(account: Account) -> bytes:
    try:
        key = load_pem_private_key(account.private_key.strip().encode(), account.passphrase.encode() or None)
    except TypeError as error:
        lacks = "is encrypted, and there is no passphrase" if not account.passphrase else "is not encrypted"
        hint = "Write &passphrase=${...}." if not account.passphrase else "Leave the passphrase out."
        raise Misconfigured(f"{account}: the private key {lacks}.", hint=hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = f"See whether it is whole, and the passphrase right. {_NEW}"
        raise Misconfigured(f"{account}: the private key cannot be read.", hint=hint) from error
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
