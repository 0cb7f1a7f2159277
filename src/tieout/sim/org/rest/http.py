"""Requests, answers and routes.

Bulk adds its routes with `OrgServer.add(*routes)`. A handler is `handler(org, request) -> Response`; it raises
`OrgError` for what the API answers with an array of errors. By the time it is called the session is live, the call is
counted against the limit, and the script's deeds have been done (those that are left to it are in `request.deeds`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from ..errors import OrgError
from ..misbehaviour import Deed
from ..org import Org

Kind = TypeVar("Kind")

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_PIECE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    """The arguments behind the `?`, decoded."""
    headers: Mapping[str, str]
    """By lower-cased name."""
    body: bytes
    parts: Mapping[str, str] = field(default_factory=dict)
    """What stands in the places of the route's pattern: `version`, `object`, ..."""
    user: str = ""
    """The id of the session's user."""
    deeds: Sequence[Deed] = ()

    @property
    def base(self) -> str:
        """`/services/data/v62.0`, as the caller has it."""
        return f"/services/data/v{self.parts['version']}"

    @property
    def client(self) -> str | None:
        """The name that the caller gives itself in Sforce-Call-Options."""
        found = re.search(r"client=([^,;\s]+)", self.headers.get("sforce-call-options", ""))
        return found[1] if found else None

    def json(self) -> Any:
        """The body; decimals as `Decimal`. Raises JSON_PARSER_ERROR."""
        try:
            return _DECODER.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OrgError("JSON_PARSER_ERROR", str(error)) from None

    def deed(self, kind: type[Kind]) -> Kind | None:
        return next((each for each in self.deeds if isinstance(each, kind)), None)


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""
    """An iterator is sent in chunks, as it comes."""


Handler: TypeAlias = Callable[[Org, Request], Response]


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """As JSON. A `Decimal` is a number with the digits that it has."""
    return Response(
        status, {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}, _ENCODER.encode(value)
    )


def refusal(error: OrgError) -> Response:
    """The array that every data call answers with when it fails."""
    told: dict[str, Any] = {"message": error.message, "errorCode": error.code}
    if error.fields:
        told["fields"] = list(error.fields)
    return answer([told], error.status)


class Route:
    """`kind` is what the script counts by. In `pattern`, `{name}` is one part of the path. `is_open`: without a
    session; such a call is not counted against the limit either."""

    def __init__(self, kind: str, method: str, pattern: str, handler: Handler, *, is_open: bool = False) -> None:
        self.kind = kind
        self.method = method
        self.handler = handler
        self.is_open = is_open
        pieces = _PIECE.split(pattern)
        text = "".join(f"(?P<{piece}>[^/]+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
        self._pattern = re.compile(text + "/?")

    def parts(self, path: str) -> Mapping[str, str] | None:
        found = self._pattern.fullmatch(path)
        return None if found is None else found.groupdict()
