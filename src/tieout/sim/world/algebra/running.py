"""The merge algebra by the hundred thousand seeds: small honest histories, folded by the rule in several orders, and
held against an oracle that knows what is true and what nobody could know.

One seed is one history of one object. What is promised of it: the state does not care for order, doubling and batches;
where nothing is open, what is shown is the truth; where something could not be known, something is open, and closes
when it was read again; and what was deleted stays so, however late older changes come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from ....base.change import Kind
from ....base.order import MOMENT_WIDTH, PLACE_WIDTH, sweep_floor
from ....merge import rule
from ....merge.rule import Change, Row, State
from ..chance import Chance
from .history import Setting, history_of
from .oracle import (
    WHOLE,
    Truth,
    gap_stays_open,
    hole_is_open,
    is_confirmed,
    is_in_silence,
    is_knowable,
    is_unreadable,
    shows_a_loss,
    truth_of,
)
from .told import Teller, Told

_DOUBLED_MAX = 5
_UNSPOKEN = Row()


@dataclass(frozen=True, slots=True)
class AlgebraResult:
    """What one seed came to.

    checks     statements that were held against the oracle
    changes    changes that were told, without doubles
    violation  the first statement that did not hold, None if all did
    sometimes  how often came about what the proof would be empty without
    """

    seed: int
    checks: int
    changes: int
    violation: str | None
    sometimes: Mapping[str, int]


@dataclass(slots=True)
class AlgebraTotal:
    """What many seeds came to; `violations` by seed."""

    seeds: int = 0
    checks: int = 0
    changes: int = 0
    violations: dict[int, str] = field(default_factory=dict)
    sometimes: dict[str, int] = field(default_factory=dict)


def run_seeds(first: int, count: int) -> AlgebraTotal:
    """The seeds from `first` on."""
    total = AlgebraTotal()
    for seed in range(first, first + count):
        result = run_seed(seed)
        total.seeds += 1
        total.checks += result.checks
        total.changes += result.changes
        if result.violation is not None:
            total.violations[seed] = result.violation
        for what, times in result.sometimes.items():
            total.sometimes[what] = total.sometimes.get(what, 0) + times
    return total


def run_seed(seed: int) -> AlgebraResult:
    return run_chance(seed, Chance(seed))


def run_chance(seed: int, chance: Chance) -> AlgebraResult:
    """The run that these choices make; `seed` is only its name."""
    setting = Setting.drawn(chance)
    told = Teller(chance, history_of(chance, setting)).tell()
    names = frozenset(setting.fields)
    state = rule.fold(State(), told.changes, fields=names)
    statements = chain(
        _of_order(chance, told, state, names), _of_the_object(told, state), _of_keys(setting, told, state)
    )
    checks = 0
    for wrong in statements:
        checks += 1
        if wrong is not None:
            return AlgebraResult(seed, checks, len(told.changes), f"seed {seed}: {wrong}", told.sometimes)
    return AlgebraResult(seed, checks, len(told.changes), None, told.sometimes)


def _of_order(chance: Chance, told: Told, state: State, names: frozenset[str]) -> Iterator[str | None]:
    """The state is the same in whatever order, how often and in how large batches all of it arrives."""
    first = _arrival(chance, told)
    for arrived in (first, first[::-1], _arrival(chance, told)):
        size = 1 + chance.below(len(arrived) + 1)
        other = State()
        for start in range(0, len(arrived), size):
            rule.fold(other, arrived[start : start + size], fields=names)
        yield None if other == state else f"{_differing(state, other)} in another order of arrival"
    _count_lateness(told, first)


def _arrival(chance: Chance, told: Told) -> list[Change]:
    changes = told.changes
    doubled = chance.below(min(len(changes), _DOUBLED_MAX) + 1)
    if doubled:
        told.count("doubled")
    start = chance.below(len(changes) + 1)
    return chance.shuffled(changes + (changes + changes)[start : start + doubled])


def _differing(expected: State, found: State) -> str:
    for key in sorted(expected.rows.keys() | found.rows.keys()):
        if expected.rows.get(key) != found.rows.get(key):
            return f"key {key}: expected {expected.rows.get(key)}, found {found.rows.get(key)}"
    of_object = [(state.floor, state.gap) for state in (expected, found)]
    return f"the object's floor and gap: expected {of_object[0]}, found {of_object[1]}"


def _of_the_object(told: Told, state: State) -> Iterator[str | None]:
    expected, found = hole_is_open(told.account), rule.object_gap_is_open(state)
    if told.account.hole is not None:
        told.count("hole_left_open" if expected else "hole_closed")
    yield _unless(found is expected, "the object's gap is open", expected, found)


def _of_keys(setting: Setting, told: Told, state: State) -> Iterator[str | None]:
    account, truth = told.account, truth_of(told.account)
    hole_is_closed = not rule.object_gap_is_open(state)
    for key in setting.keys:
        row = state.rows.get(key, _UNSPOKEN)
        shown = rule.is_shown(row, state, required=setting.required)
        reasons = rule.open_reasons(row, state, required=setting.required)
        yield _of_obligations(told, key, reasons)
        if is_unreadable(account, key):
            told.count("never_read")
            yield _unless(not shown, f"key {key}: nobody could read it; it is shown", False, shown)
            is_fine = bool(reasons) or not hole_is_closed or key not in truth.table or is_in_silence(account, key)
            yield _unless(is_fine, f"key {key}: it lives, and nobody could read it; open", "something", "nothing")
        if shows_a_loss(account, truth, key):
            told.count("loss_shown")
            yield _unless(bool(reasons), f"key {key}: changed and was never born; open", "something", "nothing")
        yield _of_life(truth, key, shown)
        yield from _of_words(truth, key, row)
        if hole_is_closed and not reasons and is_knowable(account, key):
            expected = truth.table.get(key)
            values = {name: row.fields.get(name, ("", None))[1] for name in setting.fields} if shown else None
            yield _unless(values == expected, f"key {key}: nothing is open; the row", expected, values)
            if row.alive and not shown:
                told.count("sweep_killed" if sweep_floor(state.floor) == state.floor else "truncate_killed")


def _of_obligations(told: Told, key: str, reasons: frozenset[rule.Open]) -> str | None:
    """Something is open where the key could not be known, and nothing once it was looked at again."""
    if gap_stays_open(told.account, key):
        told.count("gap_left_open")
        return _unless(
            rule.Open.GAP in reasons, f"key {key}: was left out and not read again; open", "gap", set(reasons)
        )
    if is_confirmed(told.account, key):
        told.count("gap_closed" if key in told.account.gaps else "never_open")
        return _unless(not reasons, f"key {key}: all of it was told or read again; open", "nothing", set(reasons))
    return None


def _of_life(truth: Truth, key: str, shown: bool) -> str | None:
    """Whose last birth or death was told whole by an event is there or not, whatever else was left out."""
    last = truth.lives.get(key)
    if last is None or last.manner not in (WHOLE | {"told"}):
        return None
    lives = last.manner in WHOLE
    return _unless(shown is lives, f"key {key}: the last {last.word} was told; it is shown", lives, shown)


def _of_words(truth: Truth, key: str, row: Row) -> Iterator[str | None]:
    """A field of a row that is there, of which the last writing was told by an event, holds what that wrote."""
    for name, value in truth.spoken.get(key, {}).items():
        found = row.fields.get(name, ("", None))
        right = found[1] == value and found[0] != ""
        yield _unless(right, f"key {key}, field {name}: its last event", value, found[1])


def _unless(holds: bool, what: str, expected: object, found: object) -> str | None:
    return None if holds else f"{what}: expected {expected}, found {found}"


def _count_lateness(told: Told, arrived: list[Change]) -> None:
    """Of one order of arrival: what came behind something newer of its key, or might have brought back the dead."""
    newest: dict[str | None, str] = {}
    deaths: dict[str | None, str] = {}
    images = resurrections = 0
    for change in arrived:
        key, kind, token = change.key, change.kind, change.token
        if kind is Kind.IMAGE and token < newest.get(key, ""):
            images += 1
        if kind is Kind.DELETE or kind is Kind.TRUNCATE:
            deaths[key] = max(token, deaths.get(key, ""))
        elif rule.LIFE.get(kind) and token < max(deaths.get(key, ""), deaths.get(None, "")):
            resurrections += 1
        newest[key] = max(token, newest.get(key, ""))
    told.count("late_image", images)
    told.count("resurrection_attempt", resurrections)
    places: dict[tuple[str | None, str], str] = {}
    for change in told.changes:
        if change.kind is not Kind.GAP:
            at = (change.key, change.token[:MOMENT_WIDTH])
            if places.setdefault(at, change.token) != change.token:
                ties = change.token[:PLACE_WIDTH] == places[at][:PLACE_WIDTH]
                told.count("ambiguous_tie" if ties else "same_position_tie")
