"""Whom a contract lets see its rows: the classification of each column, and the column that divides rows among readers.

The standard leaves the word of a classification free. These few are understood; one that is not is refused, since a
misspelt word would otherwise leave a column open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from ..base import form, yamlfile
from ..base.types import Kind
from ..base.yamlfile import Document, Place, nearest
from .contract import Contract


class Classification(StrEnum):
    """personal: of a person, shown masked. sensitive: not shown at all. financial: kept from whoever erases people."""

    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    FINANCIAL = "financial"


WORDS: Mapping[str, Classification | None] = {
    "public": None, "internal": None,
    "personal": Classification.PERSONAL, "pii": Classification.PERSONAL,
    "sensitive": Classification.SENSITIVE, "confidential": Classification.SENSITIVE,
    "restricted": Classification.SENSITIVE,
    "financial": Classification.FINANCIAL,
}  # fmt: skip
"""Upper and lower case are one. None: open to every reader."""

ROW_ACCESS = "row_access"
"""The custom property of a document that names the column by whose values readers are let see rows."""

PERSONAL = frozenset({Classification.PERSONAL, Classification.SENSITIVE})
"""What is about people, and is erased with them."""

_STRICTEST_FIRST = (Classification.SENSITIVE, Classification.PERSONAL, Classification.FINANCIAL)

_DIVIDES = frozenset({Kind.TEXT, Kind.UUID, Kind.INT16, Kind.INT32, Kind.INT64, Kind.BOOLEAN})


@dataclass(frozen=True, slots=True)
class Classified:
    """`columns`: those that are not open to every reader. `rows_by`: a reader sees the rows with the values of this
    column that were granted to them; "" where every reader sees all rows."""

    columns: Mapping[str, Classification]
    rows_by: str = ""

    @property
    def is_personal(self) -> bool:
        return any(one in PERSONAL for one in self.columns.values())


def strictest(found: Iterable[Classification | None]) -> Classification | None:
    """What is hidden wins over what is masked, and that over the rest; None where all of it is open."""
    held = set(found)
    return next((one for one in _STRICTEST_FIRST if one in held), None)


def load_classified(path: Path, contract: Contract) -> Classified:
    """What the contract in the file says of who may see. Raises Misconfigured for a word that is not understood."""
    document = yamlfile.load(path)
    standard = form.read(OpenDataContractStandard, document)
    (schema,) = standard.schema_ or []
    columns = {}
    for index, entry in enumerate(schema.properties or []):
        found = strictest(_words(document, ("schema", 0, "properties", index), entry))
        if found is not None:
            columns[str(entry.name)] = found
    return Classified(columns, _rows_by(document, standard, contract, columns))


def _words(document: Document, place: Place, entry: SchemaProperty) -> Iterator[Classification | None]:
    """What is said of a column, and of all that lies within it."""
    yield _word(document, place, entry)
    for index, inner in enumerate(entry.properties or []):
        yield from _words(document, (*place, "properties", index), inner)
    if entry.items is not None:
        yield from _words(document, (*place, "items"), entry.items)


def _word(document: Document, place: Place, entry: SchemaProperty) -> Classification | None:
    word = entry.classification
    if word is None:
        return None
    if word.lower() not in WORDS:
        here = (*place, "classification")
        raise document.wrong(
            here, f"is {document.found(here)}; allowed: {', '.join(WORDS)}.", hint=nearest(word, WORDS)
        )
    return WORDS[word.lower()]


def _rows_by(
    document: Document, standard: OpenDataContractStandard, contract: Contract, classified: Mapping[str, Classification]
) -> str:
    for index, custom in enumerate(standard.customProperties or ()):
        if custom.property != ROW_ACCESS:
            continue
        place: Place = ("customProperties", index, "value")
        kinds = {column.name: column.type.kind for column in contract.columns}
        column = str(custom.value)
        if column not in kinds:
            raise document.wrong(place, "names no column of this contract.", hint=nearest(column, kinds))
        if kinds[column] not in _DIVIDES:
            raise document.wrong(place, f"names {column}, which is {kinds[column]}; write one of text, whole numbers.")
        if column in classified:
            # Snowflake refuses a column that both a masking policy and a row access policy read.
            raise document.wrong(place, f"names {column}, which is classified {classified[column]}; write an open one.")
        return column
    return ""
