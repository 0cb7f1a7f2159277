"""Who sees a classified column, and which rows a reader is shown.

The pipeline's own roles are named in every policy: a role that reads a mask and merges what it read writes the mask
into the tables. A role is asked for by the name under which the session works, so that whoever inherits the loader's
rights must become the loader to see what it sees, which the account's own history tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...base.sql import Sql
from ...base.types import Kind
from ...contract.classified import Classification
from .names import Name, Word
from .statements import Statement, expression, of_tag, say
from .wanted import Duty, Governed, Wanted

SEE_ALL = (Duty.LOADER, Duty.TRANSFORMER, Duty.ERASER)
"""Of what is about people. What the transformer makes of it bears the tag too, and is masked for readers."""

_TYPES = (
    "VARCHAR", "NUMBER", "FLOAT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ",
    "VARIANT", "OBJECT", "ARRAY", "BINARY",
)  # fmt: skip
"""A tag protects the columns for whose type it has a policy, and no other. So it has one for each type."""

_TELLS = {
    Classification.PERSONAL: "About a person: that there is a text is shown, and not which; of other types nothing.",
    Classification.SENSITIVE: "About a person, or a secret: not shown.",
    Classification.FINANCIAL: "Money: not shown to whoever erases people.",
}


def governance(wanted: Wanted) -> Name:
    return wanted.schema("GOVERNANCE")


def tag(wanted: Wanted, classification: Classification) -> Name:
    return governance(wanted).within(classification.name)


def classes(wanted: Wanted) -> list[Classification]:
    """Those that a contract names, in their order."""
    named = {one for stream in wanted.streams for one in stream.classified.columns.values()}
    return [one for one in Classification if one in named]


def masks(wanted: Wanted, classification: Classification) -> Iterator[Statement]:
    """The tag of a classification, and a mask for each type beneath it."""
    label = tag(wanted, classification)
    policies = {type_: governance(wanted).within(f"{classification.name}_{type_}") for type_ in _TYPES}
    yield say("create_tag", tag=label, comment=_TELLS[classification])
    for type_, policy in policies.items():
        body = _body(wanted, classification, type_)
        yield say("create_mask", policy=policy, type=Word(type_), body=body)
        yield say("set_mask", policy=policy, body=body)
    yield say("set_tag_masks", tag=label, policies=of_tag(policies.values()))


def _body(wanted: Wanted, classification: Classification, type_: str) -> Sql:
    if classification is Classification.FINANCIAL:
        return expression("masked_for", roles=_names(wanted, (Duty.ERASER,)), otherwise=Word("NULL"))
    shown = classification is Classification.PERSONAL and type_ == "VARCHAR"
    otherwise = expression("stars") if shown else Word("NULL")
    return expression("unmasked_for", roles=_names(wanted, SEE_ALL), otherwise=otherwise)


def row_policy(wanted: Wanted, stream: Governed) -> Name:
    return governance(wanted).within(f"ROWS_OF_{stream.table}")


def rows_of(wanted: Wanted, stream: Governed) -> Iterator[Statement]:
    """The policy of a stream whose rows are divided among readers."""
    policy = row_policy(wanted, stream)
    body = expression("is_entitled", roles=_names(wanted, SEE_ALL), granted=granted(wanted, stream, Sql("said")))
    yield say("create_row_policy", policy=policy, type=_type_of(stream), body=body)
    yield say("set_row_policy", policy=policy, body=body)


def granted(wanted: Wanted, stream: Governed, said: Sql) -> Sql:
    """Whether the reader's role was granted the rows with this value."""
    return expression("is_granted", entitlements=entitlements(wanted), stream=str(stream.contract.stream), said=said)


def entitlements(wanted: Wanted) -> Name:
    return governance(wanted).within("ENTITLEMENTS")


def made_entitlements(wanted: Wanted) -> Iterator[Statement]:
    """The table of them, where a stream's rows are divided among readers."""
    if any(one.classified.rows_by for one in wanted.streams):
        comment = "which role sees which rows; a value of * is all"
        yield say("create_entitlements", table=entitlements(wanted), comment=comment)


def _type_of(stream: Governed) -> Word:
    kinds = {column.name: column.type.kind for column in stream.contract.columns}
    kind = kinds[stream.classified.rows_by]
    return Word({Kind.TEXT: "VARCHAR", Kind.UUID: "VARCHAR", Kind.BOOLEAN: "BOOLEAN"}.get(kind, "NUMBER"))


def _names(wanted: Wanted, duties: Sequence[Duty]) -> tuple[str, ...]:
    return tuple(wanted.role(duty).stored[0] for duty in duties)
