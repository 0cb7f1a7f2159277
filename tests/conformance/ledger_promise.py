"""What every ledger promises. A new ledger is the adapter, a fixture `open_book`, and classes that inherit these."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Semaphore, Thread, current_thread

import pytest

from tieout.base.batch import Tally
from tieout.base.cursor import Cursor
from tieout.base.errors import Broken, Fenced, Occupied, Transient
from tieout.ledger.facts import (
    Acknowledged,
    Advanced,
    Alerted,
    Asked,
    Certified,
    Compared,
    Drifted,
    Fact,
    Freed,
    Landed,
    Looked,
    Merged,
    Modelled,
    Paused,
    Ran,
    Resumed,
    Stuck,
    Switched,
    Turned,
)
from tieout.ledger.ledger import CursorAt, Entry, Holder, Lease, LeaseHeld, Ledger, Passage
from tieout.run.keeping import LEASE_SECONDS, kept

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Holder("hall", 100, "1")
BERT = Holder("hall", 200, "2")


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


OpenBook = Callable[[], Ledger]
"""Opens the one book of a test once more."""


class Beats:
    """Opens the book for whoever keeps a lease, and tells of it. `away`: so often it cannot be opened."""

    def __init__(self, open_book: OpenBook, *, away: int = 0) -> None:
        self._open_book = open_book
        self._away = away
        self._made = Semaphore(0)
        self._thread: Thread | None = None

    def open(self) -> Ledger:
        self._thread = current_thread()
        if self._away:
            self._away -= 1
            raise Transient("the book is away.")
        book = self._open_book()
        close = book.close

        def closed() -> None:
            close()
            self._made.release()

        book.close = closed  # type: ignore[method-assign]
        return book

    def wait(self) -> None:
        """Until one was made that began after this was called."""
        while self._made.acquire(blocking=False):
            pass
        for _ in range(2):  # the first may have been at it
            assert self._made.acquire(timeout=60)

    def wait_for_end(self) -> None:
        assert self._thread is not None
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


def all_alive(holder: Holder) -> bool:
    return False


def take(ledger: Ledger, holder: Holder = ANNA, *, lane: str = "erp", seconds: float = 60, fence_min: int = 0) -> Lease:
    return ledger.lease(lane, holder, seconds=seconds, fence_min=fence_min, is_dead=all_alive)


def at(position: int, track: str = "wal") -> Cursor:
    return Cursor.of(track, position, {"lsn": f"0/{position:X}"})


def landed(batch: str, lane: str = "erp") -> Landed:
    return Landed(batch, f"{lane}.account", lane, "wal", Tally(3, 2**64 - 1, 7), adopted=False)


def advanced(position: int, track: str = "wal", lane: str = "erp") -> Advanced:
    return Advanced(lane, at(position, track))


def merged(batch: str, lane: str = "erp", merged_at: datetime = NOON) -> Merged:
    return Merged(batch, f"{lane}.account", merged_at)


def facts_of(ledger: Ledger) -> list[Fact]:
    return [entry.fact for entry in ledger.entries()]


class LedgerPromise:
    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock()

    @pytest.fixture
    def ledger(self, open_book: OpenBook) -> Ledger:
        return open_book()


class AppendPromise(LedgerPromise):
    def test_every_kind_of_fact_is_told_back_as_it_was(self, ledger: Ledger, open_book: OpenBook) -> None:
        facts: list[Fact] = [
            landed("b1"),
            advanced(5),
            Acknowledged("erp", at(5)),
            merged("b1"),
            Certified("erp.account", "complete", '{"rows": "zwölf"}'),
            Ran("erp", "failed", "a file named b\udcff'\";--\n is not there"),
            Ran("erp", "complete", "", NOON),
            Looked("erp.account", '{"a":"int"}', "{}"),
            Drifted("erp.account", "widened", "a", "bigint", "int", "1.1.0"),
            Paused("erp.account", "most of it", "look", "digest"),
            Resumed("erp.account", "somebody said so"),
            Stuck("erp.account", "its type is another", "rebuild it"),
            Freed("erp.account"),
            Alerted("check:erp.account", "grew", "4c2838fa2f95", ("id.null", "id.unique")),
            Compared("erp.account", "accounts", "differs", '{"differs": 12}'),
            Switched("current", ("accounts", "zwölf")),
            Modelled("partial", '{"marts": {}}', "{}"),
            Asked("erp", "erp.account", "0a1b2c3d", '{"column": "zwölf"}', 12),
            Turned("erp", "erp.account", "0a1b2c3d", "failed", "there is no column zwölf"),
        ]

        ledger.append(facts, given=[])

        assert facts_of(open_book()) == facts

    def test_entries_count_from_one_without_holes_also_after_refused_calls(self, ledger: Ledger) -> None:
        ledger.append([landed("b1"), landed("b1"), advanced(5)], given=[])
        with pytest.raises(Broken, match="without its Landed"):
            ledger.append([advanced(6), merged("never landed")], given=[])
        with pytest.raises(Fenced, match="stands at"):
            ledger.append([advanced(7)], given=[CursorAt("erp", "wal", None)])
        ledger.append([merged("b1")], given=[])

        told = [(entry.seq, type(entry.fact)) for entry in ledger.entries()]
        assert told == [(1, Landed), (2, Advanced), (3, Merged)]

    def test_entries_bear_the_time_of_the_ledgers_clock(self, ledger: Ledger, clock: HandClock) -> None:
        clock.sleep(61.5)
        ledger.append([advanced(5)], given=[])

        assert list(ledger.entries()) == [Entry(1, NOON + timedelta(seconds=61.5), advanced(5))]

    def test_a_batch_lands_and_is_merged_once_and_the_rest_of_the_call_counts(self, ledger: Ledger) -> None:
        ledger.append([landed("b1"), merged("b1")], given=[])

        ledger.append([replace(landed("b1"), adopted=True), landed("b2"), advanced(5)], given=[])
        ledger.append([merged("b1", merged_at=NOON + timedelta(days=1)), merged("b2")], given=[])

        assert facts_of(ledger) == [landed("b1"), merged("b1"), landed("b2"), advanced(5), merged("b2")]

    def test_nothing_goes_on_that_was_never_paused(self, ledger: Ledger) -> None:
        ledger.append([Paused("erp.order", "most of it", "look", "digest")], given=[])

        with pytest.raises(Broken, match="Paused"):
            ledger.append([Resumed("erp.account", "somebody said so")], given=[])

    def test_nothing_is_merged_that_has_not_landed(self, ledger: Ledger) -> None:
        with pytest.raises(Broken, match="Landed"):
            ledger.append([landed("b1"), merged("b2")], given=[])

        assert facts_of(ledger) == []

    @pytest.mark.parametrize("proven", [advanced(4), advanced(9, track="files"), advanced(9, lane="crm")])
    def test_nothing_is_acknowledged_further_than_its_own_track_was_proven(
        self, ledger: Ledger, proven: Advanced
    ) -> None:
        ledger.append([proven], given=[])

        with pytest.raises(Broken, match="Advanced"):
            ledger.append([Acknowledged("erp", at(5))], given=[])

    def test_what_was_proven_may_be_acknowledged_late(self, ledger: Ledger) -> None:
        ledger.append([advanced(5), advanced(9)], given=[])

        ledger.append([Acknowledged("erp", at(5)), Acknowledged("erp", at(9))], given=[])

        assert len(facts_of(ledger)) == 4

    def test_an_empty_call_with_guards_that_hold_enters_nothing(self, ledger: Ledger) -> None:
        ledger.append([], given=[CursorAt("erp", "wal", None)])

        assert facts_of(ledger) == []


class GuardPromise(LedgerPromise):
    def test_a_cursor_moves_only_from_where_it_was_read(self, ledger: Ledger, open_book: OpenBook) -> None:
        other = open_book()
        ledger.append([advanced(5)], given=[CursorAt("erp", "wal", None)])

        with pytest.raises(Fenced, match="stands at"):
            other.append([landed("b1"), advanced(6)], given=[CursorAt("erp", "wal", None)])
        with pytest.raises(Fenced, match="stands at"):
            other.append([landed("b1"), advanced(6)], given=[CursorAt("erp", "wal", at(4))])
        other.append([landed("b1"), advanced(7)], given=[CursorAt("erp", "wal", at(5)), CursorAt("erp", "files", None)])

        assert facts_of(ledger) == [advanced(5), landed("b1"), advanced(7)]

    def test_a_cursor_is_the_same_however_its_state_is_spelled(self, ledger: Ledger) -> None:
        ledger.append([Advanced("erp", Cursor("wal", 5, '{ "b": 1, "a": 2 }'))], given=[])

        ledger.append([advanced(6)], given=[CursorAt("erp", "wal", Cursor("wal", 5, '{"a":2,"b":1}'))])

        assert ledger.progress("erp") == {"wal": at(6)}

    def test_one_guard_that_fails_is_enough(self, ledger: Ledger) -> None:
        lease = take(ledger)

        with pytest.raises(Fenced, match="stands at"):
            ledger.append([advanced(5)], given=[LeaseHeld(lease), CursorAt("erp", "wal", at(1))])

        assert facts_of(ledger) == []

    def test_a_lease_that_was_taken_over_lets_nothing_in(self, ledger: Ledger, clock: HandClock) -> None:
        old = take(ledger, ANNA)
        clock.sleep(60)
        new = take(ledger, BERT)

        with pytest.raises(Fenced, match="taken over"):
            ledger.append([advanced(5)], given=[LeaseHeld(old)])
        ledger.append([advanced(6)], given=[LeaseHeld(new)])

        assert facts_of(ledger) == [advanced(6)]

    def test_a_lease_that_ran_out_still_holds_while_nobody_took_the_lane(
        self, ledger: Ledger, clock: HandClock
    ) -> None:
        lease = take(ledger)
        clock.sleep(3600)

        ledger.append([advanced(5)], given=[LeaseHeld(lease)])

        assert facts_of(ledger) == [advanced(5)]

    def test_a_lease_that_was_given_back_lets_nothing_in(self, ledger: Ledger) -> None:
        lease = take(ledger)
        ledger.release(lease)

        with pytest.raises(Fenced, match="taken over"):
            ledger.append([advanced(5)], given=[LeaseHeld(lease)])

    def test_of_many_that_advance_one_cursor_at_once_one_wins_each_step(self, open_book: OpenBook) -> None:
        steps, workers = 5, 4
        together = Barrier(workers)

        def advance() -> int:
            ledger = open_book()
            wins = 0
            for step in range(steps):
                before = at(step) if step else None
                together.wait(timeout=30)
                try:
                    ledger.append([advanced(step + 1)], given=[CursorAt("erp", "wal", before)])
                    wins += 1
                except Fenced:
                    pass
            ledger.close()
            return wins

        with ThreadPoolExecutor(workers) as pool:
            wins = [pool.submit(advance) for _ in range(workers)]

        assert sum(win.result() for win in wins) == steps
        assert facts_of(open_book()) == [advanced(step + 1) for step in range(steps)]


class LeasePromise(LedgerPromise):
    def test_a_lane_that_is_held_is_refused_and_the_refusal_names_the_holder(self, ledger: Ledger) -> None:
        take(ledger, ANNA)

        with pytest.raises(Occupied, match=r"process 100 of hall") as refused:
            take(ledger, BERT)

        assert refused.value.hint

    def test_a_lane_that_is_held_leaves_other_lanes_free(self, ledger: Ledger) -> None:
        take(ledger, ANNA, lane="erp")

        assert take(ledger, BERT, lane="crm").holder == BERT

    def test_a_lease_runs_out_by_the_ledgers_clock(self, ledger: Ledger, clock: HandClock) -> None:
        take(ledger, ANNA, seconds=60)
        clock.sleep(59.9)
        with pytest.raises(Occupied, match="held until"):
            take(ledger, BERT)
        clock.sleep(0.1)

        assert take(ledger, BERT).expires == clock.now() + timedelta(seconds=60)

    def test_the_lease_of_a_dead_holder_is_taken_over_at_once(self, ledger: Ledger) -> None:
        old = take(ledger, ANNA)

        new = ledger.lease("erp", BERT, seconds=60, fence_min=0, is_dead=ANNA.__eq__)

        assert new.fence > old.fence
        with pytest.raises(Fenced, match="taken over"):
            ledger.renew(old, seconds=60)

    def test_a_holder_that_asks_again_gets_a_higher_fence(self, ledger: Ledger) -> None:
        first = take(ledger, ANNA)
        second = take(ledger, ANNA)

        assert second.fence > first.fence
        with pytest.raises(Fenced, match="taken over"):
            ledger.append([advanced(5)], given=[LeaseHeld(first)])

    def test_fences_rise_over_release_and_expiry_and_honour_the_least_one_asked_for(
        self, ledger: Ledger, clock: HandClock
    ) -> None:
        first = take(ledger, ANNA, fence_min=41)
        ledger.release(first)
        second = take(ledger, BERT, fence_min=7)
        clock.sleep(60)
        third = take(ledger, ANNA, fence_min=1000)

        assert first.fence == 41
        assert 41 < second.fence < 1000
        assert third.fence == 1000

    def test_a_renewed_lease_lasts_longer_under_the_same_fence(self, ledger: Ledger, clock: HandClock) -> None:
        lease = take(ledger, ANNA, seconds=60)
        clock.sleep(50)
        renewed = ledger.renew(lease, seconds=60)
        clock.sleep(50)

        assert renewed == replace(lease, expires=NOON + timedelta(seconds=110))
        with pytest.raises(Occupied, match="held until"):
            take(ledger, BERT)

    def test_a_lease_that_is_kept_lasts_as_long_as_the_work(
        self, ledger: Ledger, open_book: OpenBook, clock: HandClock
    ) -> None:
        lease, beats = take(ledger, ANNA, seconds=LEASE_SECONDS), Beats(open_book)

        with kept(lease, open_ledger=beats.open, beat_seconds=0.01):
            for _ in range(10):
                clock.sleep(LEASE_SECONDS / 2)
                beats.wait()
                with pytest.raises(Occupied, match="held until"):
                    take(ledger, BERT)
        clock.sleep(LEASE_SECONDS)

        assert take(ledger, BERT).fence == lease.fence + 1

    def test_what_was_taken_over_is_kept_no_longer(self, ledger: Ledger, open_book: OpenBook) -> None:
        lease, beats = take(ledger, ANNA), Beats(open_book)

        with kept(lease, open_ledger=beats.open, beat_seconds=0.01):
            beats.wait()
            new = ledger.lease("erp", BERT, seconds=60, fence_min=0, is_dead=ANNA.__eq__)
            beats.wait_for_end()

        assert ledger.renew(new, seconds=60).fence == new.fence

    def test_a_lease_is_kept_again_once_the_book_is_back(self, ledger: Ledger, open_book: OpenBook) -> None:
        lease, beats = take(ledger, ANNA), Beats(open_book, away=3)

        with kept(lease, open_ledger=beats.open, beat_seconds=0.01):
            beats.wait()

        assert ledger.renew(lease, seconds=60).fence == lease.fence

    def test_giving_back_what_was_taken_over_changes_nothing(self, ledger: Ledger, clock: HandClock) -> None:
        old = take(ledger, ANNA)
        clock.sleep(60)
        new = take(ledger, BERT)

        ledger.release(old)

        assert ledger.renew(new, seconds=60).fence == new.fence

    def test_a_lease_that_was_given_back_cannot_be_renewed(self, ledger: Ledger) -> None:
        lease = take(ledger)
        ledger.release(lease)
        ledger.release(lease)

        with pytest.raises(Fenced, match="taken over"):
            ledger.renew(lease, seconds=60)

    def test_of_many_that_ask_at_once_one_gets_the_lane(self, open_book: OpenBook) -> None:
        together = Barrier(6)

        def ask(pid: int) -> int:
            ledger = open_book()
            together.wait(timeout=30)
            try:
                return take(ledger, Holder("hall", pid, "1")).fence
            except Occupied:
                return 0
            finally:
                ledger.close()

        with ThreadPoolExecutor(6) as pool:
            fences = list(pool.map(ask, range(6)))

        assert sorted(fences) == [0, 0, 0, 0, 0, 1]


class ReadingPromise(LedgerPromise):
    def test_an_empty_book_knows_nothing(self, ledger: Ledger) -> None:
        assert ledger.progress("erp") == {}
        assert ledger.landed() == {}
        assert ledger.merged("erp") == {}
        assert list(ledger.entries(Landed, last=3)) == []

    def test_progress_is_the_last_advance_of_each_track_of_the_lane(self, ledger: Ledger) -> None:
        tracks = ("wal", "b.ndjson", "a.ndjson", "ä")
        ledger.append([advanced(9, track) for track in tracks], given=[])
        ledger.append([advanced(3, "wal"), advanced(11, "ä"), advanced(99, "wal", lane="crm")], given=[])

        assert ledger.progress("erp") == {
            "wal": at(3),
            "a.ndjson": at(9, "a.ndjson"),
            "b.ndjson": at(9, "b.ndjson"),
            "ä": at(11, "ä"),
        }
        assert ledger.progress("nowhere") == {}

    def test_landed_and_merged_are_told_of_one_lane_or_all_in_the_books_order(self, ledger: Ledger) -> None:
        later = NOON + timedelta(minutes=1)
        ledger.append([landed("z"), landed("c", lane="crm"), landed("a")], given=[])
        ledger.append([merged("a"), merged("c", lane="crm"), merged("z", merged_at=later)], given=[])

        assert list(ledger.landed().items()) == [("z", "erp.account"), ("c", "crm.account"), ("a", "erp.account")]
        assert list(ledger.landed("erp")) == ["z", "a"]
        assert ledger.merged("erp") == {"a": NOON, "z": later}
        assert ledger.merged() == {"a": NOON, "c": NOON, "z": later}

    def test_the_last_pass_that_came_to_its_bound_is_told_also_as_of_an_earlier_fact(self, ledger: Ledger) -> None:
        first, second = Ran("erp", "complete", "", NOON), Ran("erp", "complete", "", NOON + timedelta(minutes=1))
        ledger.append([first, landed("b1"), second, Ran("erp", "failed", "it is away"), landed("b2")], given=[])

        def passed(lane: str, before: int | None = None) -> tuple[int, Fact] | None:
            entry = ledger.passed(lane, before=before)
            return None if entry is None else (entry.seq, entry.fact)

        assert passed("erp") == (3, second)
        assert passed("erp", 4) == (3, second)
        assert passed("erp", 3) == (1, first)
        assert passed("erp", 1) is None
        assert passed("crm") is None

    def test_a_batchs_way_has_the_moments_at_which_the_book_was_told_of_it(
        self, ledger: Ledger, clock: HandClock
    ) -> None:
        def tell(*facts: Fact) -> datetime:
            clock.sleep(1)
            ledger.append(facts, given=[])
            return clock.now()

        in_one, in_two = tell(landed("b1")), tell(landed("b2"), replace(landed("old"), adopted=True))
        is_one = tell(merged("b1"), merged("old"))
        tell(Certified("erp.account", "partial", "{}"), Certified("crm.account", "complete", "{}"))
        certified = tell(Certified("erp.account", "complete", "{}"))
        is_two = tell(merged("b2"))
        tell(landed("b3"))

        one, two = Passage("b1", in_one, is_one, certified), Passage("b2", in_two, is_two, None)
        assert ledger.passages("erp.account", since=NOON, last=9) == (two, one)
        assert ledger.passages("erp.account", since=NOON, last=1) == (two,)
        assert ledger.passages("erp.account", since=is_two, last=9) == (two,)
        assert ledger.passages("crm.account", since=NOON, last=9) == ()

    def test_entries_are_chosen_by_kind_lane_stream_and_how_many_of_the_last(self, ledger: Ledger) -> None:
        ran = [Ran("erp", "complete", str(n)) for n in range(4)]
        certified = Certified("crm.account", "complete", "{}")
        ledger.append([landed("b1"), ran[0], certified, landed("c1", lane="crm"), merged("b1"), *ran[1:]], given=[])

        def chosen(*kinds: type, **options: object) -> list[Fact]:
            return [entry.fact for entry in ledger.entries(*kinds, **options)]  # type: ignore[arg-type]

        assert chosen(Ran) == ran
        assert chosen(Ran, last=2) == ran[2:]
        assert chosen(Ran, last=9, lane="erp") == ran
        assert chosen(Ran, last=0) == []
        assert chosen(Ran, lane="crm") == []
        assert chosen(Landed, Merged, lane="erp") == [landed("b1"), merged("b1")]
        assert chosen(Landed, Certified, stream="crm.account") == [certified, landed("c1", lane="crm")]
        assert chosen(Landed, Merged, last=2) == [landed("c1", lane="crm"), merged("b1")]

    def test_entries_of_a_long_book_are_all_told_while_it_grows(self, ledger: Ledger, open_book: OpenBook) -> None:
        ledger.append([advanced(position) for position in range(2500)], given=[])

        told = []
        for entry in ledger.entries(Advanced):
            told.append(entry.seq)
            if entry.seq % 500 == 0:
                ledger.append([advanced(1)], given=[])

        assert told == list(range(1, 2501))
        assert len(list(open_book().entries(Advanced, last=2501))) == 2501

    def test_closing_twice_is_closing_once(self, ledger: Ledger) -> None:
        ledger.close()
        ledger.close()
