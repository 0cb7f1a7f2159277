"""What the doctor says of a warehouse in Snowflake: each finding is brought about, and gone when its mend was run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from snowflake.connector import errors as sf

from tests.snowflake import Connect, address, connect, snowflake_database, snowflake_server, snowflake_sessions
from tieout.base.finding import Finding, Level, Shell
from tieout.merge.snowflake.account import Account
from tieout.merge.snowflake.checkup import CODES, Shown, SnowflakeCheckup, refused, tagged
from tieout.merge.snowflake.opening import opened_to_look
from tieout.merge.snowflake.session import translated
from tieout.run.account import account_findings
from tieout.run.clock import SystemClock
from tieout.run.doctor import examine
from tieout.run.project import load_project
from tieout.run.snowflake_setup.generate import Part, generate
from tieout.run.snowflake_setup.reading import wanted
from tieout.run.snowflake_setup.reading_back import _statements, read_back
from tieout.run.snowflake_setup.wanted import Options
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

READERS = ("CHECKED_READER", "CHECKED_DEPLOYER")
_WELL = {"snowflake.connection.plain", "snowflake.connection.ok", "snowflake.rights.ok", "snowflake.warehouse.ok"}


@pytest.fixture
def sql(snowflake_sessions: Connect) -> Callable[[str], None]:
    """As an administrator, in the test's own database."""
    session = snowflake_sessions()

    def run(text: str) -> None:
        for statement in _statements(text):
            session.cursor().execute(statement.written)

    return run


@pytest.fixture
def account(snowflake_server: SnowflakeServer, snowflake_database: str, tmp_path: Path) -> Account:
    """Of a warehouse and a role that are this test's own, and not there yet."""
    written = address(snowflake_server, snowflake_database, tmp_path / "key.p8")
    place = load_project(_project(tmp_path, written), environ={}).warehouse
    assert isinstance(place, Account)
    own = {name: f"{name}_{snowflake_database}".upper() for name in ("warehouse", "role")}
    return replace(place, **own)


def _project(root: Path, warehouse: str) -> Path:
    (root / "tieout.yaml").write_text(f"project: checked\nwarehouse: {json.dumps(warehouse)}\nsources: {{}}\n")
    return root


@pytest.fixture
def well(account: Account, sql: Callable[[str], None]) -> Account:
    """The same after its set-up."""
    schemas = "".join(f"create schema {name};" for name in ("RAW", "LATEST", "QUARANTINE", "TIEOUT"))
    grants = "".join(
        f"grant usage, create table, create stage on schema {name} to role {account.role};"
        for name in ("RAW", "LATEST", "QUARANTINE", "TIEOUT")
    )
    sql(f"create warehouse {account.warehouse} warehouse_size = XSMALL auto_suspend = 60 auto_resume = true;")
    sql(f"create role {account.role}; {schemas} {grants}")
    return account


