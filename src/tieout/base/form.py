"""What a document may say: a pydantic model, and the sentence that mends the first setting that is against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from .duration import ALLOWED
from .errors import Misconfigured
from .yamlfile import Document, Place, descend, nearest

_Model = TypeVar("_Model", bound=BaseModel)

_WANTED = {
    "string_type": "text (in quotes, if it looks like a number)",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def _unit(value: object) -> object:
    if not isinstance(value, str):
        # A number lacks its unit: in quotes it would be wrong again.
        raise PydanticCustomError("duration", ALLOWED)
    return value


Duration = Annotated[str, BeforeValidator(_unit)]
"""Text that shall be a length of time; whoever reads it asks `seconds_of` whether it is."""


def read(model: type[_Model], document: Document, place: Place = (), *, secret: frozenset[str] = frozenset()) -> _Model:
    """The value at `place` as the model has it. Raises Misconfigured for its first wrong setting.

    Types are taken strictly and unknown keys refused. Of a key in `secret` no value is ever shown.
    """
    try:
        return model.model_validate(descend(document.content, place), strict=True, extra="forbid")
    except ValidationError as error:
        # `from None`: pydantic's own message shows what was given, secrets too.
        raise _first_wrong(error, model, document, place, secret) from None


def _first_wrong(
    error: ValidationError, model: type[BaseModel], document: Document, base: Place, secret: frozenset[str]
) -> Misconfigured:
    wrongs: dict[Place, list[Any]] = {}
    for wrong in error.errors(include_url=False, include_input=False):
        place = _settle(document, base, wrong["loc"])
        wrongs.setdefault((*place, wrong["loc"][-1]) if wrong["type"] == "missing" else place, []).append(wrong)
    # Of a setting with several forms each form complains; the one that came furthest is what was meant.
    deepest = [place for place in wrongs if not any(other[: len(place)] == place != other for other in wrongs)]
    place = min(deepest, key=document.line)
    kinds = {wrong["type"] for wrong in wrongs[place]}
    if "missing" in kinds:
        return document.wrong(place, "is missing.", hint=_misspelt(place, wrongs))
    if "extra_forbidden" in kinds:
        allowed = sorted(_keys(model, place[len(base) : -1]))
        hint = nearest(place[-1], allowed)
        return document.wrong(place, f"is not a setting; allowed: {', '.join(allowed)}.", hint=hint)
    wanted = " or ".join(dict.fromkeys(_wanted(wrong) for wrong in wrongs[place]))
    if secret.intersection(place):
        return document.wrong(place, f"is not what it must be; write {wanted}.")
    return document.wrong(place, f"is {document.found(place)}; write {wanted}.")


def _misspelt(missing: Place, wrongs: Mapping[Place, list[Any]]) -> str:
    """The hint that a key beside the missing one, itself no setting, may have been meant for it."""
    for place, told in wrongs.items():
        is_beside = place[:-1] == missing[:-1] and told[0]["type"] == "extra_forbidden"
        if is_beside and nearest(place[-1], [str(missing[-1])]):
            return f"Write {missing[-1]} instead of {place[-1]}."
    return ""


def _settle(document: Document, base: Place, loc: Iterable[str | int]) -> Place:
    """pydantic's place without what is not in the file: the names it gives to the forms of a union."""
    place = base
    for step in loc:
        value = descend(document.content, place)
        inside_mapping = isinstance(value, dict) and step in value
        if inside_mapping or (isinstance(value, list) and isinstance(step, int)):
            place = (*place, step)
    return place


def _wanted(wrong: Mapping[str, Any]) -> str:
    if wrong["type"] == "literal_error":
        return str(wrong["ctx"]["expected"])
    return _WANTED.get(wrong["type"], str(wrong["msg"]))


def _keys(model: type[BaseModel], place: Place) -> set[str]:
    """The keys that the model allows in the mapping at `place`."""
    forms: list[Any] = [model]
    for step in place:
        forms = [inner for form in forms for inner in _inner(form, step)]
    fields = [(name, field) for form in forms if _is_model(form) for name, field in form.model_fields.items()]
    return {field.alias or name for name, field in fields}


def _inner(form: Any, step: str | int) -> list[Any]:
    """The forms that a value may have one step inside a value of this form."""
    if _is_model(form):
        fields = form.model_fields.items()
        return [plain for name, field in fields if (field.alias or name) == step for plain in _plain(field.annotation)]
    return [plain for argument in get_args(form)[-1:] for plain in _plain(argument)]


def _plain(form: Any) -> list[Any]:
    """A form without `| None`, `|` and annotations."""
    if get_origin(form) is Annotated:
        return _plain(get_args(form)[0])
    if get_origin(form) in (Union, UnionType):
        return [plain for argument in get_args(form) for plain in _plain(argument)]
    return [form]


def _is_model(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, BaseModel)
