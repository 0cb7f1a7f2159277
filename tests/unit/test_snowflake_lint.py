"""The lint of a set-up: planted mistakes, each found under its rule, and none found where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tieout.run.snowflake_setup.lint import RULES, lint

ROOT = Path(__file__).parents[2]
SETUP = (ROOT / "infra" / "snowflake" / "revops.sql").read_text(encoding="utf-8")
ATTACHED = (ROOT / "infra" / "snowflake" / "revops.attach.sql").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "guides" / "snowflake-setup.md").read_text(encoding="utf-8")

AS_SECURITY = 'use role "SECURITYADMIN";\n'
AS_SYS = 'use role "SYSADMIN";\n'
MADE = "create warehouse if not exists \"W\" with warehouse_size = 'XSMALL' auto_suspend = 60 auto_resume = true"
WATCHED = (
    '\nuse role "ACCOUNTADMIN";\ncreate resource monitor if not exists "W" with credit_quota = 5 frequency = monthly'
    " start_timestamp = immediately triggers on 100 percent do suspend;\n"
    'alter warehouse if exists "W" set resource_monitor = "W";\n'
)
TAG = 'alter table if exists "S"."RAW"."P" modify column "M" set tag "S"."GOVERNANCE"."PERSONAL" = \'column\';\n'


def passing(statement: str) -> str:
    return (
        f"execute immediate 'begin {statement};"
        " exception when statement_error then if (sqlcode <> 2003) then raise; end if; end;';"
    )


PLANTED = {
    "a right for everyone": ("public", AS_SECURITY + 'grant usage on database "S" to role public;'),
    "a right for everyone, in quotes": ("public", AS_SECURITY + 'grant usage on database "S" to role "PUBLIC";'),
    "a role for everyone": ("public", AS_SECURITY + 'grant role "S_READER" to role "PUBLIC";'),
    "an administrator more": ("admin", AS_SECURITY + 'grant role "ACCOUNTADMIN" to role "S_LOADER";'),
    "an administrator more, without quotes": ("admin", AS_SECURITY + 'grant role accountadmin to user "S_SERVICE";'),
    "a right for an administrator": ("admin", AS_SECURITY + 'grant select on table "S"."RAW"."P" to role "SYSADMIN";'),
    "a right to hand on": ("admin", AS_SECURITY + 'grant usage on database "S" to role "S_X" with grant option;'),
    "all rights": ("admin", AS_SECURITY + 'grant all on schema "S"."RAW" to role "S_LOADER";'),
    "a password": ("secret", AS_SECURITY + 'create user if not exists "U" type = service password = \'x\';'),
    "a password later": ("secret", AS_SECURITY + 'alter user if exists "U" set password = \'x\';'),
    "a user that may have one": ("secret", AS_SECURITY + 'create user if not exists "U" default_role = "R";'),
    "a private key": ("secret", AS_SECURITY + "alter user if exists \"U\" set comment = 'BEGIN PRIVATE KEY';"),
    "ownership for a reader": ("ownership", AS_SECURITY + 'grant ownership on table "S"."RAW"."P" to role "S_READER";'),
    "a role apart": ("orphan", AS_SECURITY + 'create role if not exists "S_X" comment = \'x\';'),
    "roles in a ring": (
        "orphan",
        AS_SECURITY
        + 'create role if not exists "A" comment = \'x\';\ngrant role "A" to role "B";\ngrant role "B" to role "A";',
    ),
    "a warehouse that nobody watches": (
        "warehouse", AS_SYS + MADE + " initially_suspended = true statement_timeout_in_seconds = 9;",
    ),
    "a warehouse that never sleeps": (
        "warehouse",
        AS_SYS + MADE.replace("60", "0") + " initially_suspended = true statement_timeout_in_seconds = 9;" + WATCHED,
    ),
    "a warehouse that starts at once": ("warehouse", AS_SYS + MADE + " statement_timeout_in_seconds = 9;" + WATCHED),
    "statements without an end": ("warehouse", AS_SYS + MADE + " initially_suspended = true;" + WATCHED),
    "a monitor that stops nothing": (
        "warehouse",
        AS_SYS + MADE + " initially_suspended = true statement_timeout_in_seconds = 9;"
        + WATCHED.replace("do suspend", "do notify"),
    ),
    "a name without quotes": ("quoted", AS_SECURITY + 'grant usage on database shop to role "S_LOADER";'),
    "a role that fails when made again": ("again", AS_SECURITY + 'create role "R"; grant role "R" to role "SYSADMIN";'),
    "a table made anew": ("again", AS_SYS + 'create or replace table "S"."RAW"."P" ("a" varchar);'),
    "a view without its grants": ("again", AS_SYS + 'create or replace secure view "S"."READABLE"."V" as select 1;'),
    "a schema dropped twice": ("again", AS_SYS + 'drop schema "S"."PUBLIC";'),
    "a mask set twice": ("again", AS_SYS + 'alter tag "T" set masking policy "P";'),
    "a second row policy": (
        "again", AS_SYS + 'alter table if exists "S"."RAW"."P" add row access policy "R" on ("C");',
    ),
    "rows": ("again", AS_SYS + "select 1;"),
    "a right on a table that may not be there": (
        "again", AS_SECURITY + 'grant select on table "S"."LATEST"."T" to role "S_READER";',
    ),
    "a view of a table that may not be there": (
        "again",
        AS_SYS + 'create or replace secure view "S"."READABLE"."V" copy grants as select "a" from "S"."LATEST"."T";',
    ),
    "a tag on a table that may not be there": (
        "again", AS_SYS + 'alter table "S"."RAW"."T" modify column "M" set tag "S"."G"."PERSONAL" = \'column\';',
    ),
    "more passed over than a table": (
        "again", AS_SECURITY + passing('grant usage on schema "S"."X" to role "S_LOADER"'),
    ),
    "every error passed over": (
        "again",
        AS_SECURITY + passing('grant select on table "S"."LATEST"."T" to role "S_READER"').replace("2003", "0"),
    ),
    "a block of several": (
        "again",
        AS_SECURITY + passing('grant select on table "S"."LATEST"."T" to role "S_READER"; drop schema "S"."X"'),
    ),
    "a reader of history, where there is any": (
        "reader", AS_SECURITY + passing('grant select on table "S"."RAW"."T" to role "S_READER"'),
    ),
    "an empty block": ("again", AS_SECURITY + "execute immediate '';"),
    "an auditor that deletes": ("rights", AS_SECURITY + 'grant delete on table "S"."TIEOUT"."T" to role "S_AUDITOR";'),
    "a reader that writes": ("rights", AS_SECURITY + 'grant update on table "S"."LATEST"."T" to role "S_READER";'),
    "a reader of history": ("reader", AS_SECURITY + 'grant select on table "S"."RAW"."T" to role "S_READER";'),
    "a reader of what comes": (
        "reader", AS_SECURITY + 'grant select on future tables in schema "S"."LATEST" to role "S_READER";',
    ),
    "an eraser that reads finance": (
        "eraser", TAG + AS_SECURITY + 'grant select on table "S"."RAW"."INVOICE" to role "S_ERASER";',
    ),
    "an eraser that reads marts": (
        "eraser", TAG + AS_SECURITY + 'grant select on all tables in schema "S"."MARTS" to role "S_ERASER";',
    ),
    "grants under another role": ("role", AS_SYS + 'grant usage on database "S" to role "S_LOADER";'),
    "too great a role": ("role", 'use role "ACCOUNTADMIN";\ndrop schema if exists "S"."PUBLIC";'),
    "a mask for the loader": (
        "exempt",
        AS_SYS + 'alter masking policy if exists "P" set body -> case when current_role() in (\'S_ERASER\')'
        " then said else null end;",
    ),
    "deleted rows kept": (
        "kept", AS_SYS + 'create schema if not exists "S"."RAW" with managed access data_retention_time_in_days = 1;',
    ),
    "deleted rows kept longer": (
        "kept",
        AS_SYS + 'create transient schema if not exists "S"."RAW" with managed access data_retention_time_in_days = 7;',
    ),
    "deleted rows kept longer later": (
        "kept",
        AS_SYS + 'alter schema if exists "S"."LATEST" set data_retention_time_in_days = 90'
        " max_data_extension_time_in_days = 0;",
    ),
    "deleted rows kept for a late reader": (
        "kept",
        AS_SYS + 'alter schema if exists "S"."LATEST" set data_retention_time_in_days = 1'
        " max_data_extension_time_in_days = 14;",
    ),
    "a warehouse that never sleeps any more": (
        "warehouse", AS_SYS + 'alter warehouse if exists "W" set auto_suspend = 0;',
    ),
    "a form of grant that is not known": (
        "known", AS_SECURITY + 'grant usage on database "S" to database role "S"."X";',
    ),
    "a right that takes no role": ("known", AS_SECURITY + 'grant select on table "S"."RAW"."T" to user "U";'),
    "a mask dropped": ("known", AS_SYS + 'drop masking policy if exists "P";'),
    "a schema dropped": ("known", AS_SYS + 'drop schema if exists "S"."RAW";'),
    "a row policy taken away": (
        "known", AS_SYS + 'alter table if exists "S"."RAW"."P" drop all row access policies;',
    ),
    "a reader that loads": (
        "apart", AS_SECURITY + 'create role if not exists "S_LOADER" comment = \'x\';\n'
        'grant role "S_LOADER" to role "SYSADMIN";\ngrant role "S_LOADER" to role "S_READER";',
    ),
    "a loader for a person": (
        "apart", AS_SECURITY + 'create role if not exists "S_LOADER" comment = \'x\';\n'
        'grant role "S_LOADER" to role "SYSADMIN";\ngrant role "S_LOADER" to user "ANNA";',
    ),
    "a session of many roles": ("apart", AS_SECURITY + 'alter user if exists "U" set default_role = "S_LOADER";'),
    "a quote that does not end": ("statement", AS_SYS + "alter user if exists \"U\" set comment = 'x;"),
    "an escape that ends nothing": ("statement", AS_SYS + "alter user if exists \"U\" set comment = '\\';"),
    "a letter of no language": ("statement", AS_SYS + "drop schema if exists §;"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), PLANTED.values(), ids=PLANTED)
def test_a_planted_mistake_is_found(rule: str, text: str) -> None:
    found = {fault.rule for fault in lint(text)}

    assert rule in found


@pytest.mark.parametrize(("rule", "text"), PLANTED.values(), ids=PLANTED)
def test_it_is_found_in_the_midst_of_a_whole_set_up(rule: str, text: str) -> None:
    assert rule in {fault.rule for fault in lint(f"{SETUP}\n{ATTACHED}\n{text}")}


@pytest.mark.parametrize("text", [SETUP, ATTACHED, f"{SETUP}\n{ATTACHED}"], ids=["setup", "attach", "both"])
def test_the_set_up_of_the_example_has_none(text: str) -> None:
    assert lint(text) == ()


def test_every_rule_has_a_mistake_and_its_line_in_the_guide() -> None:
    rules = {*RULES, "eraser", "statement"}

    assert rules == {rule for rule, _ in PLANTED.values()}
    assert not [rule for rule in rules if f"| `{rule}` |" not in PAGE]
