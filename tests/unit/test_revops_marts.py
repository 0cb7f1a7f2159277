"""What of the marts of a played company fails its demo."""

from __future__ import annotations

from tieout.model.built import Built, ModelRun, State, TestFailed
from tieout.run.modelling import Modelling
from tieout.sim.revops.marts import failed_of


def test_what_failed_and_what_blocks_fail_the_demo_and_a_warning_does_not() -> None:
    models = (ModelRun("deals", State.FAILED, 1.0), ModelRun("users", State.BUILT, 1.0))
    tests = (
        TestFailed("unique_users", True, 2, "Got 2 results", frozenset({"users"})),
        TestFailed("not_null_commission", False, 1, "Got 1 result", frozenset({"users"})),
    )

    assert failed_of(Modelling(Built(models, 2, tests, 1.0, {}), (), (), ())) == ("deals", "unique_users")
    assert failed_of(Modelling(None, (), (), ())) == ()
