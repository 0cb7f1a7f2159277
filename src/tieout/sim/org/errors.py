"""What the org answers to a deed that it refuses: a code, a sentence, and the fields that are to blame."""

from __future__ import annotations

from collections.abc import Sequence


class OrgError(Exception):
    """`code` as Salesforce spells it (`INVALID_FIELD`); `fields` are API names; `status` is the HTTP status of a call
    that fails of it as a whole (inside a collection the row bears it, and the call is a 200)."""

    def __init__(self, code: str, message: str, *, fields: Sequence[str] = (), status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.status = status


def no_such_type(name: str) -> OrgError:
    hint = "If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
    where = "Please reference your WSDL or the describe call for the appropriate names."
    return OrgError("INVALID_TYPE", f"sObject type '{name}' is not supported. {hint} {where}")


def no_such_field(name: str, entity: str, near: str = "") -> OrgError:
    """`near` is the query with a caret under the name, which goes before the sentence."""
    hint = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
    where = "Please reference your WSDL or the describe call for the appropriate names."
    return OrgError("INVALID_FIELD", f"{near}No such column '{name}' on entity '{entity}'. {hint} {where}")


def not_found(status: int = 404) -> OrgError:
    return OrgError("NOT_FOUND", "The requested resource does not exist", status=status)


def locked(record: str) -> OrgError:
    return OrgError("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {record}")
