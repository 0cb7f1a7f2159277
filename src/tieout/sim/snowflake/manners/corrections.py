"""What the stand-in mends of fakesnow, and what it only accepts: as data, to be shown. `gaps.py` has what it lacks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
    """`source` is the page of Snowflake's reference that says so, `proof` the test of ours that holds us to it."""

    name: str
    fakesnow: str
    snowflake: str
    source: str
    proof: str


CORRECTIONS = (
    Correction(
        "temporary tables",
        "a temporary table must not name a schema, and COPY does not find it",
        "it lies in the schema named, its session alone sees it, and it goes when that ends",
        "Working with Temporary and Transient Tables",
        "test_what_is_temporary_lies_in_the_schema_named_and_goes_with_its_session",
    ),
    Correction(
        "COPY FILES",
        "FILES= on an internal stage is an invalid URL prefix",
        "files are named below the stage and its path",
        "COPY INTO <table>",
        "test_copy_loads_the_files_it_names",
    ),
    Correction(
        "load memory",
        "a file is known by its name",
        "by its name and its content; what a transaction loaded is forgotten when that rolls back",
        "COPY INTO <table>; load metadata",
        "test_copy_skips_a_file_that_it_loaded_unless_it_was_changed",
    ),
    Correction(
        "session parameters",
        "ALTER SESSION knows two parameters",
        "each session has its own values, which SHOW PARAMETERS tells",
        "ALTER SESSION; Parameters",
        "test_a_session_keeps_its_own_parameters",
    ),
    Correction(
        "defaults of a session",
        "a database that does not exist is passed over at the login, though the driver asks to have it looked at",
        "the login is refused then",
        "Python Connector API: validate_default_parameters",
        "test_a_session_in_a_database_of_nobody_is_refused_if_that_is_asked_for",
    ),
    Correction(
        "locks that are held",
        "SHOW LOCKS, CURRENT_TRANSACTION and SYSTEM$ABORT_TRANSACTION are unknown",
        "a user sees who of his sessions holds what, and may abort it; that session goes on without its transaction",
        "SHOW LOCKS; SYSTEM$ABORT_TRANSACTION; Transactions: aborting",
        "test_a_transaction_that_holds_a_lock_is_seen_and_aborted_from_outside",
    ),
    Correction(
        "session functions",
        "CURRENT_SESSION, CURRENT_WAREHOUSE and LAST_QUERY_ID are unknown",
        "they tell of the session",
        "Context Functions",
        "test_a_session_knows_itself",
    ),
    Correction(
        "time zone",
        "moments are shown in UTC",
        "TIMEZONE is where LTZ and NTZ meet; its default is America/Los_Angeles",
        "Date & Time Data Types",
        "test_a_session_has_its_time_zone",
    ),
    Correction(
        "whole numbers",
        "NUMBER(38,0) has 64 bits, SUM is a floating number, TO_NUMBER knows no 'XX'",
        "38 digits, exactly; SUM of whole numbers is NUMBER(38,0)",
        "Numeric Data Types; SUM; TO_NUMBER",
        "test_whole_numbers_have_38_digits",
    ),
    Correction(
        "null moments",
        "a null timestamp arrives as 1970-01-01",
        "null is null",
        "the driver's Arrow format",
        "test_a_null_moment_is_null",
    ),
    Correction(
        "DDL commits",
        "DDL inside BEGIN can be rolled back",
        "DDL commits the open transaction and is one of its own",
        "Transactions: DDL",
        "test_a_definition_commits_the_open_transaction",
    ),
    Correction(
        "failed statement",
        "the engine undoes the whole transaction in which a statement failed",
        "the statement is undone, the transaction stays open",
        "Transactions: failed statements",
        "test_a_failed_statement_leaves_the_transaction_open",
    ),
    Correction(
        "MERGE twice",
        "two source rows for one target row are both applied",
        "error 100090 unless ERROR_ON_NONDETERMINISTIC_MERGE is false",
        "MERGE: nondeterministic results",
        "test_merge_refuses_two_rows_for_one",
    ),
    Correction(
        "UPDATE twice",
        "one of two source rows wins",
        "error 100090 if ERROR_ON_NONDETERMINISTIC_UPDATE is true",
        "Parameters",
        "test_update_refuses_two_rows_for_one_if_the_session_says_so",
    ),
    Correction(
        "keys",
        "PRIMARY KEY and UNIQUE are enforced",
        "they are not",
        "Overview of Constraints",
        "test_keys_are_not_enforced",
    ),
    Correction(
        "width of text",
        "VARCHAR(n) takes any text",
        "error 100078",
        "String & Binary Data Types",
        "test_text_longer_than_its_column_is_refused",
    ),
    Correction(
        "elements",
        "the key of `p['a b']` is a path, GET gives JSON with its quotes",
        "the key is the key, and as VARCHAR it has no quotes",
        "Querying Semi-structured Data",
        "test_of_a_row",
    ),
    Correction(
        "objects in MERGE",
        "keys are in capitals",
        "they keep their case",
        "OBJECT_CONSTRUCT",
        "test_an_object_keeps_its_keys_and_loses_its_nulls_in_merge_too",
    ),
    Correction(
        "functions of lists",
        "OBJECT_KEYS, ARRAY_CONTAINS and FLATTEN of an expression fail",
        "they answer",
        "FLATTEN; OBJECT_KEYS; ARRAY_CONTAINS",
        "test_of_queries",
    ),
    Correction(
        "MAX_BY",
        "a null value of the winning row is passed over",
        "it is the answer",
        "MAX_BY",
        "test_of_rows",
    ),
    Correction(
        "MAX of booleans",
        "MAX and MIN take booleans",
        "error 1044",
        "MAX",
        "test_there_is_no_greatest_boolean",
    ),
    Correction(
        "formats",
        "TO_VARCHAR drops its format; moments as text have six digits",
        "the format is followed; three digits are the default",
        "TO_CHAR; Date and Time Formats",
        "test_of_a_row",
    ),
    Correction(
        "TO_TIMESTAMP_LTZ",
        "a number becomes a moment without a zone",
        "it is an instant, whatever the session's zone is",
        "TO_TIMESTAMP / TO_TIMESTAMP_*",
        "test_of_a_row",
    ),
    Correction(
        "TRY_CAST to a moment",
        "it fails where the text is none",
        "null",
        "TRY_CAST",
        "test_of_a_row",
    ),
    Correction(
        "views in the catalog",
        "INFORMATION_SCHEMA.TABLES has no views",
        "it has them, with their comments",
        "INFORMATION_SCHEMA.TABLES",
        "test_the_catalog_tells_of_views_and_a_comment_follows_what_it_was_made_for",
    ),
    Correction(
        "comments",
        "a comment belongs to a name, whatever has it",
        "it goes with its table or view, also to another name",
        "COMMENT",
        "test_the_catalog_tells_of_views_and_a_comment_follows_what_it_was_made_for",
    ),
    Correction(
        "SHOW GRANTS",
        "it fails",
        "it tells who was granted what on a table or view, which keeps that when it is renamed, and passes it on"
        " where its successor copies grants",
        "SHOW GRANTS; GRANT privilege; CREATE VIEW: COPY GRANTS",
        "test_grants_are_told_and_follow_what_was_granted",
    ),
    Correction(
        "tags of columns",
        "SET TAG changes nothing, also where there is no such column; TAG_REFERENCES_ALL_COLUMNS is unknown",
        "the tags of a table's columns are told; a column that is not there is error 904",
        "ALTER TABLE MODIFY COLUMN SET TAG; TAG_REFERENCES_ALL_COLUMNS",
        "test_the_tags_of_a_table_are_told_by_column",
    ),
    Correction(
        "rights on what is not there",
        "GRANT and REVOKE on a table or a view that is not there succeed",
        "error 2003",
        "GRANT privilege; REVOKE privilege",
        "test_a_right_on_a_table_that_is_not_there_is_refused_and_a_block_may_pass_over_that_alone",
    ),
    Correction(
        "blocks",
        "EXECUTE IMMEDIATE fails",
        "a block runs its statements one after another, and those of its handler when one fails",
        "Snowflake Scripting; EXECUTE IMMEDIATE",
        "test_a_block_runs_one_after_another_and_its_handler_when_one_fails",
    ),
    Correction(
        "trimming",
        "RTRIM and LTRIM trim spaces at both ends, whatever they are told",
        "of the characters named, at that end",
        "RTRIM; LTRIM; TRIM",
        "test_of_a_row",
    ),
    Correction(
        "ASOF JOIN",
        "MATCH_CONDITION is a syntax error",
        "of each row the nearest of the other table, or nothing",
        "ASOF JOIN",
        "test_of_queries",
    ),
    Correction(
        "catalog",
        "a LTZ column is told to be TZ, and no precision of moments is told",
        "TIMESTAMP_LTZ, and DATETIME_PRECISION",
        "INFORMATION_SCHEMA.COLUMNS",
        "test_the_catalog_tells_of_columns",
    ),
    Correction(
        "quotes in names",
        "a comment, and a column of text whose name has a quote in it, are syntax errors",
        "a name in quotes holds any sign",
        "Identifier requirements: double-quoted identifiers",
        "test_the_name_of_a_column_may_hold_a_quote",
    ),
    Correction(
        "DROP DATABASE",
        "it is a syntax error",
        "the database goes, with all that is in it",
        "DROP DATABASE",
        "test_a_database_is_dropped",
    ),
    Correction(
        "SWAP",
        "ALTER TABLE SWAP WITH fails",
        "the two change places at once",
        "ALTER TABLE",
        "test_tables_are_swapped",
    ),
    Correction(
        "CLONE",
        "CREATE OR REPLACE ... CLONE fails where there is a table, COPY GRANTS and COPY TAGS are syntax errors",
        "the table is replaced at once; grants and tags are carried over",
        "CREATE TABLE: CLONE, COPY GRANTS, COPY TAGS",
        "test_a_table_is_replaced_by_a_clone_of_another",
    ),
    Correction(
        "stages",
        "LIST takes no path, REMOVE fails",
        "both take a path and a pattern",
        "LIST; REMOVE",
        "test_files_of_a_stage_are_listed_and_removed_by_their_path",
    ),
    Correction(
        "table locks",
        "two transactions that change one row conflict",
        "the second waits up to LOCK_TIMEOUT and then sees what the first committed",
        "Transactions: resource locking",
        "test_the_second_to_update_waits_and_sees_what_the_first_left",
    ),
    Correction(
        "read committed",
        "a transaction sees the data of its first read",
        "each read sees what is committed, until the transaction changes something",
        "Transactions: isolation",
        "test_reads_see_each_commit_until_the_transaction_changes_something",
    ),
    Correction(
        "a request again",
        "it runs again",
        "it is answered again",
        "the driver, which sends requestId",
        "test_an_answer_that_is_lost_is_given_again_and_the_deed_is_done_once",
    ),
    Correction(
        "bindings",
        "null in a list, a decimal, a float fail or arrive as text",
        "each has its type",
        "the driver's bindings",
        "test_a_bound_value_comes_back",
    ),
    Correction(
        "several statements",
        "all of them run",
        "error 000008 unless MULTI_STATEMENT_COUNT admits as many; the stand-in admits one",
        "Parameters; Executing Multiple SQL Statements",
        "test_several_statements_in_one_are_refused",
    ),
    Correction(
        "login",
        "the database named is made",
        "the session begins without one if it is not there; CREATE DATABASE makes PUBLIC and uses both",
        "CREATE DATABASE",
        "test_to_name_a_database_at_the_login_makes_none",
    ),
    Correction(
        "warehouses",
        "there is one, whatever was made",
        "those that were made, with their size, when they sleep and whether they wake",
        "SHOW WAREHOUSES",
        "test_warehouses_are_shown_as_they_were_made_and_set",
    ),
    Correction(
        "rights",
        "SHOW GRANTS and INFORMATION_SCHEMA.TABLE_PRIVILEGES fail",
        "they tell what was granted",
        "SHOW GRANTS; TABLE_PRIVILEGES View",
        "test_rights_are_shown_until_they_are_revoked",
    ),
    Correction(
        "settings of schemas",
        "CREATE TRANSIENT SCHEMA and its settings fail; each is told to keep one day",
        "it is what it was made or set to be",
        "CREATE SCHEMA; SCHEMATA View",
        "test_a_schema_has_the_settings_that_it_was_made_with",
    ),
)

