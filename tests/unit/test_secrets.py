"""Secrets: which references a project's file makes, what they stand for, and what is said where one cannot be had."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.command import Project as Books
from tests.e2e.command import project as books_at
from tests.unit.test_doctor import as_an_ordinary_user
from tieout.base.errors import Misconfigured, TieoutError, Transient
from tieout.base.finding import Level
from tieout.run.clock import SystemClock
from tieout.run.doctor import examine
from tieout.run.environment import Keeper, Lack, Reference, Value, references
from tieout.run.postgres_config import PostgresConfig
from tieout.run.project import Project, document_of, load_project
from tieout.run.secrets import closed, had

SECRET = "postgresql://reader:hunter2@db.example/shop"


@dataclass
class Told:
    """A vault that holds these, and remembers what it was asked."""

    secrets: Mapping[str, Value | Lack]
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, names: Collection[str]) -> Mapping[str, Value | Lack]:
        self.asked.append(sorted(names))
        return {name: self.secrets[name] for name in names}


def unasked(names: Collection[str]) -> Mapping[str, Value | Lack]:
    raise AssertionError(f"nobody named {names}")


def project_with(root: Path, url: str, *, vault: object = unasked, **environ: str) -> Project:
    (root / "tieout.yaml").write_text(
        f"project: shop\nsources:\n  erp:\n    type: postgres\n    schemas: [public]\n    url: '{url}'\n"
    )
    return load_project(root, environ=environ, vault=vault)  # type: ignore[arg-type]


def url_of(root: Path, url: str, *, vault: object = unasked, **environ: str) -> str:
    config = project_with(root, url, vault=vault, **environ).sources["erp"]
    assert isinstance(config, PostgresConfig)
    return config.url


def complaint_about(root: Path, url: str, kind: type[TieoutError] = Misconfigured, **told: object) -> str:
    with pytest.raises(kind) as caught:
        project_with(root, url, **told)  # type: ignore[arg-type]
    return str(caught.value).removeprefix(f"{root}/tieout.yaml:6: sources.erp.url ")


@pytest.mark.parametrize("ended", ["", "\n", "\r\n"])
def test_a_file_stands_for_what_it_holds_without_one_line_end(tmp_path: Path, ended: str) -> None:
    (tmp_path / "url").write_bytes(f"{SECRET}{ended}".encode())

    assert url_of(tmp_path, "${file:url}") == SECRET
    assert url_of(tmp_path, f"${{file:{tmp_path}/url}}") == SECRET


def test_only_one_line_end_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" a \n\n")

    assert url_of(tmp_path, "password=${file:password}") == "password= a \n"


def test_a_secret_of_aws_stands_for_all_of_it_or_for_one_key(tmp_path: Path) -> None:
    vault = Told({"shop/erp": Value('{"password": "hunter2", "port": 5432, "n": 1.50}'), "shop/url": Value(SECRET)})

    written = "host=a port=${aws:shop/erp#port} password=${aws:shop/erp#password} n=${aws:shop/erp#n}"

    assert url_of(tmp_path, "${aws:shop/url}", vault=vault) == SECRET
    assert url_of(tmp_path, written, vault=vault) == "host=a port=5432 password=hunter2 n=1.50"


def test_a_secret_is_asked_for_once_a_load_however_often_it_stands_there(tmp_path: Path) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/erp-AbCdEf"
    vault = Told({arn: Value('{"a": "x", "b": "y"}'), "other": Value("z")})

    found = url_of(tmp_path, f"${{aws:{arn}#a}}=${{aws:{arn}#b}}${{aws:{arn}#a}}${{aws:other}}", vault=vault)

    assert found == "x=yxz"
    assert vault.asked == [[arn, "other"]]


def test_a_name_that_is_no_keeper_is_a_variable_and_the_escape_stays_what_it_is(tmp_path: Path) -> None:
    found = url_of(tmp_path, "${file}=${aws}$${file:x}$${aws:y}", file="a", aws="b")

    assert found == "a=b${file:x}${aws:y}"


def test_what_was_filled_in_is_not_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("host=${aws:other}")

    assert url_of(tmp_path, "${file:url}") == "host=${aws:other}"
    assert url_of(tmp_path, "${URL}", URL="a=${file:url}") == "a=${file:url}"


def test_the_references_of_a_document_are_known_without_asking_anybody(tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text("a: ['${X}', '${file:f}']\nb: '${aws:s#k} $${Y} ${X} ${aws:} ${'\n")

    assert references(document_of(tmp_path)) == {
        Reference(Keeper.ENVIRONMENT, "X"): ("a", 0),
        Reference(Keeper.FILE, "f"): ("a", 1),
        Reference(Keeper.AWS, "s", "k"): ("b",),
    }


WRONG = [
    ("${ files:x}", "has a '${' that begins no variable."),
    ("${files:x}", 'has "files:" behind a "${", which tieout does not know; allowed: file, aws. Did you mean file?'),
    ("${vault:x}", 'has "vault:" behind a "${", which tieout does not know; allowed: file, aws.'),
    ("${file:}", "has a ${file:} without a path."),
    ("${aws:}", "has a ${aws:...} that names no secret."),
    ("${aws:a b}", "has a ${aws:...} that names no secret."),
    ("${aws:a#}", "has a ${aws:...} that names no secret."),
    ("${aws:#a}", "has a ${aws:...} that names no secret."),
    ("${file:gone}", "needs the file gone, which is not there."),
    ("${file:.}", "needs the file ., which is no file."),
    ("${file:a file/x}", "needs the file a file/x, which cannot be read (Not a directory)."),
    ("${file:a file}", "needs the file a file, which is empty. Write the path of a file that holds the value alone."),
    ("${file:a line}", "needs the file a line, which is empty."),
    ("${VOID}", "needs the environment variable VOID, which is set, but empty. Set VOID."),
    ("host=db password=${VOID}", "needs the environment variable VOID, which is set, but empty."),
    ("${file:bytes}", "needs the file bytes, which is not UTF-8."),
    ("${file:large}", "needs the file large, which has more than 65,536 bytes."),
    ("${aws:text#k}", "needs k of the secret text of AWS Secrets Manager, which is not JSON."),
    ("${aws:list#k}", "needs k of the secret list of AWS Secrets Manager, which has no such key."),
    ("${aws:json#k}", "needs k of the secret json of AWS Secrets Manager, which has no such key."),
    ("${aws:json#K}", "needs K of the secret json of AWS Secrets Manager, which is neither text nor a number."),
]


@pytest.mark.parametrize(("url", "said"), WRONG, ids=[url for url, _ in WRONG])
def test_what_cannot_be_read_or_had_is_told_with_its_place_and_nothing_of_its_value(
    tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "a file").write_text("")
    (tmp_path / "a line").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"hunter2\xff")
    (tmp_path / "large").write_bytes(b"x" * 65_537)
    vault = Told({"text": Value("hunter2"), "list": Value('["hunter2"]'), "json": Value('{"K": ["hunter2"]}')})

    told = complaint_about(tmp_path, url, vault=vault, VOID="")

    assert told.startswith(said)
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:pass/word@host/shop",
        "postgresql://reader:12/34@host/shop",
        "postgresql://reader:pass@word@host/shop",
        "postgres://reader:pass?word@host/shop",
        "postgresql://reader@a:b,c/shop",
    ],
)
def test_an_address_that_its_password_cuts_is_refused_with_the_way_out(tmp_path: Path, url: str) -> None:
    assert complaint_about(tmp_path, "${U}", U=url).startswith(
        "has a host, a port or a database that cannot be one. Where"
    )

    (tmp_path / "tieout.yaml").write_text("project: shop\nledger: '${U}'\nsources: {}\n")
    with pytest.raises(Misconfigured, match="ledger has a host"):
        load_project(tmp_path, environ={"U": url})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:p%40s%2Fw:rd#!@host/shop?application_name=a@b",
        "postgresql://reader@a:5432,b,[::1]:5433/shop",
        "postgresql://",
        "postgresql:///shop?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql:5432/shop",
        "host=a password='p@s/w?rd' dbname=shop",
    ],
)
def test_an_address_that_is_whole_is_taken(tmp_path: Path, url: str) -> None:
    assert url_of(tmp_path, "${U}", U=url) == url


def test_whoever_is_away_is_waited_for_and_whoever_refuses_is_not(tmp_path: Path) -> None:
    away = Told({"s": Lack("which cannot be reached", "Wait.", passes=True)})
    gone = Told({"s": Lack("which is not there", "Mend it.")})

    assert complaint_about(tmp_path, "${aws:s}", Transient, vault=away).endswith("which cannot be reached. Wait.")
    assert complaint_about(tmp_path, "${aws:s}", vault=gone).endswith("which is not there. Mend it.")


def test_no_repr_shows_a_value(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(SECRET)

    assert "hunter2" not in repr(project_with(tmp_path, "${file:url}"))
    assert "hunter2" not in repr(Value("hunter2"))


def test_a_demo_reaches_nothing_outside() -> None:
    (lack,) = closed(["shop/erp"]).values()

    assert isinstance(lack, Lack)
    sim = Path(__file__).parents[2] / "src" / "tieout" / "sim"
    calls = [line for path in sim.rglob("*.py") for line in path.read_text().splitlines() if "load_project(" in line]
    assert calls
    assert not [line for line in calls if "vault=closed" not in line]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    made = books_at(tmp_path / "the books")
    (made.root / "inbox" / "day1.ndjson").write_text("")
    return made


def add(books: Books, url: str) -> None:
    with (books.root / "tieout.yaml").open("a") as file:
        file.write(f"  shop: {{type: postgres, url: '{url}', tables: [public.orders]}}\n")


@pytest.mark.parametrize(
    ("url", "about"), [("${file:gone}", "gone"), ("${aws:shop/erp#password}", "shop/erp"), ("${GONE}", "GONE")]
)
def test_the_doctor_tells_what_cannot_be_had_and_looks_at_all_else(books: Books, url: str, about: str) -> None:
    add(books, url)

    told = examine(books.root, environ={}, clock=SystemClock(), vault=closed)

    (finding,) = [finding for finding in told.project if finding.level is Level.ERROR]
    assert finding.code == ("project.variable.unset" if about == "GONE" else "project.secret.lacking")
    assert finding.about == about
    assert finding.mend or finding.hint
    assert "project.store.ok" in {one.code for one in told.project}
    assert list(told.sources) == ["erp"]


def test_the_doctor_goes_on_where_the_vault_is_away(books: Books) -> None:
    add(books, "${aws:s}")
    away = Told({"s": Lack("which cannot be reached", "Look at the network.", passes=True)})

    told = examine(books.root, environ={}, clock=SystemClock(), vault=away)

    (finding,) = [finding for finding in told.project if finding.level is Level.ERROR]
    assert finding.found == "sources.shop.url needs the secret s of AWS Secrets Manager, which cannot be reached"
    assert finding.hint == "Look at the network."


def test_a_secret_that_everybody_may_read_is_told_and_closed_by_the_mend(books: Books) -> None:
    url = books.root / "the url"
    url.write_text("host=/nowhere dbname=shop user=reader")
    url.chmod(0o644)
    add(books, "${file:the url}")

    def warned() -> list[str]:
        told = examine(books.root, environ={}, clock=SystemClock(), only="erp")
        return [finding.mend for finding in told.project if finding.code == "project.secret.open"]

    (mend,) = warned()
    subprocess.run(["bash", "-c", mend], check=True, timeout=10)

    assert warned() == []
    assert url.stat().st_mode & 0o777 == 0o640


def test_a_file_that_may_not_be_read_is_told_and_opened_by_the_mend() -> None:
    with TemporaryDirectory() as outer, as_an_ordinary_user(Path(outer)) as folder:
        secret = folder / "url"
        secret.write_text(SECRET)
        secret.chmod(0)
        wanted = Reference(Keeper.FILE, "url")
        lack = had([wanted], {}, folder, closed)[wanted]
        assert isinstance(lack, Lack)
        subprocess.run(["bash", "-c", lack.shell], check=True, timeout=10)

        assert lack.why == "which may not be read"
        assert had([wanted], {}, folder, closed)[wanted] == Value(SECRET)
