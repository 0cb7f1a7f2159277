"""Two landings never read through one replication slot; one landing always through the same."""

from __future__ import annotations

import re
from pathlib import Path

from tieout.land.local import LocalLanding
from tieout.run.identity import identity_of, slot_of


def test_a_landing_has_one_identity_and_two_have_two(tmp_path: Path) -> None:
    first = identity_of(LocalLanding(tmp_path / "one" / "landing"))

    assert re.fullmatch(r"[0-9a-f]{8}", first)
    assert identity_of(LocalLanding(tmp_path / "one" / "landing")) == first
    assert identity_of(LocalLanding(tmp_path / "two" / "landing")) != first
    assert [path.name for path in (tmp_path / "one" / "landing").iterdir()] == [".identity"]


def test_the_longest_name_still_tells_two_landings_apart() -> None:
    name = "tieout_" + "x" * 56

    assert len(slot_of(name, "0123abcd")) == 63
    assert slot_of(name, "0123abcd") != slot_of(name, "0123abce")


def test_a_publication_may_bear_a_name_that_no_slot_may() -> None:
    assert slot_of("My-Pub", "0123abcd") == "my_pub_0123abcd"
