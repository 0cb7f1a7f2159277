"""Where a project's stores stand, as its file writes it: folders and files here, a bucket, a server.

It opens nothing. What was found in an address is never shown: it may hold a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import Misconfigured
from ..base.s3_address import SCHEME as S3
from ..base.s3_address import S3Address
from ..base.yamlfile import Document, Place, nearest
from ..merge.snowflake.account import SCHEME as SNOWFLAKE
from ..merge.snowflake.account import Account

LANDING = "./.tieout/landing"
LEDGER = "sqlite:///./.tieout/ledger.sqlite"
WAREHOUSE = "duckdb:///./.tieout/warehouse.duckdb"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class PostgresBook:
    """A ledger in a PostgreSQL: `url` is whatever libpq takes, kept out of repr."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        return "the ledger in PostgreSQL"


FolderOrBucket = Path | S3Address
LedgerPlace = Path | PostgresBook
WarehousePlace = Path | Account


def folder_or_bucket(document: Document, place: Place, base: Path, text: str) -> FolderOrBucket:
    """A path, or s3://BUCKET/PREFIX."""
    if text.startswith(S3):
        try:
            return S3Address.parse(text)
        except ValueError as error:
            raise document.wrong(place, str(error)) from error
    if match := _SCHEME.match(text):
        raise wrong_word(document, place, "has the scheme", match[1], ("a path", "s3"))
    if not text:
        raise document.wrong(place, "is empty; write the path of a folder, such as ./inbox.")
    return base / text


def ledger_place(document: Document, base: Path, text: str) -> LedgerPlace:
    """`sqlite:///PATH`, or whatever libpq takes."""
    if text.startswith(_POSTGRES) or ("=" in text and not _SCHEME.match(text)):
        return PostgresBook(text)
    return base / _file(document, ("ledger",), text, ("sqlite", "postgresql"), LEDGER)


def warehouse_place(document: Document, base: Path, text: str) -> WarehousePlace:
    """`duckdb:///PATH`, or an account of Snowflake."""
    if text.startswith(SNOWFLAKE):
        try:
            return Account.parse(text)
        except ValueError as error:
            raise document.wrong(("warehouse",), str(error)) from None
    return base / _file(document, ("warehouse",), text, ("duckdb", "snowflake"), WAREHOUSE)


def modeller_place(document: Document, text: str | None, warehouse: WarehousePlace) -> Account | None:
    """As whom the marts are built in Snowflake; None: as who merges."""
    if text is None:
        return None
    if not isinstance(warehouse, Account):
        raise document.wrong(("models",), "is for a warehouse in Snowflake; a file has one owner: leave it out.")
    try:
        account = Account.parse(text)
    except ValueError as error:
        raise document.wrong(("models",), str(error)) from None
    one, other = ((at.account.lower(), at.database.lower()) for at in (account, warehouse))
    if one != other:
        raise document.wrong(("models",), f"is another account or database than {warehouse}; marts stand beside it.")
    return account


def _file(document: Document, place: Place, text: str, schemes: tuple[str, ...], example: str) -> str:
    match, scheme = _SCHEME.match(text), schemes[0]
    if match and match[1] != scheme:
        raise wrong_word(document, place, "has the scheme", match[1], schemes)
    path = text.removeprefix(f"{scheme}:///")
    if path in ("", text):
        raise document.wrong(place, f"is not of the form {scheme}:///PATH; write one such as {example}.")
    return path


def wrong_word(
    document: Document,
    place: Place,
    verb: str,
    word: str,
    allowed: tuple[str, ...],
    *,
    planned: frozenset[str] = frozenset(),
) -> Misconfigured:
    known = "which is planned but not built yet" if word in planned else "which tieout does not know"
    hint = nearest(word, allowed)
    return document.wrong(place, f'{verb} "{word}", {known}; allowed: {", ".join(allowed)}.', hint=hint)
