"""Where the stand-in is not as Snowflake, as data: what it does instead, and why it is left so.

Whoever proves something against the stand-in looks here for what that proof cannot say.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "notimpl": "could be made here, and is not: no statement of ours asks for it",
    "notyet": "the engine beneath cannot do it yet, and it has not been made above it",
    "never": "is of a real account alone: only the live suite can tell",
}


@dataclass(frozen=True)
class Gap:
    """`word` is one of WORDS, `reason` why the gap is let be: what keeps it from hiding a fault of ours."""

    what: str
    here: str
    snowflake: str
    word: str
    reason: str

    def __post_init__(self) -> None:
        if self.word not in WORDS:
            raise ValueError(f"{self.what}: {self.word!r} is none of {', '.join(WORDS)}")
        if not all(text.strip() for text in (self.what, self.here, self.snowflake, self.reason)):
            raise ValueError(f"{self.what}: a gap says what it is and why it is let be")


GAPS = (
    Gap(
        "views in the catalog",
        "INFORMATION_SCHEMA.TABLES tells of no views; VIEWS does",
        "TABLES tells of both",
        "notimpl",
        "what asks whether a mart stands asks both, and would find a view twice or once alike",
    ),
    Gap(
        "reads after a change",
        "after the first change of a transaction its reads see the data of that moment",
        "each statement sees what is committed when it begins",
        "notyet",
        "the fence is taken by the first change, and nobody else writes what is read behind it",
    ),
    Gap(
        "one database",
        "a transaction writes to one database",
        "to several",
        "notyet",
        "a project has one database",
    ),
    Gap(
        "division",
        "gives a floating number, AVG too",
        "of whole numbers it has six decimals more",
        "notyet",
        "no figure that must be exact is divided: sums and counts alone are compared",
    ),
    Gap(
        "INT",
        "has 64 bits and refuses more",
        "has 38 digits",
        "notimpl",
        "our tables say NUMBER(19,0) and NUMBER(20,0), which are the same in both",
    ),
    Gap(
        "a float as text",
        "is written as DuckDB writes it (1e+20), but for the .0 at its end",
        "has digits of its own",
        "notyet",
        "floats as text stand in the state's hash alone, which is compared within one warehouse",
    ),
    Gap(
        "OBJECT, ARRAY and VARIANT",
        "are one type, JSON; the catalog calls each VARIANT",
        "are three",
        "notyet",
        "our one OBJECT, the registers of patches, is read by its members alone",
    ),
    Gap(
        "digits of a moment",
        "six below the second, whatever was declared; TIMESTAMP_TZ is TIMESTAMP_LTZ",
        "as many as declared, nine at most",
        "notyet",
        "our moments have six, and none is declared TIMESTAMP_TZ",
    ),
    Gap(
        "a whole number as a moment",
        "is refused when it is inserted as text",
        "has a unit that is guessed from its size",
        "notimpl",
        "a moment is written with its unit, so that nothing is guessed",
    ),
    Gap(
        "COPY of other files",
        "reads Parquet by column name; other formats and transformations are fakesnow's",
        "reads CSV, JSON, Avro, ORC and XML too",
        "notimpl",
        "rows are staged as Parquet and copied by name",
    ),
    Gap(
        "the age of the load memory",
        "LOAD_UNCERTAIN_FILES has no effect; LOAD_HISTORY and COPY_HISTORY tell nothing",
        "forgets after 64 days, and tells for 14",
        "never",
        "each load goes into a table that was made for it, under a name that is the hash of its bytes",
    ),
    Gap(
        "MERGE that deletes twice",
        "is refused, where two source rows both delete one target row",
        "deletes it",
        "notimpl",
        "our MERGE deletes nothing, and its source is unique by its key",
    ),
    Gap(
        "ASOF JOIN",
        "takes texts and uuids in its condition too",
        "takes numbers and moments alone",
        "notimpl",
        "by a text our sums go by ranges, which are joined otherwise",
    ),
    Gap(
        "MAX of booleans",
        "is accepted in a window, with DISTINCT or with a filter; so is MIN",
        "is error 1044",
        "notimpl",
        "no statement of ours has one; without these it is refused here too",
    ),
    Gap(
        "CLONE",
        "copies the rows, and what is made has no NOT NULL",
        "shares the partitions, and is made as the other was",
        "notyet",
        "what is lacking was never null where it came from; what it costs, an account alone can tell",
    ),
    Gap(
        "RENAME and SWAP into another schema",
        "are refused",
        "move the table",
        "notimpl",
        "tables change places within their schema",
    ),
    Gap(
        "CREATE OR REPLACE and locks",
        "does not wait for a transaction that changes the table",
        "waits",
        "notimpl",
        "what is replaced is temporary, of one session alone",
    ),
    Gap(
        "LOCK_TIMEOUT",
        "is 60 s at the most; a session that is left open keeps its locks",
        "is what it was set to; an idle session loses its locks in the end",
        "notimpl",
        "no test shall wait for longer; that a dead session's lock ends is the server's promise",
    ),
    Gap(
        "STATEMENT_TIMEOUT_IN_SECONDS",
        "bounds the wait for a lock, not what runs",
        "bounds both",
        "notimpl",
        "what takes too long is cancelled by the driver's own limit, which works here",
    ),
    Gap(
        "names of temporary tables",
        "end in ~ and the session's number, in messages and in the catalog",
        "are what they were made as",
        "notyet",
        "no statement looks for one in the catalog",
    ),
    Gap(
        "names that differ only in case",
        "are one name",
        "are apart where they are quoted",
        "notyet",
        "our names are all in capitals, and two that would be one are refused before",
    ),
    Gap(
        "a key with a double quote, or a backslash at its end",
        "cannot be asked for in an OBJECT: a path of the engine has no sign for it",
        "is a key as any other",
        "notyet",
        "the key stands in the statement as a string, of which the golden files tell; the live suite asks for one",
    ),
    Gap(
        "blocks of Snowflake Scripting",
        "have no variables, branches and loops; their one handler either is WHEN OTHER and raises again, or passes over"
        " the errors of one number",
        "have all of them",
        "notimpl",
        "those that change a name's owner, and those that miss a table, are of these two forms",
    ),
    Gap(
        "TRY_CAST",
        "takes any value; to BINARY it takes letters; of minus zero as text it has no sign",
        "takes text alone; to BINARY it takes hexadecimal digits",
        "notyet",
        "what is tried is text by the type that its column is told to have; no test counts on the other two",
    ),
    Gap(
        "SHOW GRANTS",
        "tells of single tables and views; what is revoked, or granted on a whole schema, changes nothing in it",
        "tells of everything that is in force",
        "notimpl",
        "who may read an old table is asked of that table",
    ),
    Gap(
        "time travel and what moves by itself",
        "there is none: time travel, UNDROP, streams, tasks, dynamic tables, procedures, GET and GET_DDL",
        "has them",
        "never",
        "nothing of ours stands on them",
    ),
    Gap(
        "rights, policies, tags",
        "succeed and let nobody in or out; rights and the tags of columns are told as they were given, under the name"
        " that the table had then",
        "decide who sees what",
        "never",
        "the set-up is held by its linter; whether a role may do it, an account alone can tell",
    ),
    Gap(
        "FUTURE grants, OWNERSHIP, grants of what is dropped",
        "are not shown; a table that was dropped keeps its grants",
        "are shown, and go with their table",
        "notyet",
        "the doctor asks for rights on schemas and on tables that are there",
    ),
    Gap(
        "who may log in",
        "anybody, under any key, role and warehouse, also where nobody made them",
        "whom the account has, as what he was granted",
        "never",
        "how a login is refused is held by the driver's own errors",
    ),
    Gap(
        "warehouses, credits, limits of an account",
        "cost nothing, never sleep, never queue",
        "are billed by the second, a minute at least, and resume when asked",
        "never",
        "what a merge costs is reckoned in the guide, and told by the account's own bill",
    ),
)
