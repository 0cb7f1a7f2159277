"""A project file becomes a project, or says in one sentence what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.run.init import init_project
from tieout.run.postgres_config import PostgresConfig, Table
from tieout.run.project import ChangesConfig, Project, load_project

SECRET_URL = "postgresql://reader:hunter2@db.example/shop"


def project_of(root: Path, text: str, **environ: str) -> Project:
    (root / "tieout.yaml").write_text(text, encoding="utf-8")
    return load_project(root, environ=environ)


def complaint_about(root: Path, text: str, **environ: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        project_of(root, text, **environ)
    return str(caught.value).removeprefix(f"{root}/")


def postgres_of(root: Path, settings: str) -> PostgresConfig:
    text = f'project: shop\nsources:\n  erp: {{type: postgres, url: "${{PG_URL}}", {settings}}}\n'
    source = project_of(root, text, PG_URL=SECRET_URL).sources["erp"]
    assert isinstance(source, PostgresConfig)
    return source


def test_the_least_project_has_its_stores_in_its_own_folder(tmp_path: Path) -> None:
    project = project_of(tmp_path, "project: shop\nsources:\n  erp: {type: changes, path: ./inbox}\n")

    assert project == Project(
        root=tmp_path.resolve(),
        name="shop",
        landing=tmp_path.resolve() / ".tieout/landing",
        ledger=tmp_path.resolve() / ".tieout/ledger.sqlite",
        warehouse=tmp_path.resolve() / ".tieout/warehouse.duckdb",
        sources={"erp": ChangesConfig(path=tmp_path.resolve() / "inbox")},
    )


def test_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    project = project_of(
        tmp_path,
        "project: shop\nlanding: /var/landing\nledger: sqlite:////var/book.sqlite\n"
        "warehouse: duckdb:////var/house.duckdb\nsources: {}\n",
    )

    assert (project.landing, project.ledger) == (Path("/var/landing"), Path("/var/book.sqlite"))
    assert project.warehouse == Path("/var/house.duckdb")


def test_a_relative_root_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_project(tmp_path, "shop")
    monkeypatch.chdir(tmp_path)

    assert load_project(Path(), environ={}).root == tmp_path.resolve()


def test_a_postgres_source_names_its_tables_with_their_aliases(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, "tables: [public.orders, {table: sales.orders, as: sales_orders}], schemas: [crm]")

    assert source == PostgresConfig(
        url=SECRET_URL,
        tables=(Table("public", "orders", "orders"), Table("sales", "orders", "sales_orders")),
        schemas=("crm",),
        slot=None,
        publication="tieout_shop_erp",
        failover=True,
        heartbeat_seconds=30.0,
        streaming=False,
    )


def test_a_table_without_a_key_is_named_append_only(tmp_path: Path) -> None:
    source = postgres_of(
        tmp_path,
        "tables: [{table: a.b, append_only: true}, {table: a.c, as: d, append_only: true}, {table: a.e, as: f}]",
    )

    assert source.tables == (Table("a", "b", "b", True), Table("a", "c", "d", True), Table("a", "e", "f"))


def test_heartbeat_and_failover_can_be_turned_off(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, "tables: [public.orders], failover: false, heartbeat_seconds: 0")

    assert (source.failover, source.heartbeat_seconds) == (False, 0.0)


def test_names_with_dots_and_quotes_are_written_as_in_sql(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, """tables: ['"my.schema"."odd "" name"', 'public.Straße 1']""")

    assert source.tables == (Table("my.schema", 'odd " name', 'odd " name'), Table("public", "Straße 1", "Straße 1"))


def test_a_slot_and_a_publication_can_be_chosen(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, "schemas: [public], slot: mine, publication: Ours, streaming: true")

    assert (source.slot, source.publication, source.streaming) == ("mine", "Ours", True)


@pytest.mark.parametrize("name", ["Shop", "my-shop", "s" * 63])
def test_the_default_publication_is_one_that_postgresql_takes(tmp_path: Path, name: str) -> None:
    text = f"project: {name}\nsources:\n  erp: {{type: postgres, url: {SECRET_URL}, schemas: [public]}}\n"
    source = project_of(tmp_path, text).sources["erp"]

    assert isinstance(source, PostgresConfig)
    assert re.fullmatch(r"tieout_[a-z0-9_]{1,56}", source.publication)


def test_two_names_that_postgresql_would_write_alike_get_two_publications(tmp_path: Path) -> None:
    def publication(name: str) -> str:
        text = f"project: {name}\nsources:\n  erp: {{type: postgres, url: {SECRET_URL}, schemas: [public]}}\n"
        source = project_of(tmp_path, text).sources["erp"]
        assert isinstance(source, PostgresConfig)
        return source.publication

    assert len({publication("my-shop"), publication("my.shop"), publication("my_shop")}) == 3


def test_a_variable_is_read_inside_longer_text_and_can_be_escaped(tmp_path: Path) -> None:
    project = project_of(tmp_path, "project: shop\nlanding: ./${WHERE}/$${WHERE}\nsources: {}\n", WHERE="lan${X}ding")

    assert project.landing == tmp_path.resolve() / "lan${X}ding/${WHERE}"


def test_text_that_looks_like_a_word_of_yaml_stays_text(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, "tables: [public.on, public.no], slot: no")

    assert [table.object for table in source.tables] == ["on", "no"]
    assert source.slot == "no"


def test_a_password_is_in_no_repr_and_no_message(tmp_path: Path) -> None:
    source = postgres_of(tmp_path, "schemas: [public]")
    wrongs = [
        complaint_about(tmp_path, f"project: shop\nwarehouse: {SECRET_URL}\nsources: {{}}\n"),
        complaint_about(tmp_path, f"project: shop\nledger: [{SECRET_URL}]\nsources: {{}}\n"),
        complaint_about(tmp_path, "project: shop\nledger: user:hunter2@host/book\nsources: {}\n"),
        complaint_about(tmp_path, "project: shop\nsources:\n  erp: {type: postgres, url: [hunter2], schemas: [a]}\n"),
        complaint_about(tmp_path, "project: shop\nsources:\n  erp: {type: postgres, url: hunter2, schemas: [a]}\n"),
        complaint_about(tmp_path, f"project: shop\nsources:\n  erp: {{type: postgres, url: {SECRET_URL}}}\n"),
        complaint_about(tmp_path, "project: ${P}\nsources: {}\n", P=SECRET_URL),
    ]

    assert "hunter2" not in repr(source)
    assert "hunter2" not in repr(project_of(tmp_path, f"project: shop\nledger: {SECRET_URL}\nsources: {{}}\n"))
    assert not [wrong for wrong in wrongs if "hunter2" in wrong]


WRONG: list[tuple[str, str, str]] = [
    ("an unknown key", "project: shop\nlandng: ./x\nsources: {}\n",
      "tieout.yaml:2: landng is not a setting; allowed: alerts, certify, drift, exceptional_days, gates, landing, "
      "ledger, models, project, quarantine, sources, warehouse. Did you mean landing?"),
    ("a modeller of a file", "project: shop\nmodels: snowflake://M@org-prod/D\nsources: {}\n",
     "tieout.yaml:2: models is for a warehouse in Snowflake; a file has one owner: leave it out."),
    ("a day that is none", "project: shop\nexceptional_days: [2026-02-30]\nsources: {}\n",
     "tieout.yaml:2: exceptional_days names 2026-02-30, which is no day; write a date such as 2026-12-25, a day of "
     "every year such as 12-25, or month_end."),
    ("no length of time", "project: shop\nquarantine: long\nsources: {}\n",
     'tieout.yaml:2: quarantine is "long"; write a whole number and one of s, m, h, d, such as 90s, 30m, 24h or 7d.'),
    ("a length of time without its unit", "project: shop\nquarantine: 7\nsources: {}\n",
     "tieout.yaml:2: quarantine is 7; write a whole number and one of s, m, h, d, such as 90s, 30m, 24h or 7d."),
    ("a rhythm without its unit", "project: shop\ncertify: {every: 24}\nsources: {}\n",
     "tieout.yaml:2: certify.every is 24; write a whole number and one of s, m, h, d, such as 90s, 30m, 24h or 7d."),
    ("a pace without its unit", "project: shop\nsources:\n  crm:\n    type: salesforce\n    client_id: c\n"
     "    client_secret: s\n    objects:\n      - {object: Account, every: 60}\n",
     "tieout.yaml:8: sources.crm.objects[0].every is 60; write a whole number and one of s, m, h, d, such as 90s, 30m, "
     "24h or 7d."),
    ("a missing key", "project: shop\n", "tieout.yaml:1: sources is missing."),
    ("a missing key, misspelt", "project: shop\nsuorces: {}\n",
     "tieout.yaml:1: sources is missing. Write sources instead of suorces."),
    ("a wrong type", "project: 7\nsources: {}\n",
     "tieout.yaml:1: project is 7; write text (in quotes, if it looks like a number)."),
    ("an unusable name", "project: '7up'\nsources: {}\n",
     'tieout.yaml:1: project is "7up"; write a letter, then up to 62 letters, digits, \'_\', \'-\' and \'.\'.'),
    ("nothing under a key", "project: shop\nsources:\n", "tieout.yaml:2: sources is empty; write a mapping."),
    ("a list for the whole", "- project\n", "tieout.yaml:1: is a list; write a mapping."),
    ("a key twice", "project: shop\nsources: {}\nproject: other\n",
     "tieout.yaml:3: project stands twice, first in line 1; keep one."),
    ("broken syntax", "project: shop\nsources: [a\n",
     "tieout.yaml:3: this is not YAML: did not find expected ',' or ']'. Look at the indentation, quotes and colons"
     " of this line and the one above."),
    ("an unset variable", "project: shop\nsources:\n  erp: {type: changes, path: '${INBOX}'}\n",
     "tieout.yaml:3: sources.erp.path needs the environment variable INBOX, which is not set. Set INBOX."),
    ("an open variable", "project: shop\nlanding: '${X'\nsources: {}\n",
     "tieout.yaml:2: landing has a '${' that begins no variable."
     " Write ${NAME} with letters, digits and '_', or $${ for the characters themselves."),
    ("a landing of a store unknown", "project: shop\nlanding: gs://bucket/x\nsources: {}\n",
     'tieout.yaml:2: landing has the scheme "gs", which tieout does not know; allowed: a path, s3.'),
    ("a bucket that cannot be", "project: shop\nlanding: s3://B/x\nsources: {}\n",
     "tieout.yaml:2: landing names no bucket that can be; a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-'."),
    ("a ledger of a server unknown", "project: shop\nledger: mysql://host/x\nsources: {}\n",
     'tieout.yaml:2: ledger has the scheme "mysql", which tieout does not know; allowed: sqlite, postgresql.'),
    ("a warehouse of nobody", "project: shop\nwarehouse: snowflake://x/y\nsources: {}\n",
     "tieout.yaml:2: warehouse is no address of Snowflake; write one such as snowflake://USER@ORGANIZATION-ACCOUNT/DATABASE"
     "?warehouse=WAREHOUSE&role=ROLE&private_key=${file:PATH}."),
    ("a warehouse without a key", "project: shop\nwarehouse: snowflake://LOADER@org-a/D?warehouse=W\nsources: {}\n",
     "tieout.yaml:2: warehouse lacks private_key; write snowflake://USER@ORGANIZATION-ACCOUNT/DATABASE"
     "?warehouse=WAREHOUSE&role=ROLE&private_key=${file:PATH}."),
    ("a warehouse of an engine unknown", "project: shop\nwarehouse: bigquery://x/y\nsources: {}\n",
     'tieout.yaml:2: warehouse has the scheme "bigquery", which tieout does not know; allowed: duckdb, snowflake.'),
    ("a misspelt scheme", "project: shop\nwarehouse: duckbd:///x\nsources: {}\n",
     'tieout.yaml:2: warehouse has the scheme "duckbd", which tieout does not know; allowed: duckdb, snowflake.'
     " Did you mean duckdb?"),
    ("two slashes for three", "project: shop\nledger: sqlite://x\nsources: {}\n",
     "tieout.yaml:2: ledger is not of the form sqlite:///PATH; write one such as"
     " sqlite:///./.tieout/ledger.sqlite."),
    ("a source without a type", "project: shop\nsources:\n  erp:\n    path: ./inbox\n",
     "tieout.yaml:3: sources.erp.type is missing; allowed: changes, postgres, salesforce."),
    ("a misspelt type", "project: shop\nsources:\n  erp:\n    type: postgers\n",
     'tieout.yaml:4: sources.erp.type is "postgers", which tieout does not know; allowed: changes, postgres,'
     " salesforce. Did you mean postgres?"),
    ("a type to come", "project: shop\nsources:\n  erp: {type: stripe}\n",
     'tieout.yaml:3: sources.erp.type is "stripe", which is planned but not built yet; allowed: changes, postgres,'
     " salesforce."),
    ("a misspelt option", "project: shop\nsources:\n  erp:\n    type: postgres\n    url: postgresql://h/d\n"
     "    table: [public.orders]\n",
     "tieout.yaml:6: sources.erp.table is not a setting; allowed: failover, heartbeat_seconds, publication, schemas,"
     " slot, streaming, tables, type, url. Did you mean tables?"),
    ("a source's name", "project: shop\nsources:\n  My-ERP: {type: changes, path: x}\n",
     "tieout.yaml:3: sources.My-ERP is not usable as a source's name."
     " Write lower-case letters, digits and single underscores between them, beginning with a letter."),
    ("a name that would share its tables' names with another's", "project: shop\nsources:\n"
     "  erp_: {type: changes, path: x}\n",
     "tieout.yaml:3: sources.erp_ is not usable as a source's name."
     " Write lower-case letters, digits and single underscores between them, beginning with a letter."),
    ("a table without its schema", "project: shop\nsources:\n  erp:\n    type: postgres\n    url: postgresql://h/d\n"
     "    tables:\n      - public.orders\n      - customers\n",
     'tieout.yaml:8: sources.erp.tables[1] is "customers"; write schema.table, or {table: schema.table, as: name};'
     ' a name with a dot stands in "quotes". Did you mean public.customers?'),
    ("no table at all", "project: shop\nsources:\n  erp: {type: postgres, url: 'postgresql://h/d'}\n",
     "tieout.yaml:3: sources.erp names neither tables nor schemas."
     " Write tables: [public.orders, ...] or schemas: [public]."),
    ("a table that is misspelt append-only", "project: shop\nsources:\n  erp:\n    type: postgres\n"
     "    url: postgresql://h/d\n    tables:\n      - {table: a.b, append_onyl: true}\n",
     "tieout.yaml:7: sources.erp.tables[0].append_onyl is not a setting; allowed: append_only, as, table."
     " Did you mean append_only?"),
    ("a whole schema that is append-only", "project: shop\nsources:\n  erp:\n    type: postgres\n"
     "    url: postgresql://h/d\n    schemas:\n      - {table: a.b, append_only: true}\n",
     "tieout.yaml:7: sources.erp.schemas[0] is a mapping; write text (in quotes, if it looks like a number)."),
    ("a slot that PostgreSQL refuses", "project: shop\nsources:\n  erp:\n    type: postgres\n"
     "    url: postgresql://h/d\n    schemas: [public]\n    slot: My-Slot\n",
     'tieout.yaml:7: sources.erp.slot is "My-Slot"; write 1 to 63 lower-case letters, digits and \'_\'.'),
    ("equal names in two schemas", "project: shop\nsources:\n  erp:\n    type: postgres\n    url: postgresql://h/d\n"
     "    tables: [public.orders, sales.Orders]\n",
     "tieout.yaml:6: sources.erp.tables[1] gives the object name Orders, which public.orders bears already."
     " Write {table: sales.Orders, as: sales_Orders}."),
    ("a table twice", "project: shop\nsources:\n  erp:\n    type: postgres\n    url: postgresql://h/d\n"
     "    tables: [public.orders, public.orders]\n",
     "tieout.yaml:6: sources.erp.tables[1] names public.orders as tables[0] does; a table is one stream."
     " Remove one of the two."),
    ("a table twice under two names", "project: shop\nsources:\n  erp:\n    type: postgres\n"
     "    url: postgresql://h/d\n    tables:\n      - public.orders\n      - sales.orders_old\n"
     "      - {table: '\"public\".orders', as: public_orders}\n",
     "tieout.yaml:9: sources.erp.tables[2] names public.orders as tables[0] does; a table is one stream."
     " Remove one of the two."),
    ("a gate that needs a misspelt table", "project: shop\nsources:\n  erp:\n    type: postgres\n"
     "    url: postgresql://h/d\n    tables: [public.orders, {table: a.b, as: customers}]\n"
     "gates:\n  revenue:\n    needs:\n      - erp.orders\n      - erp.custmers\n",
     'tieout.yaml:11: gates.revenue.needs[1] is "erp.custmers", and source erp reads no custmers.'
     " Did you mean customers?"),
    ("a gate that needs an object by its API name", "project: shop\nsources:\n  crm:\n    type: salesforce\n"
     "    client_id: c\n    client_secret: s\n    objects: [Account]\n"
     "gates: {revenue: {needs: [crm.Account]}}\n",
     'tieout.yaml:8: gates.revenue.needs[0] is "crm.Account", and source crm reads no Account. Did you mean account?'),
    ("an alias with a slash", "project: shop\nsources:\n  erp:\n    type: postgres\n    url: postgresql://h/d\n"
     "    tables:\n      - {table: a.b, as: a/b}\n",
     "tieout.yaml:7: sources.erp.tables[0] is not usable: object name 'a/b' of source erp is not usable."
     " Use 1 to 200 bytes without '/' and NUL, or give it an alias."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [wrong[1:] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_a_wrong_setting_is_answered_with_the_right_one(tmp_path: Path, text: str, expected: str) -> None:
    assert complaint_about(tmp_path, text) == expected


@pytest.mark.parametrize(
    "source",
    ["{type: changes, path: ./inbox}", "{type: postgres, url: 'postgresql://h/d', tables: [a.b], schemas: [public]}"],
)
def test_a_gate_may_need_what_only_its_source_can_tell(tmp_path: Path, source: str) -> None:
    project = project_of(tmp_path, f"project: shop\nsources: {{erp: {source}}}\ngates: {{due: {{needs: [erp.any]}}}}\n")

    assert [str(stream) for stream in project.gates[0].needs] == ["erp.any"]


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Run `tieout init` there"):
        load_project(tmp_path, environ={})


def test_init_makes_a_project_that_loads(tmp_path: Path) -> None:
    root = tmp_path / "2026 my shop!"

    init_project(root)

    project = load_project(root, environ={})
    assert project.name == "my_shop_"
    assert project.sources == {"erp": ChangesConfig(path=root / "inbox")}
    assert (root / "inbox").is_dir()
    assert (root / "contracts").is_dir()
    assert ".tieout/" in (root / ".gitignore").read_text().splitlines()


def test_init_never_overwrites_a_project(tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text("mine")

    with pytest.raises(Misconfigured, match="exists already"):
        init_project(tmp_path, "shop")

    assert (tmp_path / "tieout.yaml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["tieout.yaml"]


def test_init_keeps_what_git_already_leaves_out(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")

    init_project(tmp_path, "true")

    assert (tmp_path / ".gitignore").read_text().splitlines()[0] == "*.log"
    assert load_project(tmp_path, environ={}).name == "true"


@pytest.mark.parametrize("name", ["", "7up", "a b", "x" * 64])
def test_init_refuses_a_name_that_would_not_load(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="write a letter"):
        init_project(tmp_path, name)

    assert not any(tmp_path.iterdir())
