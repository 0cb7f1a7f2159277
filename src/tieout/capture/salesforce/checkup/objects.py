"""Whether objects, their fields and rows are shown to the user, and their changes told. Answers in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....base.errors import TieoutError
from ....base.finding import Finding
from .. import soql
from ..describe import SObject
from ..refusal import ObjectHidden
from ..wanted import Wanted
from .answers import Aim, Answers, Rights, Topics
from .codes import CODES
from .reach import is_api_closed

EVENTED_MAX = 5
"""Entities that an org may select for change data capture without the add-on."""
_NAMED_MAX = 10
_A_SECOND = 1_700_000_000
"""As long as any other."""


def rights(aim: Aim, answers: Answers) -> Iterator[Finding]:
    told = answers.rights
    if told is None or is_api_closed(told):
        return
    if isinstance(told, TieoutError):
        yield CODES("salesforce.user.unknown", told.message, hint=_SHARING_HINT)
        return
    yield from _shared(aim, told)
    if told.modifies_all:
        found = "the user has Modify All Data"
        yield CODES("salesforce.user.powerful", found, hint="Give it View All Data instead, in a permission set.")


def _shared(aim: Aim, told: Rights) -> Iterator[Finding]:
    if told.views_all or told.modifies_all:
        yield CODES("salesforce.user.ok", "the user has View All Data")
        return
    closed = [one.api_name for one in aim.wanted if one.object not in told.views_all_of]
    if closed:
        found = f"the user has neither View All Data nor View All Records on {_names(closed)}"
        yield CODES("salesforce.user.sharing", found, hint=_SHARING_HINT)
    else:
        yield CODES("salesforce.user.ok", "the user has View All Records on every object")


_SHARING_HINT = "Give the integration user View All Data, in a permission set of its own."


def objects(aim: Aim, answers: Answers) -> Iterator[Finding]:
    for wanted in aim.wanted:
        described = answers.described.get(wanted.object)
        if described is None or is_api_closed(described):
            continue
        if isinstance(described, TieoutError):
            code = "object.hidden" if isinstance(described, ObjectHidden) else "question.refused"
            yield CODES(f"salesforce.{code}", described.message, about=wanted.api_name, hint=described.hint)
        else:
            yield from _object(aim, wanted, described)


def _object(aim: Aim, wanted: Wanted, described: Mapping[str, Any]) -> Iterator[Finding]:
    sobject, about = SObject.of(described), wanted.api_name
    if described.get("queryable") is False:
        hint = f"Take {about} out of `objects`, or let the integration user read it."
        yield CODES("salesforce.object.closed", f"{about} cannot be queried", about=about, hint=hint)
        return
    yield from _stamp(sobject, about)
    if described.get("replicateable") is False:
        yield CODES("salesforce.object.unreplicated", f"{about} is not replicated", about=about)
    yield from _wide(sobject, about)
    yield from _formulas(sobject, wanted)
    names = {field.name for field in sobject.fields}
    for column in aim.columns.get(wanted.object, ()):
        if column not in names:
            hint = f"Give the integration user read access to {about}.{column}, or take it out of the contract."
            found = f"{about}.{column} is not shown to the user"
            yield CODES("salesforce.field.hidden", found, about=f"{about}.{column}", hint=hint)


def _stamp(sobject: SObject, about: str) -> Iterator[Finding]:
    if sobject.stamp is None:
        hint = f"Let the user see its SystemModstamp, or take {about} out of `objects`."
        found = f"{about} has neither SystemModstamp nor CreatedDate"
        yield CODES("salesforce.object.no_stamp", found, about=about, hint=hint)
    elif not sobject.has_stamp:
        hint = "Certify it as often as its changes matter, or let the user see its SystemModstamp."
        yield CODES("salesforce.object.created_only", f"{about} has no SystemModstamp", about=about, hint=hint)


def _wide(sobject: SObject, about: str) -> Iterator[Finding]:
    if sobject.stamp is None:
        return
    asked = soql.ordered(soql.window(sobject, sobject.fields, _A_SECOND), sobject)
    if not soql.fits(asked):
        hint = f"Let the integration user see fewer fields of {about}."
        found = f"{about} has {len(sobject.fields):,} fields: a question for them has {len(asked):,} characters"
        yield CODES("salesforce.object.wide", found, about=about, hint=hint)


def _formulas(sobject: SObject, wanted: Wanted) -> Iterator[Finding]:
    if not (names := [field.name for field in sobject.formulas]):
        return
    found = f"{wanted.api_name} has formulas: {_names(names)}"
    if wanted.derived_seconds > 0:
        hours = wanted.derived_seconds / 3600
        told = f"{found}; they are read of every row each {hours:,.4g} h"
        yield CODES("salesforce.object.formulas", told, about=wanted.api_name)
    else:
        hint = "Set `derived_every` to how old a formula may be, or compute it in the marts."
        yield CODES("salesforce.object.formulas_never", found, about=wanted.api_name, hint=hint)


def events(aim: Aim, answers: Answers) -> Iterator[Finding]:
    if not aim.heard:
        hint = "Set `events` to the address of the Pub/Sub API to have news within seconds."
        yield CODES("salesforce.events.disabled", "no object's change events are wanted", hint=hint)
    elif isinstance(answers.topics, TieoutError):
        told = answers.topics
        yield CODES("salesforce.events.unreachable", told.message, hint=told.hint)
    elif answers.topics is not None:
        yield from _topics(aim, answers.topics)


def _topics(aim: Aim, topics: Topics) -> Iterator[Finding]:
    heard = [one.api_name for one in aim.heard if topics.told.get(one.object) is True]
    for wanted in aim.heard:
        told, about = topics.told.get(wanted.object), wanted.api_name
        if isinstance(told, TieoutError):
            yield CODES("salesforce.events.refused", told.message, about=about, hint=told.hint)
        elif not told:
            hint = "Select it under Setup, Change Data Capture, or write `events: false` at the object."
            found = f"the org has no change events of {about} for the user"
            yield CODES("salesforce.events.off", found, about=about, hint=hint)
    if topics.channel is not True:
        why = topics.channel.message if isinstance(topics.channel, TieoutError) else f"there is no {aim.channel}"
        hint = "Set `channel` to /data/ChangeEvents, or to a custom channel that the org has."
        yield CODES("salesforce.events.channel", why, about=aim.channel, hint=hint)
    elif heard:
        yield CODES("salesforce.events.ok", f"change events of {_names(heard)}")
    if len(heard) > EVENTED_MAX:
        found = f"objects whose change events the org sends: {len(heard)}"
        yield CODES("salesforce.events.many", found, hint="See that the org's add-on is there to stay.")


def _names(names: list[str]) -> str:
    rest = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + rest
