"""Many jobs over processes: each has its result, and one whose process dies takes no other with it."""

from __future__ import annotations

import os
from functools import partial

from tieout.sim.world.campaign.hands import Job, Lost, done


def of_job(number: int) -> int:
    if number == 2:
        os._exit(9)
    if number == 3:
        raise KeyError("three")
    return number * number


def test_a_process_that_dies_is_told_and_the_others_go_on() -> None:
    jobs = [Job(str(number), partial(of_job, number)) for number in range(6)]

    came = {job.name: result for job, result in done(jobs, hands=2)}

    assert {name: came[name] for name in "0145"} == {"0": 0, "1": 1, "4": 16, "5": 25}
    assert isinstance(came["2"], Lost)
    assert "died" in came["2"].why
    assert came["3"] == Lost("it ended of KeyError: 'three'")


def test_no_jobs_come_to_nothing() -> None:
    assert list(done([], hands=1)) == []
