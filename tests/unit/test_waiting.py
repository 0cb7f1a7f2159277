"""A neighbour is waited for as long as was said, however long it takes itself to say that it is away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conformance.ledger_promise import HandClock
from tieout.base.errors import Transient
from tieout.run.house import opened
from tieout.run.project import load_project


@dataclass
class Away:
    """As much of `Neighbours` as is asked: a warehouse that needs so many seconds to be away."""

    clock: HandClock
    seconds: float
    asked: int = field(default=0)

    def warehouse(self) -> Any:
        self.asked += 1
        self.clock.sleep(self.seconds)
        raise Transient("the warehouse is away.")


@pytest.mark.parametrize(("seconds", "asked"), [(60.0, 1), (4.0, 3), (0.0, 101)])
def test_a_warehouse_that_is_away_is_waited_for_no_longer_than_was_said(
    tmp_path: Path, seconds: float, asked: int
) -> None:
    (tmp_path / "tieout.yaml").write_text("project: shop\nsources: {}\n", encoding="utf-8")
    away = Away(clock := HandClock(), seconds)

    with opened(load_project(tmp_path, environ={}), clock) as house:
        begun = clock.now()
        with pytest.raises(Transient):
            replace(house, neighbours=cast(Any, away)).warehouse(wait_seconds=10.0)

    assert away.asked == asked
    assert (clock.now() - begun).total_seconds() <= 10.0 + seconds
