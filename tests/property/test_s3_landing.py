"""Whatever the network does to whichever request, the landing in S3 holds what was put, once, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import s3
from tests.conformance.landing_promise import ACCOUNT, judged, put
from tieout.base.errors import Broken, Transient
from tieout.land.s3 import S3Landing

_TRIES_MAX = 20
FAULT = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from(
        [
            s3.lost,
            s3.cut,
            s3.refused("503 Slow Down", "SlowDown"),
            s3.refused("500 Internal Server Error", "InternalError"),
            s3.refused("409 Conflict", "ConditionalRequestConflict"),
        ]
    ),
)


@pytest.fixture(scope="module", autouse=True)
def running() -> Iterator[s3.Store]:
    with pytest.MonkeyPatch.context() as patch, s3.running() as store:
        s3.unpaused(patch)
        yield store


@given(faults=st.lists(FAULT, max_size=25), sizes=st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_what_was_put_is_there_once_whatever_the_network_did(
    running: s3.Store, faults: list[s3.Fault | None], sizes: list[int]
) -> None:
    running.forget()
    address = running.address()
    running.keep_versions(address)
    script = iter(faults)
    running.door.faults = [(lambda asked: True, _next_of(script))] * len(faults)

    names = {_until_done(address, rows) for rows in sizes}

    running.forget()
    landing = S3Landing(s3.bucket(address))
    assert {name for _, name in landing.names()} == names
    assert {landing.open(ACCOUNT, name).changes.num_rows for name in names} == set(sizes)
    assert set(running.versions(address).values()) == {1}


def _until_done(address: object, rows: int) -> str:
    """As a worker does: what is Transient is tried again, by a writer that knows nothing of the first."""
    for _ in range(_TRIES_MAX):
        try:
            return put(S3Landing(s3.bucket(address)), judged(rows))  # type: ignore[arg-type]
        except Transient:
            continue
    raise Broken("it was never done")


def _next_of(script: Iterator[s3.Fault | None]) -> s3.Fault:
    def fault(asked: s3.Asked, ask: object) -> s3.Answer:
        chosen = next(script)
        return ask() if chosen is None else chosen(asked, ask)  # type: ignore[operator, arg-type]

    return fault
