"""The chain of certificates: what is altered, taken out, doubled or forged after it was made does not go unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tieout.base.codec import sha256_hex
from tieout.quality.chain import BEGIN, Chain, Link, chain_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def links(count: int) -> list[Link]:
    chain = Chain()
    for number in range(count):
        link = chain.following(NOON + timedelta(hours=number), {"state": "complete", "rows": number})
        chain = Chain((*chain.links, link))
    return list(chain.links)


def kept(made: list[Link]) -> list[tuple[str, str]]:
    return [(link.hash, link.text) for link in made]


def test_each_bears_the_hash_of_the_one_before_it() -> None:
    made = links(3)

    assert [link.number for link in made] == [1, 2, 3]
    assert [link.previous for link in made] == [BEGIN, made[0].hash, made[1].hash]
    assert chain_of(kept(made)) == Chain(tuple(made))


def test_a_link_comes_back_from_its_text() -> None:
    (made,) = links(1)

    assert Link.parse(made.text) == made
    assert made.hash == sha256_hex(made.text.encode())


def test_an_altered_one_is_seen() -> None:
    told = kept(links(3))
    told[1] = (told[1][0], told[1][1].replace('"rows":1', '"rows":9'))

    broken = chain_of(told).broken

    assert any("Certificate 2 is not what it was" in one for one in broken)


def test_one_that_was_altered_and_named_anew_is_seen_by_the_next() -> None:
    told = kept(links(3))
    text = told[1][1].replace('"rows":1', '"rows":9')
    told[1] = (sha256_hex(text.encode()), text)

    assert chain_of(told).broken == ("Certificate 3 does not follow the one before it.",)


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ([0], "Certificate 1 is missing."),
        ([1], "Certificate 2 is missing."),
        ([1, 2], "The certificates 2 to 3 are missing."),
    ],
)
def test_one_that_was_taken_out_is_missed(out: list[int], says: str) -> None:
    told = [one for number, one in enumerate(kept(links(5))) if number not in out]

    assert chain_of(told).broken == (says,)


def test_two_of_one_number_are_told() -> None:
    made = links(2)
    other = Link(2, made[0].hash, NOON, {"state": "broken", "rows": 7})

    assert "There are two certificates 2." in chain_of(kept([*made, other])).broken


def test_what_cannot_be_read_is_told_and_the_others_stay() -> None:
    told = kept(links(3))
    told[1] = (told[1][0], "{}")

    chain = chain_of(told)

    assert [link.number for link in chain.links] == [1, 3]
    assert len(chain.broken) == 2
    assert "cannot be read" in chain.broken[0]


def test_the_next_goes_on_from_the_newest_whatever_is_wrong_before_it() -> None:
    made = links(3)
    chain = chain_of(kept([made[0], made[2]]))

    assert chain.following(NOON, {}).previous == made[2].hash
    assert chain.following(NOON, {}).number == 4
