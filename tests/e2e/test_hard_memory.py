"""Memory that is not to be had: the pass is given up whole, and the same is done again when there is some."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cramped import hasty_run
from tests.e2e.test_kill_at_every_step import ROUTE, project_in, truth_of
from tieout.base.step import Step


class Scarce:
    """From when the step is reached, it is reached so many times without memory for what follows."""

    def __init__(self, step: Step, times: int) -> None:
        self._step = step
        self.left = times

    def listen(self, step: Step) -> None:
        if step is self._step and self.left:
            self.left -= 1
            raise MemoryError("malloc of size 1073741824 failed")


@pytest.mark.parametrize("step", ROUTE)
def test_a_pass_without_memory_is_given_up_and_done_again(step: Step, tmp_path: Path) -> None:
    """Fault 58."""
    quiet = project_in(tmp_path / "quiet")
    hasty_run(quiet)
    root = project_in(tmp_path / "scarce")
    scarce = Scarce(step, times=2)

    outcome = hasty_run(root, passing=scarce.listen)

    assert scarce.left == 0
    assert outcome.outcome == "complete"
    assert truth_of(root) == truth_of(quiet)


def test_memory_that_stays_away_is_told_with_the_mend(tmp_path: Path) -> None:
    root = project_in(tmp_path)

    scarce = hasty_run(root, passing=Scarce(Step.MERGING, times=1000).listen)
    after = hasty_run(root)

    assert (scarce.outcome, scarce.exit_code, scarce.merged) == ("partial", 3, 0)
    assert scarce.reason == "there is not enough memory: malloc of size 1073741824 failed."
    assert "memory" in scarce.hint
    assert (after.outcome, after.merged) == ("complete", 122)