class _Clock(SystemClock):
    """Ahead of everybody's by so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._seconds)


def found(account: Account, *, clock: SystemClock | None = None) -> dict[str, Finding]:
    checkup = SnowflakeCheckup(
        account, lambda: opened_to_look(account, {}), clock or SystemClock(), readers=READERS
    )  # fmt: skip
    return {finding.code: finding for finding in checkup.check()}


def mended(account: Account, code: str, sql: Callable[[str], None]) -> bool:
    finding = found(account)[code]
    assert finding.typed is Shell.SQL
    sql(finding.mend)
    return code not in found(account)


def test_an_account_that_was_set_up_is_well(well: Account) -> None:
    assert set(found(well)) == _WELL


def test_nothing_is_made_or_written(well: Account, tmp_path: Path) -> None:
    record = tmp_path / "record"
    with SnowflakeServer(record=record) as server:
        with connect(server) as session:
            session.cursor().execute(f"create database {well.database}")
        record.write_text("")
        found(replace(well, port=server.port))

    asked = [json.loads(line)["statement"] for line in record.read_text().splitlines()]
    assert len(asked) >= 6
    assert {re.sub(r"^(\s*--.*\n)*\s*", "", text).split()[0] for text in asked} == {"select", "show"}


@pytest.mark.parametrize(
    ("done", "code"),
    [
        ("alter warehouse {0.warehouse} set auto_resume = false;", "snowflake.warehouse.manual"),
        ("alter warehouse {0.warehouse} set auto_suspend = 301;", "snowflake.warehouse.wakeful"),
        ("alter warehouse {0.warehouse} set auto_suspend = null;", "snowflake.warehouse.wakeful"),
        ("alter warehouse {0.warehouse} set warehouse_size = 'MEDIUM';", "snowflake.warehouse.large"),
        ("revoke create stage on schema TIEOUT from role {0.role};", "snowflake.rights.missing"),
        ("revoke create table, usage on schema RAW from role {0.role};", "snowflake.rights.missing"),
        ("alter schema RAW set data_retention_time_in_days = 0;", "snowflake.retention.none"),
    ],
)
def test_what_is_amiss_is_told_and_mended(well: Account, sql: Callable[[str], None], done: str, code: str) -> None:
    sql(done.format(well))

    assert mended(well, code, sql)
    assert set(found(well)) == _WELL


def test_a_size_and_an_hour_of_sleep_that_are_well_are_not_told(well: Account, sql: Callable[[str], None]) -> None:
    sql(f"alter warehouse {well.warehouse} set warehouse_size = SMALL auto_suspend = 300;")

    assert set(found(well)) == _WELL


def test_all_that_is_not_there_is_told_at_once(account: Account) -> None:
    findings = found(replace(account, database="NO_SUCH_DATABASE"))

    assert findings["snowflake.database.missing"].mend == (
        f'grant usage on database "NO_SUCH_DATABASE" to role "{account.role}";'
    )
    assert account.warehouse in findings["snowflake.warehouse.missing"].mend
    assert all("tieout snowflake setup" in findings[code].hint for code in findings if code.endswith(".missing"))


def test_a_schema_that_is_not_there_is_made_by_whoever_may(well: Account, sql: Callable[[str], None]) -> None:
    sql("drop schema QUARANTINE;")
    assert "QUARANTINE" in found(well)["snowflake.schema.missing"].found

    sql(f"grant create schema on database {well.database} to role {well.role};")

    findings = found(well)
    assert "QUARANTINE" in findings["snowflake.schema.to_be_made"].found
    assert "snowflake.schema.missing" not in findings


def test_rights_come_by_way_of_another_role_too(well: Account, sql: Callable[[str], None]) -> None:
    sql(f"create role {well.role}_CHILD; grant usage, create table on schema RAW to role {well.role}_CHILD;")
    sql(f"grant role {well.role}_CHILD to role {well.role}; grant role {well.role} to role {well.role}_CHILD;")
    sql(f"revoke usage, create table on schema RAW from role {well.role};")

    assert set(found(well)) == _WELL


def test_a_question_that_is_refused_hides_no_other_finding(account: Account, sql: Callable[[str], None]) -> None:
    sql(f"create warehouse {account.warehouse} auto_suspend = 600;")

    findings = found(account)

    assert account.role in findings["snowflake.question.refused"].found, "nobody made the role, so nobody tells of it"
    assert "snowflake.warehouse.wakeful" in findings


def test_tables_that_no_reader_may_read_are_told_until_one_may(well: Account, sql: Callable[[str], None]) -> None:
    sql('create table LATEST.SHOP__ORDERS (a int); create table LATEST."SHOP__ORDERS/SHADOW" (a int);')
    sql("create table LATEST.SHOP__LINES (a int); grant select on table LATEST.SHOP__LINES to role CHECKED_READER;")

    (told,) = [finding for finding in found(well).values() if finding.code == "snowflake.readers.none"]
    assert told.found.endswith("CHECKED_READER, CHECKED_DEPLOYER: SHOP__ORDERS")
    assert told.found.startswith("of 2 tables of LATEST 1 ")
    assert told.mend == "tieout snowflake setup --print --attach"

    sql("grant select on table LATEST.SHOP__ORDERS to role CHECKED_DEPLOYER;")
    assert set(found(well)) == _WELL


def _contract(root: Path, mail: str = "personal") -> None:
    (root / "tieout.yaml").write_text(
        (root / "tieout.yaml").read_text().replace("sources: {}", "sources: {erp: {type: changes, path: ./erp}}")
    )
    (root / "contracts" / "erp").mkdir(parents=True, exist_ok=True)
    (root / "contracts" / "erp" / "person.yaml").write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: p\nname: p\nversion: 1.0.0\nstatus: active\n"
        "schema:\n  - name: person\n    properties:\n"
        "      - {name: id, logicalType: string, primaryKey: true}\n"
        f"      - {{name: mail, logicalType: string, classification: {mail}}}\n"
        "      - {name: salary, logicalType: number, physicalType: bigint, classification: financial}\n"
    )


def _attached(root: Path, account: Account, sql: Callable[[str], None]) -> None:
    made = generate(wanted(root, Options(database=account.database)), Part.ATTACH)
    sql("".join(f"{said.written}\n" for said in read_back(made.text)))


def test_a_classified_column_that_readers_may_see_without_its_tag_is_told_until_it_bears_it(
    well: Account, sql: Callable[[str], None], tmp_path: Path
) -> None:
    _contract(tmp_path)
    reader = f"{well.database}_READER"
    project = replace(load_project(tmp_path, environ={}), warehouse=well)

    def about_columns() -> dict[str, Finding]:
        told = account_findings(project, SystemClock())
        return {one.code: one for one in told if one.code.startswith(("snowflake.column", "snowflake.question"))}

    sql("create schema GOVERNANCE; create table LATEST.ERP__PERSON (id varchar, mail varchar);")
    assert about_columns() == {}, "no reader may read it"

    sql(f"grant select on table LATEST.ERP__PERSON to role {reader};")
    first = about_columns()["snowflake.column.open"]
    assert first.level is Level.ERROR
    assert first.found == f"{reader} may read {first.about}, and no tag of its classification is on MAIL"
    assert first.mend == "tieout snowflake setup --print --attach"

    sql(first.hint.split("`")[1])
    assert about_columns() == {}, "closed"

    with pytest.raises(sf.ProgrammingError, match="000904"):
        _attached(tmp_path, well, sql)  # the column of the contract that no run has brought
    assert about_columns() == {}, "still closed"

    sql("alter table LATEST.ERP__PERSON add column salary number(19, 0);")
    _attached(tmp_path, well, sql)
    assert set(about_columns()) == {"snowflake.column.ok"}

    _contract(tmp_path, mail="sensitive")
    assert "is on MAIL" in about_columns()["snowflake.column.open"].found
    _attached(tmp_path, well, sql)
    assert set(about_columns()) == {"snowflake.column.ok"}


def test_a_column_that_is_added_to_a_table_that_readers_have_is_told(well: Account, sql: Callable[[str], None]) -> None:
    tags = {"ERP__PERSON": {"MAIL": ("A", "GOVERNANCE", "PERSONAL")}}
    sql(f"create table LATEST.ERP__PERSON (id varchar); grant select on table LATEST.ERP__PERSON to role {READERS[0]};")

    def codes() -> set[str]:
        checkup = SnowflakeCheckup(well, lambda: opened_to_look(well, {}), SystemClock(), readers=READERS, tags=tags)
        return {finding.code for finding in checkup.check()} - _WELL

    assert codes() == set()
    sql("alter table LATEST.ERP__PERSON add column mail varchar;")
    assert codes() == {"snowflake.column.open"}
    sql("alter table LATEST.ERP__PERSON modify column mail set tag B.GOVERNANCE.PERSONAL = 'column';")
    assert codes() == {"snowflake.column.open"}, "a tag of another database"
    sql("alter table LATEST.ERP__PERSON modify column mail set tag A.GOVERNANCE.PERSONAL = 'column';")
    assert codes() == {"snowflake.column.ok"}


def test_where_tags_are_not_told_nothing_is_said_to_be_well() -> None:
    shown = Shown("D", "D_READER", [{"stands_in": "T", "name": "A"}])

    assert list(tagged(shown, {"T": {"A": ("D", "GOVERNANCE", "PERSONAL")}}, lambda table: None)) == []


def test_a_classification_that_is_not_understood_is_told_and_hides_no_other_finding(
    well: Account, tmp_path: Path
) -> None:
    _contract(tmp_path, mail="persnal")

    told = account_findings(replace(load_project(tmp_path, environ={}), warehouse=well), SystemClock())

    assert {finding.code for finding in told} == {*_WELL, "snowflake.question.refused"}
    assert "persnal" in next(finding.found for finding in told if finding.code == "snowflake.question.refused")


@pytest.mark.parametrize(("seconds", "way"), [(-90, "ahead of"), (90, "behind")])
def test_a_clock_that_is_wrong_is_told(well: Account, seconds: float, way: str) -> None:
    assert found(well, clock=_Clock(seconds))["snowflake.clock.skew"].found.endswith(f"s {way} this machine's")


def test_a_setting_that_a_session_does_not_get_is_told(well: Account) -> None:
    def open_() -> object:
        session = opened_to_look(well, {})
        session.query("select 1", (), seconds=None)
        with session._connection.cursor() as cursor:  # as an account does whose administrator sets it for everybody
            cursor.execute("alter session set timezone = 'Europe/Berlin' lock_timeout = 43200")
        return session

    told = SnowflakeCheckup(well, open_, SystemClock()).check()  # type: ignore[arg-type]
    forced = [finding for finding in told if finding.code == "snowflake.session.parameter"]

    assert [finding.about for finding in forced] == ["TIMEZONE", "LOCK_TIMEOUT"]
    assert forced[0].mend == 'alter user "TIEOUT" unset timezone;'


def _refusal(number: int, message: str = "refused") -> sf.DatabaseError:
    return sf.DatabaseError(msg=message, errno=number)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            _refusal(390144, "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]"),
            "snowflake.key.refused",
            "0ce9eb56",
        ),
        (_refusal(390100), "snowflake.key.refused", "clock"),
        (_refusal(390189), "snowflake.role.refused", "grant role"),
        (_refusal(390422), "snowflake.login.refused", "network policy"),
        (_refusal(390101), "snowflake.login.refused", "let the user in"),
        (_refusal(399999), "snowflake.login.refused", ""),
        (sf.OperationalError(msg="no route", errno=250001), "snowflake.connection.away", "tried again"),
    ],
)
def test_why_nobody_is_let_in_is_told_with_the_way_out(
    account: Account, error: sf.Error, code: str, words: str
) -> None:
    told = translated(error, str(account))
    told.__cause__ = error

    finding = refused(account, told)

    assert finding.code == code
    assert words in finding.mend + finding.hint


def test_a_host_that_is_away_is_told(account: Account) -> None:
    nobody = replace(account, port=1)

    def open_() -> object:
        raise translated(sf.OperationalError(msg="no route", errno=250001), str(nobody))

    (_, away) = SnowflakeCheckup(nobody, open_, SystemClock()).check()  # type: ignore[arg-type]

    assert away.code == "snowflake.connection.away"


def test_a_key_that_cannot_be_read_is_told_without_a_word_of_it(account: Account) -> None:
    broken = account.private_key.replace("\nM", "\nX", 1)

    findings = found(replace(account, private_key=broken))

    assert set(findings) == {"snowflake.connection.plain", "snowflake.key.unreadable"}
    assert broken[40:80] not in str(findings)


def test_a_host_with_tls_is_not_told_to_be_without(account: Account) -> None:
    broken = replace(account, private_key="none", protocol="https", host="")

    assert set(found(broken)) == {"snowflake.key.unreadable"}


def test_every_level_of_error_and_no_other_ends_the_doctor() -> None:
    errors = {code for code, (level, _) in CODES.items() if level is Level.ERROR}

    assert {"snowflake.warehouse.manual", "snowflake.rights.missing", "snowflake.key.refused"} <= errors
    assert not {"snowflake.warehouse.wakeful", "snowflake.readers.none", "snowflake.clock.skew"} & errors


def test_the_doctor_of_a_project_asks_its_account(
    well: Account, snowflake_server: SnowflakeServer, snowflake_database: str, tmp_path: Path
) -> None:
    written = address(snowflake_server, snowflake_database, tmp_path / "other.p8")
    written = written.replace("LOADING", well.warehouse).replace("LOADER", well.role)

    told = examine(_project(tmp_path, written), environ={}, clock=SystemClock()).project

    assert {finding.code for finding in told if finding.code.startswith("snowflake.")} == _WELL


@pytest.fixture
def without_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.run.extras.find_spec", lambda name: None)


def test_a_driver_that_is_not_installed_is_told(
    without_driver: None, snowflake_server: SnowflakeServer, snowflake_database: str, tmp_path: Path
) -> None:
    written = address(snowflake_server, snowflake_database, tmp_path / "key.p8")

    told = examine(_project(tmp_path, written), environ={}, clock=SystemClock()).project
    (missing,) = [finding for finding in told if finding.code == "project.extra.missing"]

    assert missing.about == "warehouse"
    assert "tieout[snowflake]" in missing.hint
