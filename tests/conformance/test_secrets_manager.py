"""AWS Secrets Manager over HTTP, answered by moto: what is asked of it, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import vault
from tests.vault import Keeper
from tieout.base.errors import Misconfigured
from tieout.run.environment import Lack, Value
from tieout.run.postgres_config import PostgresConfig
from tieout.run.project import load_project
from tieout.run.secrets import aws


@pytest.fixture(scope="module")
def running() -> Iterator[Keeper]:
    with vault.running() as keeper:
        yield keeper


@pytest.fixture
def keeper(running: Keeper, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    running.forget()
    vault.reached(monkeypatch, running)
    return running


def lack_of(name: str) -> Lack:
    (found,) = aws([name]).values()
    assert isinstance(found, Lack)
    return found


def test_a_project_is_filled_in_with_one_question_for_a_secret(keeper: Keeper, tmp_path: Path) -> None:
    keeper.keep("shop/erp", '{"username": "reader", "password": "hunter2", "port": 5432}')
    (tmp_path / "tieout.yaml").write_text(
        "project: shop\nsources:\n  erp: {type: postgres, schemas: [public], "
        "url: 'user=${aws:shop/erp#username} password=${aws:shop/erp#password} port=${aws:shop/erp#port}'}\n"
    )

    config = load_project(tmp_path, environ={}).sources["erp"]

    assert isinstance(config, PostgresConfig)
    assert config.url == "user=reader password=hunter2 port=5432"
    assert keeper.asked == ["GetSecretValue"]


def test_a_project_that_names_no_secret_of_aws_asks_for_none(keeper: Keeper, tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text("project: shop\nsources: {}\n")

    load_project(tmp_path, environ={})

    assert keeper.asked == []


def test_an_arn_is_asked_for_in_its_own_region(keeper: Keeper) -> None:
    arn = keeper.keep("elsewhere", "hunter2", region="us-west-2")

    assert aws([arn]) == {arn: Value("hunter2")}
    assert lack_of("elsewhere").why == "which is not there"


def test_what_is_not_there_or_is_no_text_is_told(keeper: Keeper) -> None:
    keeper.keep("bytes", None, data="aHVudGVyMg==")

    assert lack_of("gone").hint.startswith("Mend the name, or the region")
    assert lack_of("bytes").why == "which is binary"


@pytest.mark.parametrize(
    ("status", "code", "passes", "said"),
    [
        (400, "AccessDeniedException", False, "which may not be read: Who asks is not authorized"),
        (400, "DecryptionFailure", False, "which may not be read: Who asks is not authorized"),
        (400, "ResourceNotFoundException", False, "which is not there"),
        (400, "InvalidRequestException", False, "which has no value, or is to be deleted"),
        (400, "InvalidParameterException", False, "which was refused (InvalidParameterException)"),
        (400, "UnrecognizedClientException", False, "AWS does not take the credentials (UnrecognizedClientException)"),
        (400, "InvalidSignatureException", False, "AWS does not take the credentials (InvalidSignatureException)"),
        (400, "ExpiredTokenException", False, "AWS does not take the credentials (ExpiredTokenException)"),
        (400, "ThrottlingException", True, "which cannot be asked for now (ThrottlingException)"),
        (500, "InternalServiceError", True, "which cannot be asked for now (InternalServiceError)"),
        (503, "AnyOther", True, "which cannot be asked for now (AnyOther)"),
    ],
)
def test_a_refusal_says_who_must_move_next(keeper: Keeper, status: int, code: str, passes: bool, said: str) -> None:
    keeper.refusals += [(status, code)] * 4

    lack = lack_of("shop/erp")

    assert said in lack.why
    assert lack.passes == passes
    assert lack.hint
    assert len(keeper.asked) == (4 if passes else 1), "what time may mend is asked again, and not for ever"


def test_a_refused_signature_shows_nothing_of_the_request(keeper: Keeper) -> None:
    keeper.refusals += [(400, "InvalidSignatureException")]

    assert "hunter2" not in str(lack_of("shop/erp"))


def test_a_secret_that_comes_at_the_second_try_is_had(keeper: Keeper) -> None:
    keeper.keep("shop/erp", "hunter2")
    keeper.refusals += [(500, "InternalServiceError")]

    assert aws(["shop/erp"]) == {"shop/erp": Value("hunter2")}


def test_an_aws_that_is_away_is_waited_for(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")

    lack = lack_of("shop/erp")

    assert lack.passes
    assert lack.why == "which cannot be reached (EndpointConnectionError)"


@pytest.mark.parametrize(
    ("unset", "said", "mend"),
    [
        ("AWS_DEFAULT_REGION", "no region is set", "Set AWS_DEFAULT_REGION"),
        ("AWS_ACCESS_KEY_ID", "NoCredentialsError", "Give credentials"),
        ("AWS_SECRET_ACCESS_KEY", "PartialCredentialsError", "Give credentials"),
    ],
)
def test_settings_of_aws_that_are_missing_are_named(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unset: str, said: str, mend: str
) -> None:
    for file in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(file, str(tmp_path / "none"))
    monkeypatch.delenv(unset)
    if said == "NoCredentialsError":
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    lack = lack_of("shop/erp")

    assert said in lack.why
    assert mend in lack.hint
    assert not lack.passes


def test_a_profile_that_is_not_there_is_named(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    assert "ProfileNotFound" in lack_of("shop/erp").why


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tieout.run.extras.find_spec", lambda name: None)
    (tmp_path / "tieout.yaml").write_text("project: '${aws:name}'\nsources: {}\n")

    with pytest.raises(Misconfigured, match=r"pip install 'tieout\[aws\]'"):
        load_project(tmp_path, environ={})
