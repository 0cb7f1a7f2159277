"""What the stand-in mends of fakesnow, what it only accepts, and what it does not do. As data, so that it can be shown.

`source` says how Snowflake's behaviour is known: the page of its reference, or the test of ours that depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
    name: str
    fakesnow: str
    snowflake: str
    source: str


CORRECTIONS = (
    Correction(
        "temporary tables",
        "a temporary table must not name a schema, and COPY does not find it",
        "it lives in the schema named, is seen by its session alone, and goes when that ends",
        "Working with Temporary and Transient Tables",
    ),
    Correction(
        "COPY FILES",
        "FILES= on an internal stage is an invalid URL prefix",
        "files are named below the stage and its path",
        "COPY INTO <table>",
    ),
    Correction(
        "load memory",
        "a file is known by its name",
        "by its name and its content; the memory rolls back with the transaction",
        "COPY INTO <table>; Loading Data: Load Metadata",
    ),
    Correction(
        "session parameters",
        "ALTER SESSION knows two parameters",
        "each session has its own values, which SHOW PARAMETERS tells",
        "ALTER SESSION; Parameters",
    ),
    Correction(
        "session functions",
        "CURRENT_SESSION, CURRENT_WAREHOUSE, LAST_QUERY_ID are unknown",
        "they tell of the session",
        "Context Functions",
    ),
    Correction(
        "hexadecimal", "TO_NUMBER takes no format", "TO_NUMBER(text, 'XX') reads hexadecimal digits", "TO_NUMBER"
    ),
    Correction(
        "whole numbers",
        "NUMBER(38,0) has 64 bits, and SUM is a floating number",
        "38 digits, exactly; SUM of whole numbers is NUMBER(38,0)",
        "Numeric Data Types; SUM",
    ),
    Correction(
        "null moments", "a null timestamp arrives as 1970-01-01", "null is null", "the connector's Arrow format"
    ),
    Correction(
        "DDL commits",
        "DDL inside BEGIN can be rolled back",
        "DDL commits the open transaction and is one of its own",
        "Transactions: DDL",
    ),
    Correction(
        "failed statement",
        "the engine undoes the whole transaction in which a statement failed",
        "the statement is undone, the transaction stays open",
        "Transactions: Failed Statements within a Transaction",
    ),
    Correction(
        "MERGE twice",
        "two source rows for one target row are both applied",
        "error 100090 unless ERROR_ON_NONDETERMINISTIC_MERGE is false",
        "MERGE: Nondeterministic Results",
    ),
    Correction("keys", "PRIMARY KEY and UNIQUE are enforced", "they are not", "Overview of Constraints"),
    Correction(
        "table locks",
        "two transactions that change one row conflict",
        "the second waits up to LOCK_TIMEOUT and then sees what the first committed",
        "Transactions: Resource Locking",
    ),
)

_NAME = r'(?:"[^"]*"|[\w$.])+'
_WITHOUT_EFFECT = (
    "role", "user", "warehouse", "masking policy", "row access policy", "aggregation policy", "projection policy",
    "resource monitor", "network policy", "network rule", "tag", "database role", "storage integration",
)  # fmt: skip

ACCEPTED_ONLY = (
    r"grant",
    r"revoke",
    rf"(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:{'|'.join(_WITHOUT_EFFECT)})".replace(" ", r"\s+"),
    rf"alter\s+(?:table|view)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:modify|alter)\s+(?:column\s+)?{_NAME}"
    r"\s+(?:un)?set\s+(?:masking\s+policy|tag|projection\s+policy)",
    rf"alter\s+(?:table|view)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:add|drop)\s+(?:all\s+)?row\s+access\s+polic",
    rf"alter\s+(?:schema|database)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:un)?set",
    r"comment\s+(?:if\s+exists\s+)?on\s+(?:column|schema|database|role|warehouse)",
)
"""Beginnings of statements that succeed, are recorded, and have no effect. Nothing is enforced."""

NOT_MADE = (
    "After the first change of a transaction its reads see the data of that moment; Snowflake's see each commit.",
    "Division of whole numbers gives a floating number; Snowflake's has six decimals more.",
    "COPY reads Parquet by column name; other formats and transformations are fakesnow's.",
    "INFORMATION_SCHEMA.LOAD_HISTORY does not tell what our COPY loaded.",
    "OBJECT, ARRAY and VARIANT are one type, JSON.",
)