_NAME = r'(?:"[^"]*"|[\w$.])+'
WITHOUT_EFFECT = (
    "role", "user", "warehouse", "masking policy", "row access policy", "aggregation policy", "projection policy",
    "resource monitor", "network policy", "network rule", "tag", "database role", "storage integration",
)  # fmt: skip

ACCEPTED_ONLY = (
    r"grant",
    r"revoke",
    rf"(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:{'|'.join(WITHOUT_EFFECT)})".replace(" ", r"\s+"),
    rf"alter\s+(?:table|view)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:modify|alter)\s+(?:column\s+)?{_NAME}"
    r"\s+(?:un)?set\s+(?:masking\s+policy|tag|projection\s+policy)",
    rf"alter\s+(?:table|view)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:add|drop)\s+(?:all\s+)?row\s+access\s+polic",
    rf"alter\s+(?:table|view)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:modify|alter)\s+(?:column\s+)?{_NAME}\s+comment",
    rf"alter\s+(?:schema|database)\s+(?:if\s+exists\s+)?{_NAME}\s+(?:un)?set",
    r"comment\s+(?:if\s+exists\s+)?on\s+(?:column|schema|database|role|warehouse)",
)
"""Beginnings of statements that succeed, are recorded, and have no effect. Nothing is enforced."""
