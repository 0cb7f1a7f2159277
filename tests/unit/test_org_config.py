"""An org in a project file becomes one that can be read, or the file is told what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.run.org_config import ObjectConfig, SalesforceConfig
from tieout.run.project import load_project

APP = "client_id: key, client_secret: s3cret, login_url: https://acme.my.salesforce.com"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def org_of(root: Path, settings: str) -> SalesforceConfig:
    text = f"project: shop\nsources:\n  crm: {{type: salesforce, {settings}}}\n"
    (root / "tieout.yaml").write_text(text, encoding="utf-8")
    source = load_project(root, environ={}).sources["crm"]
    assert isinstance(source, SalesforceConfig)
    return source


def complaint_about(root: Path, settings: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        org_of(root, settings)
    return str(refused.value).removeprefix(f"{root}/tieout.yaml:3: sources.crm")


def test_an_object_by_its_name_has_the_sources_paces(tmp_path: Path) -> None:
    org = org_of(tmp_path, f"{APP}, every: 2m, objects: [Account, Task]")

    assert org.objects == (
        ObjectConfig("Account", 2 * MINUTE, 5 * MINUTE, DAY, events=True, is_activity=False),
        ObjectConfig("Task", 2 * MINUTE, 5 * MINUTE, DAY, events=True, is_activity=True),
    )


def test_an_object_has_paces_of_its_own(tmp_path: Path) -> None:
    told = "{object: Task, every: 10m, deleted_every: 1h, derived_every: 7d, events: false, work: live}"

    org = org_of(tmp_path, f"{APP}, objects: [{told}]")

    assert org.objects == (ObjectConfig("Task", 10 * MINUTE, HOUR, 7 * DAY, events=False, is_activity=False),)


def test_formulas_may_never_be_read_anew(tmp_path: Path) -> None:
    told = "derived_every: never, objects: [Task, {object: Account, derived_every: 1h}]"

    org = org_of(tmp_path, f"{APP}, {told}")

    assert [one.derived_seconds for one in org.objects] == [0, HOUR]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("every: never, objects: [Account]", ".every is 'never'; write a whole number and one of s, m, h, d"),
        (
            "objects: [{object: Account, derived_every: '0'}]",
            ".objects[0].derived_every is '0'; write a whole number and one of s, m, h, d, such as 90s, 30m, 24h or 7d,"
            " or never.",
        ),
        ("objects: []", ".objects"),
        ("objects: [Account, account]", ".objects[1] names account a second time"),
        ("objects: ['a b']", '.objects[0] is "a b"; write an object'),
        ("api_version: '62', objects: [Account]", ".api_version is no version of the API"),
        ("private_key: pem, objects: [Account]", " needs one of private_key and client_secret."),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_write(tmp_path: Path, settings: str, complaint: str) -> None:
    assert complaint_about(tmp_path, f"{APP}, {settings}").startswith(complaint)
