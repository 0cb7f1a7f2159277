"""What a checkup makes of an org's answers. The answers are values here; a simulated org gives them elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.salesforce import FIELDS, described
from tieout.base.errors import Misconfigured, TieoutError
from tieout.base.finding import Finding, Level
from tieout.capture.salesforce.budget import Work
from tieout.capture.salesforce.catalogue import DESCRIBED_SECONDS
from tieout.capture.salesforce.checkup import reach
from tieout.capture.salesforce.checkup.answers import Aim, Answers, Rights, Topics
from tieout.capture.salesforce.checkup.codes import CODES
from tieout.capture.salesforce.checkup.cost import cost
from tieout.capture.salesforce.checkup.findings import findings
from tieout.capture.salesforce.refusal import _GRANTS, grant_refusal, refusal
from tieout.capture.salesforce.wanted import Wanted

AIM = Aim((Wanted("Opportunity"),), {}, "62.0", 0.2, "/data/ChangeEvents")
WELL = Answers(
    login="org 00D000000000001EAA, user 005000000000001AAA",
    instance="https://acme.my.salesforce.com",
    versions=("59.0", "62.0", "68.0"),
    skew_seconds=0.4,
    limits={
        "DailyApiRequests": {"Max": 100_000, "Remaining": 90_000},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 9_990},
    },
    rights=Rights(True, False, frozenset()),
    described={"opportunity": described()},
    topics=Topics({"opportunity": True}, True),
)
FORMULA = {"name": "Risk__c", "type": "string", "calculated": True, "calculatedFormula": "IF(Amount > 1, 1, 2)"}


def found(answers: Answers, aim: Aim = AIM) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings(aim, answers)}


def shown(*left_out: str, more: tuple[dict[str, Any], ...] = (), **flags: Any) -> Answers:
    fields = [field for field in FIELDS if field["name"] not in left_out]
    return replace(WELL, described={"opportunity": described([*fields, *more], **flags)})


def test_where_all_is_well_each_area_says_so_in_one_line() -> None:
    assert list(found(WELL)) == [
        "salesforce.login.ok",
        "salesforce.instance.ok",
        "salesforce.calls.ok",
        "salesforce.user.ok",
        "salesforce.object.ok",
        "salesforce.events.ok",
    ]


GRANTED = {
    ("invalid_grant", "user hasn't approved this consumer"): "salesforce.login.not_approved",
    ("invalid_grant", "audience is invalid"): "salesforce.login.audience",
    ("invalid_grant", "no client credentials user enabled"): "salesforce.login.run_as",
    ("invalid_grant", "request not supported on this domain"): "salesforce.login.domain",
    ("invalid_grant", "expired access/refresh token"): "salesforce.login.expired",
    ("invalid_grant", "assertion expired"): "salesforce.login.assertion",
    ("invalid_grant", "expired authorization code"): "salesforce.login.assertion",
    ("inactive_user", "user is inactive"): "salesforce.login.user",
    ("invalid_app_access", "user is not admin approved"): "salesforce.login.app",
    ("invalid_client_id", "client identifier invalid"): "salesforce.login.client",
    ("invalid_client", "invalid client credentials"): "salesforce.login.client",
    ("invalid_grant", "login rate exceeded"): "salesforce.login.rate",
    ("invalid_grant", "authentication failure"): "salesforce.login.refused",
}


@pytest.mark.parametrize(("said", "code"), GRANTED.items())
def test_each_refusal_of_a_token_has_its_code_and_its_mend(said: tuple[str, str], code: str) -> None:
    error, description = said
    body = f'{{"error": "{error}", "error_description": "{description}"}}'.encode()

    (finding,) = findings(AIM, Answers(login=grant_refusal(400, body)))

    assert (finding.code, bool(finding.hint)) == (code, True)
    assert description in finding.found


def test_every_refusal_of_a_token_that_has_a_mend_has_a_code() -> None:
    known = [word for word, _ in reach.LOGINS]

    assert [word for word, _ in _GRANTS if word not in known] == ["unknown_error"]
    assert [word for word in known if word in dict(_GRANTS)] == [word for word, _ in _GRANTS if word in known]


def test_a_key_that_cannot_be_read_and_a_host_that_is_away_are_told_apart() -> None:
    key = Misconfigured("the private key of the Salesforce app cannot be read.", hint="Give the PEM.")
    away = grant_refusal(503, b"<html>")

    assert set(found(Answers(login=key))) == {"salesforce.login.key"}
    assert set(found(Answers(login=away))) == {"salesforce.login.unreachable"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal(503, b"<html>", doing="asking for its versions"), "salesforce.instance.unreachable"),
        (Misconfigured("HTTP 401 INVALID_SESSION_ID"), "salesforce.instance.refused"),
    ],
)
def test_behind_an_instance_that_does_not_answer_nothing_more_is_said(error: TieoutError, code: str) -> None:
    assert list(found(Answers(login="org 00D", versions=error))) == ["salesforce.login.ok", code]


def test_a_version_is_old_before_60_and_unserved_where_it_is_not_listed() -> None:
    old = found(WELL, replace(AIM, version="59.0"))
    gone = found(WELL, replace(AIM, version="40.0"))

    assert "60.0" in old["salesforce.version.old"].hint
    assert "such as 68.0" in gone["salesforce.version.unserved"].hint
    assert "salesforce.instance.ok" not in gone


@pytest.mark.parametrize(("seconds", "side"), [(75.0, "ahead of"), (-75.0, "behind")])
def test_a_clock_that_is_wrong_is_told_with_its_side(seconds: float, side: str) -> None:
    assert f"75 s {side} the org's" in found(replace(WELL, skew_seconds=seconds))["salesforce.clock.skew"].found


def test_of_calls_that_run_short_the_work_that_waits_is_named() -> None:
    low = replace(WELL, limits={"DailyApiRequests": {"Max": 1_000_000, "Remaining": 290_000}})
    out = replace(WELL, limits={"DailyApiRequests": {"Max": 1_000_000, "Remaining": 200_000}})
    jobs = replace(WELL, limits={"DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 2_000}})

    assert found(low)["salesforce.calls.low"].found.endswith("there wait: backfill, activities")
    assert found(out)["salesforce.calls.out"].level is Level.ERROR
    assert found(jobs)["salesforce.jobs.low"].found.endswith("there wait: live, repair, backfill, activities")


def test_settings_that_ask_for_more_than_is_ours_are_told() -> None:
    busy = replace(AIM, wanted=tuple(Wanted(f"Deal{number}__c", every_seconds=5.0) for number in range(9)))

    assert "80,000 are ours" in found(WELL, busy)["salesforce.calls.need"].found


@pytest.mark.parametrize(
    ("status", "code", "finding"),
    [
        (403, "API_DISABLED_FOR_ORG", "salesforce.user.api"),
        (403, "INSUFFICIENT_ACCESS", "salesforce.calls.unknown"),
        (403, "REQUEST_LIMIT_EXCEEDED", "salesforce.calls.out"),
    ],
)
def test_limits_that_are_not_told_say_why(status: int, code: str, finding: str) -> None:
    body = f'[{{"errorCode": "{code}", "message": "TotalRequests Limit exceeded."}}]'.encode()

    assert finding in found(replace(WELL, limits=refusal(status, body, doing="asking for its limits")))


def test_a_limit_of_the_moment_is_only_a_question_without_an_answer() -> None:
    body = b'[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]'
    told = found(replace(WELL, limits=refusal(403, body, doing="asking for its limits")))

    assert told["salesforce.question.refused"].about == "limits"


def test_rows_that_sharing_may_hide_are_told_by_object() -> None:
    two = replace(AIM, wanted=(Wanted("Opportunity"), Wanted("Task")))
    some = replace(WELL, rights=Rights(False, False, frozenset({"opportunity"})))
    every = replace(WELL, rights=Rights(False, False, frozenset({"opportunity", "task"})))
    unknown = replace(WELL, rights=Misconfigured("no such object"))

    assert found(some, two)["salesforce.user.sharing"].found.endswith("View All Records on Task")
    assert "every object" in found(every, two)["salesforce.user.ok"].found
    assert found(unknown)["salesforce.user.unknown"].level is Level.WARNING


def test_a_user_who_may_change_everything_is_noted() -> None:
    told = found(replace(WELL, rights=Rights(True, True, frozenset())))

    assert told["salesforce.user.powerful"].level is Level.NOTE


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (shown("SystemModstamp"), "salesforce.object.no_stamp"),
        (
            shown("SystemModstamp", more=({"name": "CreatedDate", "type": "datetime"},)),
            "salesforce.object.created_only",
        ),
        (shown(queryable=False), "salesforce.object.closed"),
        (shown(replicateable=False), "salesforce.object.unreplicated"),
        (shown(more=(FORMULA,)), "salesforce.object.formulas"),
        (
            shown(more=tuple({"name": f"A_field_with_a_long_name_{n}__c", "type": "string"} for n in range(500))),
            "salesforce.object.wide",
        ),
    ],
)
def test_what_is_wrong_with_an_object_is_told_about_it(answers: Answers, code: str) -> None:
    told = found(answers)

    assert told[code].about == "Opportunity"
    assert ("salesforce.object.ok" in told) is (told[code].level is not Level.ERROR)


def test_formulas_that_are_never_read_again_are_a_warning() -> None:
    never = replace(AIM, wanted=(Wanted("Opportunity", derived_seconds=0.0),))

    assert "Risk__c" in found(shown(more=(FORMULA,)), never)["salesforce.object.formulas_never"].found


def test_an_object_that_is_hidden_and_one_that_did_not_answer_are_told_apart() -> None:
    hidden = refusal(404, b'[{"errorCode": "NOT_FOUND", "message": "no"}]', doing="describing Opportunity")
    silent = refusal(503, b"", doing="describing Opportunity")

    assert "salesforce.object.hidden" in found(replace(WELL, described={"opportunity": hidden}))
    assert "salesforce.question.refused" in found(replace(WELL, described={"opportunity": silent}))


def test_a_column_of_a_contract_that_is_not_shown_is_told() -> None:
    told = found(WELL, replace(AIM, columns={"opportunity": ("Id", "Name", "NextStep")}))

    assert told["salesforce.field.hidden"].about == "Opportunity.NextStep"


def test_of_events_it_is_told_which_are_heard_and_why_others_are_not() -> None:
    names = ("Account", "Lead", "Contact", "Case", "Campaign", "Opportunity", "Task")
    many = replace(AIM, wanted=tuple(map(Wanted, names)))
    heard = {name.lower(): True for name in names}
    refused = Misconfigured("GetTopic /data/TaskChangeEvent: topic.meta.permission", hint="Give it View All Data.")
    told = found(replace(WELL, topics=Topics(heard | {"lead": False, "task": refused}, True)), many)
    more = found(replace(WELL, topics=Topics(heard, True)), many)
    nowhere = found(replace(WELL, topics=Topics(heard, False)), many)

    assert told["salesforce.events.off"].about == "Lead"
    assert told["salesforce.events.refused"].about == "Task"
    assert "salesforce.events.many" not in told
    assert "7" in more["salesforce.events.many"].found
    assert nowhere["salesforce.events.channel"].about == "/data/ChangeEvents"
    assert "salesforce.events.ok" not in nowhere


def test_events_that_are_not_wanted_or_do_not_come_stop_nothing() -> None:
    unwanted = found(WELL, replace(AIM, channel=""))
    away = found(replace(WELL, topics=refusal(503, b"", doing="GetTopic")))

    assert unwanted["salesforce.events.disabled"].level is Level.NOTE
    assert away["salesforce.events.unreachable"].level is Level.WARNING


def test_what_an_object_costs_a_day_hangs_on_its_settings_alone() -> None:
    wanted = Wanted("Task", every_seconds=600.0, deleted_seconds=3600.0, derived_seconds=43_200.0, work=Work.ACTIVITIES)

    assert cost(wanted).calls == 2 * 144 + 24 + 86_400 // DESCRIBED_SECONDS + 4 * 2
    assert cost(wanted, has_deleted=False, has_derived=False).calls == 2 * 144 + 86_400 // DESCRIBED_SECONDS


def test_every_level_is_one_that_the_doctor_knows() -> None:
    assert {level for level, _ in CODES.values()} == set(Level)
