"""The set-up of an account: what is generated of the example stands in infra/, and what follows of contracts."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.telling import contract_of
from tieout.base.errors import Broken, Misconfigured
from tieout.contract.classified import Classification, Classified
from tieout.merge.snowflake.account import Account, session_parameters
from tieout.merge.snowflake.checkup import database_missing
from tieout.merge.snowflake.naming import bare, fold, folded
from tieout.run.snowflake_setup.generate import Part, SetUp, generate
from tieout.run.snowflake_setup.names import Name, text
from tieout.run.snowflake_setup.reading import wanted
from tieout.run.snowflake_setup.reading_back import read_back
from tieout.run.snowflake_setup.statements import Statement, say
from tieout.run.snowflake_setup.wanted import SERVICES, WORKLOADS, Duty, Edition, Governed, Options, Wanted, readers
from tieout.ui.cli import answered

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "revops"
MODELS = ("marts", "staging", "seeds", "modelled")
_PASSING_OVER = re.compile(
    r"execute immediate 'begin (.*);"
    r" exception when statement_error then if \(sqlcode <> 2003\) then raise; end if; end;'"
)
PIPELINE = ("SHOP_LOADER", "SHOP_TRANSFORMER", "SHOP_ERASER")

PEOPLE = Classified({"mail": Classification.PERSONAL, "salary": Classification.FINANCIAL}, rows_by="region")


def shop(*, options: Options | None = None, classified: Classified = PEOPLE) -> Wanted:
    people = Governed(contract_of("erp.person", mail="text", salary="decimal(18,2)", region="text"), classified)
    orders = Governed(contract_of("erp.orders", amount="decimal(18,2)"), Classified({}))
    return Wanted("shop", (people, orders), options or Options())


def texts(made: SetUp, form: str = "") -> list[str]:
    every: list[Statement] = [one for section in made.sections for one in section.statements]
    return [_within(" ".join(one.text.split())) for one in every if form in ("", one.form)]


def _within(text: str) -> str:
    """The statement of a block that passes over a missing table."""
    found = _PASSING_OVER.fullmatch(text)
    return found[1].replace("''", "'") if found else text


@pytest.mark.parametrize(("part", "file"), [(Part.SETUP, "revops.sql"), (Part.ATTACH, "revops.attach.sql")])
def test_what_stands_in_infra_is_what_is_generated(part: Part, file: str) -> None:
    made = generate(wanted(EXAMPLE, Options(models=MODELS)), part)

    assert (ROOT / "infra" / "snowflake" / file).read_text(encoding="utf-8") == made.text


def test_the_guide_names_the_commands_that_made_them(capsys: pytest.CaptureFixture[str]) -> None:
    guide = (ROOT / "docs" / "guides" / "snowflake-setup.md").read_text(encoding="utf-8")
    command = next(line for line in guide.splitlines() if line.endswith("> infra/snowflake/revops.sql"))
    arguments = command.removeprefix("$ tieout ").partition(" >")[0].replace("examples/revops", str(EXAMPLE)).split()

    assert answered(arguments, as_json=False) == 0
    assert capsys.readouterr().out == (ROOT / "infra" / "snowflake" / "revops.sql").read_text(encoding="utf-8")


def test_no_environment_is_read_so_no_secret_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SF_PRIVATE_KEY", "SF_LOGIN_URL", "SF_CLIENT_ID", "SF_USERNAME"):
        monkeypatch.delenv(name, raising=False)

    assert generate(wanted(EXAMPLE, Options()), Part.SETUP).wanted.project == "revops"


def test_each_edition_and_part_passes_the_lint() -> None:
    for edition in Edition:
        for part in Part:
            options = Options(edition=edition, addresses=("10.0.0.0/8",), models=MODELS)

            assert generate(shop(options=options), part).sections


def test_pipeline_roles_are_exempt_from_each_mask_by_name() -> None:
    masks = texts(generate(shop(), Part.SETUP), "set_mask")
    personal = [one for one in masks if '"PERSONAL_' in one]

    assert personal
    assert all("case when current_role() in ('{}', '{}', '{}') then said".format(*PIPELINE) in one for one in personal)


def test_money_is_hidden_from_the_eraser_alone() -> None:
    masks = [one for one in texts(generate(shop(), Part.SETUP), "set_mask") if '"FINANCIAL_NUMBER"' in one]

    assert masks == [
        'alter masking policy if exists "SHOP"."GOVERNANCE"."FINANCIAL_NUMBER" set body ->'
        " case when current_role() in ('SHOP_ERASER') then null else said end"
    ]


def test_a_classified_column_bears_its_tag_wherever_its_values_lie() -> None:
    tags = texts(generate(shop(), Part.ATTACH), "set_column_tag")

    assert [one for one in tags if '"MAIL"' in one] == [
        f'alter table if exists "SHOP"."{schema}"."ERP__PERSON" modify column "MAIL" set tag'
        ' "SHOP"."GOVERNANCE"."PERSONAL" = \'column\''
        for schema in ("LATEST", "RAW")
    ]
    assert {(one.split('"')[3], one.split('"')[7]) for one in tags if one.endswith("= 'row'")} == {
        ("RAW", "_EXTRA"), ("QUARANTINE", "_RAW"), ("QUARANTINE", "_FAULT"),
    }  # fmt: skip
    assert not [one for one in tags if "ERP__ORDERS" in one]


def test_a_key_about_people_is_masked_and_not_kept_as_evidence() -> None:
    made = shop(classified=Classified({"id": Classification.PERSONAL}))

    assert sum('"_KEY"' in one for one in texts(generate(made, Part.ATTACH))) == 3
    assert any(one.startswith('create transient schema if not exists "SHOP"."TIEOUT"')
               for one in texts(generate(made, Part.SETUP)))  # fmt: skip


def test_what_repeats_a_row_bears_the_strictest_tag_of_its_columns() -> None:
    made = shop(classified=Classified({"salary": Classification.FINANCIAL, "mail": Classification.SENSITIVE}))
    tags = [one for one in texts(generate(made, Part.ATTACH), "set_column_tag") if one.endswith("= 'row'")]

    assert len(tags) == 3
    assert all('"GOVERNANCE"."SENSITIVE"' in one for one in tags)


def test_what_was_deleted_is_gone_after_a_day_and_evidence_after_ninety() -> None:
    schemas = {one.split('"')[3]: one for one in texts(generate(shop(), Part.SETUP), "create_schema")}

    assert all(
        schemas[name].startswith("create transient schema") and "retention_time_in_days = 1 " in schemas[name]
        for name in ("RAW", "LATEST", "QUARANTINE", "MARTS")
    )
    assert "data_retention_time_in_days = 90 " in schemas["TIEOUT"]
    assert not schemas["TIEOUT"].startswith("create transient")


def test_standard_edition_has_views_of_open_columns_and_no_policies() -> None:
    options = Options(edition=Edition.STANDARD)
    setup, attached = (generate(shop(options=options), part) for part in Part)

    assert not [one for one in texts(setup) + texts(attached) if " policy " in one or " tag " in one]
    (view,) = texts(attached, "create_view")
    assert '"MAIL"' not in view
    assert "granted.role_name = current_role()" in view
    reader = [one for one in texts(attached, "grant") if one.endswith('"SHOP_READER"')]
    assert texts(attached).index(view) > max(texts(attached).index(one) for one in texts(attached, "grant"))
    assert reader == ['grant select on table "SHOP"."LATEST"."ERP__ORDERS" to role "SHOP_READER"']


def test_the_eraser_reads_tables_about_people_alone() -> None:
    granted = [one for one in texts(generate(shop(), Part.ATTACH), "grant") if one.endswith('"SHOP_ERASER"')]

    assert granted == [
        f'grant select, update, delete on table "SHOP"."{schema}"."ERP__PERSON" to role "SHOP_ERASER"'
        for schema in ("RAW", "LATEST", "QUARANTINE")
    ]


def test_readers_are_shut_out_while_policies_are_exchanged() -> None:
    made = texts(generate(shop(), Part.ATTACH))
    table = '"SHOP"."LATEST"."ERP__PERSON"'
    deeds = [
        made.index('revoke select on all tables in schema "SHOP"."LATEST" from role "SHOP_READER"'),
        made.index(f"alter table if exists {table} drop all row access policies"),
        made.index(
            f"alter table if exists {table} add row access policy"
            ' "SHOP"."GOVERNANCE"."ROWS_OF_ERP__PERSON" on ("REGION")'
        ),
        made.index(f'grant select on table {table} to role "SHOP_READER"'),
    ]

    assert deeds == sorted(deeds)


@pytest.mark.parametrize("edition", Edition)
def test_what_may_miss_its_table_misses_nothing_else(edition: Edition) -> None:
    """Every schema, every role and the table of entitlements is named before by a statement that would fail."""
    named: set[tuple[str, ...]] = set()
    missed = 0
    for one in read_back(generate(shop(options=Options(edition=edition)), Part.ATTACH).text):
        names = [one.name(parts) for parts in re.findall(r"@\d+(?: \. @\d+)*", one.plain)]
        schemas = {name[:2] for name in names if len(name) > 1}
        roles = {name for name in names if len(name) == 1 and name[0].startswith("SHOP_")}
        tables = {name for name in names if name[1:2] == ("GOVERNANCE",)}
        if one.may_miss:
            assert schemas | roles | tables <= named, one.written
            missed += 1
        named |= schemas | roles | tables

    assert missed >= 5


def test_a_quota_is_as_it_was_asked() -> None:
    made = generate(shop(options=Options(credits={"LIVE": 7})), Part.SETUP)

    assert any("credit_quota = 7 " in one and '"SHOP_LIVE"' in one for one in texts(made, "create_monitor"))
    assert len(texts(made, "watch_warehouse")) == len(WORKLOADS)


def test_a_session_of_ours_waits_for_locks_as_long_as_it_says_and_others_as_their_user_was_set() -> None:
    users = texts(generate(shop(), Part.SETUP), "set_user")
    ours, others = session_parameters({})["LOCK_TIMEOUT"], 600

    assert len(users) == len(SERVICES)
    assert all(f" lock_timeout = {others} " in one for one in users)
    assert ours < others, "only who has taken a lane over waits for its lock"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"credits": {"LIFE": 5}}, "there is no workload LIFE"),
        ({"credits": {"LIVE": 0}}, "would stop LIVE at once"),
        ({"models": ("latest",)}, "latest is a schema of tieout's own"),
        ({"addresses": ("anywhere",)}, "'anywhere' is no range of addresses"),
    ],
)
def test_a_wrong_wish_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Options(**wrong)  # type: ignore[arg-type]

    assert told in refused.value.message


HOSTILE = "abz_09 .;-/*'\"\\$@#&%(){}[]<>=,|`~!?+^:éßΩ中😀İ\u00a0"
PIECES = ["'; drop table x; --", '"; drop table x; --', "\\'", "''", '""', "$$", "/*", "*/", "--", "//", "{{ 7*7 }}",
          "{% raw %}", "${HOME}", "&{x}", "<% x %>", "@0", "$0", "\\", "public", " to role PUBLIC"]  # fmt: skip


def hostile_names(number: int) -> list[str]:
    dice = random.Random(11)
    letters = [*HOSTILE, *PIECES]
    return ["".join(dice.choices(letters, k=dice.randint(1, 12))) for _ in range(number)]


def test_fifty_thousand_hostile_names_and_texts_stay_what_they_are_in_one_statement() -> None:
    refused = 0
    for one in hostile_names(50_000):
        name = Name((one,))
        try:
            said = f"comment on role {name.quoted} is {text(one)};"
        except Misconfigured:
            refused += 1
            continue
        (read,) = read_back(said)
        assert read.plain == "comment on role @0 is $0"
        assert read.names == name.stored
        assert read.texts == (one,)

    # Only what cannot be printed is refused: here the blank that does not break.
    assert 0 < refused < 20_000


def test_a_hostile_name_stays_one_statement_in_each_template() -> None:
    for one in hostile_names(2_000):
        if not one.isprintable():
            continue
        table = Name(("SHOP", "RAW", one))
        column, tag = Name((one,)), Name(("T",))
        statements = [
            say("set_column_tag", table=table, column=column, tag=tag, value=one),
            say("create_role", role=column, comment=one),
        ]

        assert [len(list(read_back(f"{made.text};"))) for made in statements] == [1, 1]


def test_letters_beyond_ascii_are_folded_nowhere() -> None:
    """A sharp s and a long one have capitals, and Snowflake asks for none."""
    here = Account("org-name", "U", "maß", "W", "")

    assert Name(("maß",)).stored == ("MAß",)
    assert Name(("maß",)).quoted == folded("maß") == '"MAß"'
    assert bare(folded("maß")) == fold("maß") == database_missing(here, "R").about
    assert readers("maß") == ("MAß_READER", "MAß_DEPLOYER")
    assert Options(models=("late\N{LATIN SMALL LETTER LONG S}t",)).models, "it is not the schema LATEST"


def test_a_name_that_nobody_says_is_one_reaches_no_statement() -> None:
    with pytest.raises(Broken, match="role is 'SHOP_LOADER'"):
        say("grant_role", role="SHOP_LOADER", to=Name(("SYSADMIN",)))


def test_a_part_that_is_forgotten_leaves_no_gap_in_a_statement() -> None:
    with pytest.raises(Broken, match="was about to enter a statement"):
        say("create_role", role=Name(("SHOP_LOADER",)))


@pytest.mark.parametrize("name", ["", "a\x00b", "a\nb", "x" * 256])
def test_a_name_that_snowflake_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured):
        Name((name,)).quoted  # noqa: B018


def test_each_duty_has_a_role_and_every_role_a_comment() -> None:
    roles = texts(generate(shop(), Part.SETUP), "create_role")

    assert [one.split('"')[1] for one in roles] == [f"SHOP_{duty}" for duty in Duty]
