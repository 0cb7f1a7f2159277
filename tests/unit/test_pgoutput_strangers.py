"""A partition that tells of rows and that nobody knows is met where the server announces it: right behind its table."""

from __future__ import annotations

from tieout.capture.postgres.log.pgoutput import Relation
from tieout.capture.postgres.log.tracked import Strangers, Tracked, together

WHOLE, KNOWN, STRANGE, OTHER, PLAIN = (
    Relation(oid, "public", name, "d", ())
    for oid, name in enumerate(("event", "event_1", "event_2", "other", "orders"))
)
TABLES = {
    ("public", "event"): Tracked("event", ("id",), parts=frozenset({KNOWN.relation})),
    ("public", "orders"): Tracked("orders", ("id",)),
}


def met(*announced: Relation) -> set[tuple[str, int]]:
    strangers = Strangers(TABLES)
    for relation in announced:
        strangers.announced(relation)
    return strangers.met


def test_a_partition_that_its_table_does_not_know_is_a_stranger() -> None:
    assert met(WHOLE, STRANGE) == {("event", STRANGE.relation)}
    assert met(WHOLE, KNOWN, WHOLE, STRANGE) == {("event", STRANGE.relation)}


def test_a_table_that_stands_behind_no_partitioned_one_is_no_stranger() -> None:
    assert met(OTHER) == set()
    assert met(WHOLE, KNOWN, OTHER) == set()
    assert met(PLAIN, OTHER) == set()
    assert met(WHOLE, PLAIN, OTHER) == set()


def test_a_table_that_is_emptied_with_a_partitioned_one_is_no_stranger() -> None:
    strangers = Strangers(TABLES)
    for relation in (WHOLE, OTHER):
        strangers.announced(relation)
    strangers.emptied((WHOLE.relation, OTHER.relation))
    strangers.announced(WHOLE)
    strangers.emptied((WHOLE.relation,))
    strangers.announced(OTHER)

    assert strangers.met == set()


def test_a_stranger_that_tells_more_is_known_by_the_newest() -> None:
    before = {"event": {STRANGE.relation: 10, OTHER.relation: 10}, "visit": {7: 10}}

    both = together(before, {"event": {STRANGE.relation: 20}})

    assert both == {"event": {STRANGE.relation: 20, OTHER.relation: 10}, "visit": {7: 10}}
