"""The doctor at a simulated org, as `tieout doctor` goes there: over HTTP and gRPC, by the project file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import run_within
from tieout.base.finding import Finding, Level
from tieout.run.clock import SystemClock
from tieout.run.doctor import examine, setup
from tieout.sim.org.misbehaviour import Fail, Script
from tieout.sim.org.org import Org
from tieout.sim.org.pubsub.server import PubSubServer
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App

KEY, SECRET = "consumer", "hush"
EVENTED = ("Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem")
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: acme.opportunity
name: opportunity
version: 1.0.0
status: active
schema:
  - name: opportunity
    properties:
      - {name: Id, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: NextStep, logicalType: string}
"""


class Site:
    """A project with one source, and the org that it reads."""

    def __init__(self, root: Path, org: Org, http: OrgServer, events: PubSubServer) -> None:
        self.root, self.org, self.http, self.events = root, org, http, events
        self.write()

    def write(self, *, objects: str = "[Account, Opportunity, User]", **more: str) -> None:
        settings = {"client_id": KEY, "client_secret": SECRET, "login_url": self.http.login_url} | more
        settings.setdefault("events", self.events.target)
        lines = [f"    {name}: {json.dumps(value)}\n" for name, value in settings.items()]
        head = "project: acme\nsources:\n  acme:\n    type: salesforce\n"
        (self.root / "tieout.yaml").write_text(head + "".join(lines) + f"    objects: {objects}\n")

    def found(self) -> dict[str, Finding]:
        """By code, and where it is about something by both."""
        found = examine(self.root, environ=os.environ, clock=SystemClock()).sources["acme"]
        return {one.code: one for one in found} | {f"{one.code} {one.about}": one for one in found if one.about}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    org = Org(7, SystemClock())
    org.sessions.register(App(KEY, SECRET, run_as="integration@tieout.example"))
    org.limits["DailyBulkV2QueryJobs"] = lambda: {"Max": 10_000, "Remaining": 10_000}
    with (
        OrgServer(org, Script()) as http,
        PubSubServer(org) as events,
    ):
        yield Site(tmp_path, org, http, events)


def test_an_org_that_is_as_it_should_be_has_no_error(site: Site) -> None:
    found = site.found()

    assert not [one for one in found.values() if one.level is Level.ERROR]
    assert site.org.org_id in found["salesforce.login.ok"].found
    assert "62.0" in found["salesforce.instance.ok"].found
    assert found["salesforce.object.ok"].found == "objects: 3"
    assert found["salesforce.events.ok"].found == "change events of Account, Opportunity"
    assert found["salesforce.events.off User"].level is Level.NOTE
    assert "ExpectedRevenue" in found["salesforce.object.formulas Opportunity"].found
    assert "20% are left to others" in found["salesforce.calls.ok"].found


def test_rights_that_cannot_be_known_are_a_warning(site: Site) -> None:
    # The simulated org knows no permission sets, as an org that hides them.
    assert site.found()["salesforce.user.unknown"].level is Level.WARNING


def test_an_object_and_a_contracts_field_that_the_user_may_not_see_are_named(site: Site) -> None:
    site.write(objects="[Opportunity, Nothing__c]")
    folder = site.root / "contracts" / "acme"
    folder.mkdir(parents=True)
    (folder / "opportunity.yaml").write_text(CONTRACT)
    site.org.admin.hide_field("Opportunity", "NextStep")

    found = site.found()

    assert found["salesforce.object.hidden"].about == "Nothing__c"
    assert found["salesforce.field.hidden"].about == "Opportunity.NextStep"
    assert "salesforce.object.ok" not in found


def test_the_users_own_words_of_a_login_that_fails(site: Site) -> None:
    site.write(client_secret="wrong")

    (finding,) = set(site.found().values())

    assert finding.code == "salesforce.login.client"
    assert finding.level is Level.ERROR
    assert "wrong" not in finding.found


def test_a_host_where_nobody_answers_is_told(site: Site) -> None:
    site.write(login_url="http://localhost:9")

    assert set(site.found()) == {"salesforce.login.unreachable"}


def test_an_org_without_its_channel_of_events_is_read_all_the_same(site: Site) -> None:
    site.events.stop()

    found = site.found()

    assert found["salesforce.events.unreachable"].level is Level.WARNING
    assert "salesforce.object.ok" in found


def test_a_channel_that_the_org_does_not_have_is_told(site: Site) -> None:
    site.write(channel="/data/Nobody__chn")

    assert site.found()["salesforce.events.channel"].about == "/data/Nobody__chn"


def test_a_version_that_the_org_does_not_serve_is_told_with_the_newest(site: Site) -> None:
    site.write(api_version="29.0")

    found = site.found()

    assert "68.0" in found["salesforce.version.unserved"].hint
    assert "salesforce.object.ok" not in found


def test_of_a_day_of_calls_that_is_used_up_the_doctor_still_tells(site: Site) -> None:
    site.org.use_api(site.org.api.most)

    found = site.found()

    assert found["salesforce.calls.out"].level is Level.ERROR


def test_calls_that_are_kept_for_others_are_no_bound_for_a_look(site: Site) -> None:
    site.org.use_api(site.org.api.most * 9 // 10)

    found = site.found()

    assert "20% are left to others" in found["salesforce.calls.out"].found
    assert "salesforce.object.ok" in found


def test_settings_that_ask_for_more_calls_than_there_are_are_told(site: Site) -> None:
    site.org.api.most = 5_000

    assert "salesforce.calls.need" in site.found()


def test_a_user_who_may_not_use_the_api_is_told_once(site: Site) -> None:
    refused = Fail(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
    for kind in ("limits", "query", "describe"):
        site.http.script.at(kind, 1, refused, times=9)

    found = site.found()

    assert [code for code, one in found.items() if one.level is Level.ERROR] == ["salesforce.user.api"]


def test_the_command_shows_it_all_and_exits_as_its_errors_say(site: Site) -> None:
    arguments = ["doctor", "--json", "--project", str(site.root)]
    well = run_within(arguments)
    site.write(objects="[Nothing__c]")
    ill = run_within(arguments)

    assert (well.code, ill.code) == (0, 2)
    assert "salesforce.object.hidden" in ill.out


def test_there_is_nothing_to_set_up_by_sql(site: Site) -> None:
    assert setup(site.root, environ=os.environ, clock=SystemClock()) == {}
