"""Asks an org what a checkup wants to know. It changes nothing, and goes on behind a refusal with what can still be
asked. Costs four calls, and one an object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from ....base.errors import Misconfigured, TieoutError, Transient
from .. import soql
from ..budget import Work
from ..events.subscription import Subscription
from ..hearing import topic_of
from ..refusal import as_json
from ..wanted import Wanted
from ..wire.client import Client
from ..wire.door import Call
from ..wire.org import OrgWire
from .answers import Aim, Answers, Rights, Topics

Told = TypeVar("Told")


def ask(wire: OrgWire, aim: Aim) -> Answers:
    client = wire.client
    token = _told(client.token)
    if isinstance(token, TieoutError):
        return Answers(login=token)
    login = f"org {token.org_id}, user {token.user_id}"
    versions = _told(lambda: _versions(client))
    if isinstance(versions, TieoutError) or aim.version not in versions:
        return Answers(login=login, instance=token.instance_url, versions=versions)
    org_seconds = _told(client.now)
    limits = _told(client.limits)
    return Answers(
        login=login,
        instance=token.instance_url,
        versions=versions,
        skew_seconds=None if isinstance(org_seconds, TieoutError) else client.clock.now().timestamp() - org_seconds,
        limits=limits,
        rights=_told(lambda: _rights(client, token.user_id)),
        described={one.object: _told(lambda one=one: _described(client, one)) for one in aim.wanted},  # type: ignore[misc]
        topics=_topics(wire, aim.heard),
    )


def _told(ask: Callable[[], Told]) -> Told | TieoutError:
    try:
        return ask()
    except TieoutError as error:
        return error


def _versions(client: Client) -> tuple[str, ...]:
    doing = "asking for its versions"
    answer = client.call(Call("GET", "/services/data", doing), Work.LIVE)
    return tuple(str(one["version"]) for one in as_json(answer.body, doing=doing))


def _described(client: Client, wanted: Wanted) -> Mapping[str, Any]:
    described = client.describe(wanted.api_name, work=Work.LIVE, anew=True)
    assert described is not None, "it was not told before"
    return described


def _rights(client: Client, user_id: str) -> Rights:
    sets = _rows(client, soql.permission_sets(user_id))
    whole = _rows(client, soql.viewed_whole(user_id))
    if not sets:
        raise Misconfigured("the user's permission sets are not shown to it.")
    return Rights(
        views_all=any(one["PermissionsViewAllData"] for one in sets),
        modifies_all=any(one["PermissionsModifyAllData"] for one in sets),
        views_all_of=frozenset(str(one["SobjectType"]).lower() for one in whole),
    )


def _rows(client: Client, question: str) -> list[dict[str, Any]]:
    pages = client.query_pages(question, with_deleted=False, work=Work.LIVE)
    return [record for page in pages for record in page.records]


def _topics(wire: OrgWire, heard: Collection[Wanted]) -> Topics | TieoutError | None:
    """The first that does not get through is the last: none would."""
    if not heard or wire.subscribe is None:
        return None
    subscription = wire.subscribe()
    try:
        told = {one.object: _topic(subscription, topic_of(one.api_name)) for one in heard}
        return Topics(told, _topic(subscription, wire.channel))
    except Transient as away:
        return away
    finally:
        subscription.close()


def _topic(subscription: Subscription, topic: str) -> bool | TieoutError:
    try:
        return subscription.topic_info(topic)
    except Misconfigured as refused:
        return refused
