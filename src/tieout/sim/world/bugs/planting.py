"""How a bug is planted: a piece of what stands in a function or in an SQL statement is another one for a while.

The one rule: the piece to be replaced stands there exactly once, or planting raises. So a bug does not silently stop
being one when the product changes. Nothing of it stands in the product; it is not for two threads at once.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from ....base.sql import Statements

Plant = Callable[[], AbstractContextManager[None]]
"""Within it things are done wrong, by everybody; behind it they are right again."""

Pieces = tuple[tuple[str, str], ...]
"""What is right, and what stands there instead."""


@dataclass(frozen=True, slots=True)
class Bug:
    """`says` what is done wrong, in one sentence."""

    name: str
    says: str
    plant: Plant

    def planted(self) -> AbstractContextManager[None]:
        """It is there within."""
        return self.plant()


def in_code(function: Callable[..., Any], right: str, wrong: str, *others: tuple[str, str]) -> Plant:
    """Within this function `wrong` stands for `right`, and of each other pair the second for the first."""
    return partial(_in_code, function, ((right, wrong), *others))


def in_statement(statements: Statements, statement: str, *pieces: tuple[str, str]) -> Plant:
    """Within this statement, of each pair the second stands for the first."""
    return partial(_in_statement, statements, statement, pieces)


def instead(owner: object, attribute: str, wrong: object) -> Plant:
    """`owner` has `wrong` for its attribute."""
    return partial(_instead, owner, attribute, wrong)


def together(*plants: Plant) -> Plant:
    """All of these."""
    return partial(_together, plants)


def replaced(text: str, pieces: Pieces, where: str) -> str:
    """The text with these pieces for those. Raises when one of those is not there exactly once."""
    for right, wrong in pieces:
        if (times := text.count(right)) != 1:
            raise ValueError(f"a bug is planted where {right!r} stands once, and in {where} it stands {times} times")
        text = text.replace(right, wrong)
    return text


@contextmanager
def _in_code(function: Callable[..., Any], pieces: Pieces) -> Iterator[None]:
    plain = inspect.unwrap(function)
    assert isinstance(plain, FunctionType), f"{function} is no function"
    sound = plain.__code__
    plain.__code__ = _compiled(plain, replaced(inspect.getsource(plain), pieces, plain.__qualname__))
    try:
        yield
    finally:
        plain.__code__ = sound


def _compiled(function: FunctionType, source: str) -> CodeType:
    """The code of the function, had it this source. Swapping the code alone serves all who imported the function."""
    made: dict[str, Any] = {}
    exec(compile(textwrap.dedent(source), f"<planted in {function.__qualname__}>", "exec"), function.__globals__, made)
    code = inspect.unwrap(made[function.__name__]).__code__
    assert isinstance(code, CodeType)
    return code


@contextmanager
def _in_statement(statements: Statements, statement: str, pieces: Pieces) -> Iterator[None]:
    sound = statements._bodies[statement]
    _let(statements, statement, replaced(sound, pieces, statement))
    try:
        yield
    finally:
        _let(statements, statement, sound)


def _let(statements: Statements, statement: str, body: str) -> None:
    statements._bodies[statement] = body
    statements._templates.pop(statement, None)


@contextmanager
def _instead(owner: object, attribute: str, wrong: object) -> Iterator[None]:
    right = vars(owner)[attribute]
    setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        setattr(owner, attribute, right)


@contextmanager
def _together(plants: tuple[Plant, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for plant in plants:
            stack.enter_context(plant())
        yield
