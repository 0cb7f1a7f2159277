"""What of the marts is built anew, and what stays as it is: decided from values."""

from __future__ import annotations

from dataclasses import replace

from tieout.model.built import Built, Model, ModelRun, State, TestFailed
from tieout.model.plan import Plan, Standing, from_text, plan, standing_after, to_text


def made(name: str, *tables: str, parents: tuple[str, ...] = (), is_daily: bool = False) -> Model:
    return Model(name, ("marts", name), True, is_daily, frozenset(parents), frozenset(tables))


DEALS, USERS = "latest.crm__deal", "raw.crm__user"
KNOWN = {
    one.name: one
    for one in (
        made("deals", DEALS),
        made("users", USERS),
        made("coverage", DEALS, USERS, parents=("deals", "users")),
        made("today", USERS, parents=("users",), is_daily=True),
    )
}
NOW = Standing("code", "2026-11-22", {DEALS: "a", USERS: "b"})
WAS = {name: replace(NOW, inputs={table: NOW.inputs[table] for table in model.tables}) for name, model in KNOWN.items()}
THERE = {model.relation for model in KNOWN.values()}


def planned(now: Standing = NOW, was: dict[str, Standing] = WAS, **other: object) -> Plan:
    wishes = {"there": THERE, "closed": (), "full": False} | other
    return plan(KNOWN, was, now, **wishes)  # type: ignore[arg-type]


def test_what_has_not_moved_is_left_as_it_is() -> None:
    assert planned() == Plan((), False, current=("coverage", "deals", "today", "users"))
    assert planned().is_idle


def test_what_moved_is_built_with_all_that_is_made_of_it() -> None:
    moved = replace(NOW, inputs={DEALS: "another", USERS: "b"})

    assert planned(moved) == Plan(("coverage", "deals"), False, current=("today", "users"))


def test_what_is_of_today_is_old_on_the_next_day() -> None:
    assert planned(replace(NOW, day="2026-11-23")).models == ("today",)


def test_what_is_not_there_is_built_and_so_is_what_is_made_of_it() -> None:
    assert planned(there=THERE - {("marts", "users")}).models == ("coverage", "today", "users")


def test_what_failed_before_is_built_again() -> None:
    assert planned(was={name: one for name, one in WAS.items() if name != "coverage"}).models == ("coverage",)


def test_a_closed_gate_keeps_its_mart_and_what_is_made_of_it() -> None:
    moved = replace(NOW, inputs={DEALS: "another", USERS: "another"})

    found = planned(moved, closed=("users",))

    assert found == Plan(("deals",), False, kept=("coverage", "today", "users"))


def test_a_mart_that_was_kept_while_the_code_changed_is_built_from_nothing_afterwards() -> None:
    found = planned(was=WAS | {"coverage": replace(WAS["coverage"], code="older")})

    assert (found.models, found.full) == (("coverage",), True)


def test_what_is_made_of_a_table_of_another_shape_is_built_from_nothing() -> None:
    """As no batch tells an incremental model which of its keys have other values now."""
    was = {name: replace(one, inputs=dict.fromkeys(one.inputs, "s1:a")) for name, one in WAS.items()}

    reshaped = planned(replace(NOW, inputs={DEALS: "s2:a", USERS: "s1:a"}), was)
    moved = planned(replace(NOW, inputs={DEALS: "s1:b", USERS: "s1:a"}), was)

    assert (reshaped.models, reshaped.full) == (("coverage", "deals"), True)
    assert (moved.models, moved.full) == (("coverage", "deals"), False)


def test_a_word_that_tells_no_shape_is_of_no_other_shape() -> None:
    """As of a build by an older version, or from a table into which nothing had been merged."""
    found = planned(
        replace(NOW, inputs={DEALS: "s1:a", USERS: ""}), WAS | {"users": replace(NOW, inputs={USERS: "s1:b"})}
    )

    assert (found.models, found.full) == (("coverage", "deals", "today", "users"), False)


def test_without_knowledge_all_is_built_from_nothing() -> None:
    assert plan({}, {}, NOW, there=(), closed=(), full=False) == Plan(None, True)
    assert planned(full=True) == Plan(None, True)


def test_what_stands_afterwards_is_what_was_built_and_what_was_left() -> None:
    runs = (
        ModelRun("deals", State.BUILT, 1.0),
        ModelRun("coverage", State.FAILED, 1.0),
        ModelRun("gone", State.BUILT, 1.0),
    )
    later = replace(NOW, day="2026-11-23", inputs={DEALS: "c", USERS: "d"})

    stands = standing_after(Built(runs, 0, (), 1.0, KNOWN), WAS, later)

    assert stands == {
        "deals": Standing("code", "2026-11-23", {DEALS: "c"}), "users": WAS["users"], "today": WAS["today"],
    }  # fmt: skip
    assert from_text(to_text(stands)) == stands


def test_a_model_whose_test_blocks_does_not_stand() -> None:
    failed = TestFailed("unique", True, 3, "Got 3 results", frozenset({"users"}))
    warned = replace(failed, blocks=False, about=frozenset({"deals"}))
    runs = (ModelRun("deals", State.BUILT, 1.0), ModelRun("users", State.BUILT, 1.0))

    assert set(standing_after(Built(runs, 2, (failed, warned), 1.0, KNOWN), {}, NOW)) == {"deals"}


def test_what_failed_when_it_was_to_be_built_from_nothing_is_built_from_nothing_the_next_time() -> None:
    """Its table is the one of the older code, upon which nothing may grow. What only fails a test is built."""
    failed = TestFailed("unique", True, 3, "Got 3 results", frozenset({"users"}))
    states = {"deals": State.FAILED, "coverage": State.SKIPPED, "users": State.BUILT}
    runs = tuple(ModelRun(name, state, 1.0) for name, state in states.items())
    newer = replace(NOW, code="newer")
    first = standing_after(Built(runs, 1, (failed,), 1.0, KNOWN), WAS, newer)
    twice = standing_after(Built(runs, 1, (failed,), 1.0, KNOWN), first, newer)
    reverted = planned(NOW, was=twice)

    for stands in (first, twice):
        assert planned(newer, was=stands | {"users": newer, "today": newer}).full
    assert {"coverage", "deals", "users"} <= set(reverted.models or ())
    others = {name: replace(one, code="newer") for name, one in WAS.items() if name != "users"}
    assert not planned(newer, was=others).full


def test_what_failed_to_grow_grows_the_next_time() -> None:
    runs = (ModelRun("deals", State.FAILED, 1.0),)

    stands = standing_after(Built(runs, 0, (), 1.0, KNOWN), WAS, replace(NOW, inputs={DEALS: "c", USERS: "b"}))

    assert (planned(was=stands).models, planned(was=stands).full) == (("coverage", "deals"), False)
