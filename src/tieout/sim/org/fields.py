"""Words for writing fields down: each makes a `Field` of one type, with what such a field always has.

`system` is a field that only the org itself writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .schema import Field, Formula, PicklistValue, Rollup


def _field(name: str, type_: str, *, system: bool = False, **rest: Any) -> Field:
    given = {"createable": False, "updateable": False, **rest} if system else rest
    return Field(name, type_, **given)


def ident() -> Field:
    return _field("Id", "id", system=True, length=18, nillable=False, defaulted=True, label="Record ID")


def text(name: str, length: int, **rest: Any) -> Field:
    return _field(name, "string", length=length, **rest)


def textarea(name: str, length: int, **rest: Any) -> Field:
    return _field(name, "textarea", length=length, **rest)


def email(name: str, **rest: Any) -> Field:
    return _field(name, "email", length=80, **rest)


def phone(name: str, **rest: Any) -> Field:
    return _field(name, "phone", length=40, **rest)


def url(name: str, **rest: Any) -> Field:
    return _field(name, "url", length=255, **rest)


def boolean(name: str, **rest: Any) -> Field:
    """Never null: a checkbox that nobody ticked is false."""
    return _field(name, "boolean", nillable=False, defaulted=True, default=0, **rest)


def integer(name: str, **rest: Any) -> Field:
    return _field(name, "int", **rest)


def double(name: str, precision: int, scale: int, **rest: Any) -> Field:
    return _field(name, "double", precision=precision, scale=scale, **rest)


def currency(name: str, precision: int, scale: int, **rest: Any) -> Field:
    return _field(name, "currency", precision=precision, scale=scale, **rest)


def percent(name: str, precision: int, scale: int, **rest: Any) -> Field:
    return _field(name, "percent", precision=precision, scale=scale, **rest)


def date(name: str, **rest: Any) -> Field:
    return _field(name, "date", **rest)


def datetime_(name: str, **rest: Any) -> Field:
    return _field(name, "datetime", **rest)


def picklist(name: str, values: Sequence[str], *, default: str | None = None, **rest: Any) -> Field:
    made = tuple(PicklistValue(value, default=value == default) for value in values)
    return _field(name, "picklist", length=255, picklist=made, default=default, defaulted=default is not None, **rest)


def reference(name: str, *to: str, **rest: Any) -> Field:
    relationship = f"{name.removesuffix('__c')}__r" if name.endswith("__c") else name.removesuffix("Id")
    return _field(name, "reference", length=18, reference_to=to, relationship=relationship, **rest)


def formula(field: Field, how: Formula) -> Field:
    return replace(field, formula=how, createable=False, updateable=False)


def rollup(field: Field, how: Rollup) -> Field:
    """Where there is nothing to add up, it is 0."""
    nothing = f"{0:.{field.scale}f}"
    return replace(field, rollup=how, default=nothing, createable=False, updateable=False)


def audit() -> tuple[Field, ...]:
    return (
        datetime_("CreatedDate", system=True, nillable=False, defaulted=True),
        reference("CreatedById", "User", system=True, nillable=False, defaulted=True),
        datetime_("LastModifiedDate", system=True, nillable=False, defaulted=True),
        reference("LastModifiedById", "User", system=True, nillable=False, defaulted=True),
        datetime_("SystemModstamp", system=True, nillable=False, defaulted=True),
    )
