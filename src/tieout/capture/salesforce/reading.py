"""How one object is read: whole, by windows, by the log of deletions, and some columns of all its rows.

Each step yields a piece, or nothing where the org is not ready for it; the caller registers a piece before it asks for
the next. A step does no more than one page of a Bulk result, so that between two of them others have their turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from ...base.clock import Clock
from ...base.cursor import Cursor, Progress
from ..hole import Hole
from ..source import Captured
from . import rows, soql
from .budget import Work
from .describe import DELETED, ID, STAMP, SField, SObject
from .ids import to18
from .looks import Looks
from .moments import Moment, mark, sweep
from .refusal import JobLost, ObjectHidden
from .tracks import deletion, whole, window
from .tracks.columns import Columns, columns_of
from .tracks.deletion import Deletions
from .tracks.job import Job
from .tracks.whole import Whole
from .tracks.window import Window
from .wanted import Wanted
from .watermark import Watermarks
from .wire.bulk import BulkJobs
from .wire.client import Client

PAGE_ROWS = 50_000
"""Rows of a Bulk result asked for at a time: some tens of megabytes."""
BULK_FROM_ROWS = 20_000
"""A window of more rows is read by Bulk: by pages it would take more than ten calls."""
KEPT_SECONDS = 600
"""A window that found nothing is registered so often; in between it is only known here."""
LOSSES_MAX = 2
"""Bulk jobs of an object that may come to nothing one after the other, before it waits like for anything that fails."""


class ObjectReading:
    """`sobject` is the object as the org describes it to this user now."""

    def __init__(
        self, client: Client, bulk: BulkJobs, wanted: Wanted, sobject: SObject, watermarks: Watermarks, clock: Clock
    ) -> None:
        self.wanted = wanted
        self.sobject = sobject
        self._client = client
        self._bulk = bulk
        self._watermarks = watermarks
        self._clock = clock
        self._window: Window | None = None
        self._deletions: Deletions | None = None
        self._registered_at = 0
        self._losses = 0
        self._looks = Looks()
        self._is_logged = True
        self._described_through = 0
        self.vanished = ""

    @property
    def object(self) -> str:
        return self.wanted.object

    def describe(self, sobject: SObject, known: Progress, unchanged_until: int) -> None:
        """It is shown otherwise than at that second: windows that ended since knew nothing of a field that is new."""
        if sobject.fingerprint != self.sobject.fingerprint:
            self._described_through = min(self.through(known) or 0, unchanged_until)
        self.sobject = sobject

    def forget(self) -> None:
        """What was not registered may never be."""
        self._window = None
        self._deletions = None

    # -- whole ---------------------------------------------------------------------------------------------------

    def whole(self, known: Progress) -> Captured | None:
        """The next page of a full read that is due. None: the org has it not ready yet, or none is due."""
        state = Whole.of(known, self.object)
        if state.done:
            return None
        before = known.get(whole.track_of(self.object))
        if state.job is None:
            return self._whole_begun(state, before)
        try:
            page = self.page(state.job)
        except JobLost as error:
            return self.without_job(before, replace(state, job=None).cursor(before), state.job, error)
        if page is None:
            return None
        told, job, is_last = page
        if not is_last:
            return self.piece(before, replace(state, job=job).cursor(before), told, since=state.since)
        ended = replace(state, job=None, done=True, rows=job.rows, holes=())
        self.vanished = state.vanished(job.rows)
        if not self.vanished:
            told = _joined(told, sweep(Moment(job.watermark, job.read_start_us, self._clock.now()), job.rows, job.id))
        return self.piece(before, ended.cursor(before), told, since=state.since)

    def _whole_begun(self, state: Whole, before: Cursor | None) -> Captured:
        job = self.job(self.sobject.fields, "", Work.BACKFILL)
        begun = replace(
            state,
            job=job,
            columns=job.columns,
            org=self._client.identity().org_id,
            watermark=job.watermark if not state.has_begun else state.watermark,
            since=0 if before is None else before.position,
            begun_at=job.read_start_us // 1_000_000,
        )
        return self.marked(before, begun.cursor(before), job)

    # -- windows -------------------------------------------------------------------------------------------------

    def is_window_due(self, known: Progress, now: int) -> bool:
        if not Whole.of(known, self.object).has_begun:
            return False
        return self._window_of(known).is_due(now, self.wanted.every_seconds)

    def window(self, known: Progress, *, heard: int) -> Iterator[Captured]:
        """What changed since the last window. `heard`: events have told what was committed up to this second."""
        state, before = self._window_of(known), known.get(window.track_of(self.object))
        if state.job is not None:
            yield from self._window_page(state, state.job, before, heard)
            return
        question = soql.ordered(soql.window(self.sobject, self.sobject.fields, state.through), self.sobject)
        if not soql.fits(question):
            yield self._window_by_job(state, before)
            return
        watermark, read_at = self._watermarks.ask(self.wanted)
        start = self._read_start_us()
        pages = self._client.query_pages(question, work=self.wanted.work)
        moment = Moment(watermark, start, self._clock.now())
        told: list[pa.Table] = []
        for page in pages:
            if not told and page.total > BULK_FROM_ROWS:
                yield self._window_by_job(state, before)
                return
            records = rows.from_json(page.records, self.sobject.fields)
            told.append(self._images(records, moment, since=max(state.read_at, heard), first=sum(map(len, told))))
        yield from self._window_ended(state, before, told, watermark, read_at)

    def _window_by_job(self, state: Window, before: Cursor | None) -> Captured:
        """A window of many rows, or with more fields than an address holds."""
        job = self.job(self.sobject.fields, soql.within(self.sobject, state.through), self.wanted.work)
        self._window = None  # what is only known here has no job
        return self.marked(before, replace(state, job=job).cursor(before), job)

    def _window_page(self, state: Window, job: Job, before: Cursor | None, heard: int) -> Iterator[Captured]:
        try:
            page = self.page(job, since=max(state.read_at, heard))
        except JobLost as error:
            yield self.without_job(before, replace(state, job=None).cursor(before), job, error)
            return
        if page is None:
            return
        told, after, is_last = page
        if is_last:
            yield from self._window_ended(state, before, [told], job.watermark, job.read_start_us // 1_000_000)
        else:
            yield self.piece(before, replace(state, job=after).cursor(before), told)

    def _window_ended(
        self, state: Window, before: Cursor | None, told: Sequence[pa.Table], watermark: int, read_at: int
    ) -> Iterator[Captured]:
        ended = state.ended(watermark, read_at)
        rows_told = _joined(*told) if told else None
        is_news = rows_told is not None and len(rows_told) > 0
        is_kept = read_at - self._registered_at < KEPT_SECONDS and state.job is None and not state.holes
        if not is_news and before is not None and is_kept:
            self._window = ended
            return
        self._registered_at = read_at
        self._window = None
        yield self.piece(before, ended.cursor(before), rows_told)

    def _window_of(self, known: Progress) -> Window:
        if self._window is not None:
            return self._window
        state = Window.of(known, self.object)
        return state if state.through else replace(state, through=Whole.of(known, self.object).watermark)

    def watermark(self, known: Progress) -> int:
        """That of the last window."""
        return self._window_of(known).through

    @property
    def _has_log(self) -> bool:
        return self.sobject.has_deleted and self._is_logged

    def _deletions_of(self, known: Progress) -> Deletions:
        return Deletions.of(known, self.object) if self._deletions is None else self._deletions

    def through(self, known: Progress) -> int | None:
        """The second up to which everything was told; None while a full read is due or under way, as before."""
        state = Whole.of(known, self.object)
        if not state.done:
            return None
        ends = [max(self._window_of(known).through, state.watermark)]
        if {field.name for field in self.sobject.fields} - set(columns_of(known, state).known):
            ends.append(max(self._described_through, state.watermark))  # a field is new, and its history not read yet
        if self._has_log:
            ends.append(max(self._deletions_of(known).through, state.watermark))
        return min(ends)

    def is_reading(self, known: Progress) -> bool:
        """Whether a full read, a large window or columns of all rows are under way: the org may be making a result."""
        job = Window.of(known, self.object).job or Columns.of(known, self.object).job
        return not Whole.of(known, self.object).done or job is not None

    def anew(self, progress: Progress) -> Captured | None:
        """What is to be registered so that the object is read anew; None where it is being read, or will be."""
        if not Whole.of(progress, self.object).done:
            return None
        now = int(self._clock.now().timestamp())
        return self.holed(progress, Hole(str(now), str(now), "it is to be read anew"), is_whole=True)

    # -- holes ---------------------------------------------------------------------------------------------------

    def holed(self, known: Progress, hole: Hole, *, is_whole: bool) -> Captured:
        """Something was not told: the rows that changed meanwhile are read by windows, or the whole object anew."""
        moment = Moment(int(hole.until), self._read_start_us(), self._clock.now())
        if is_whole:
            before = known.get(whole.track_of(self.object))
            return self.piece(before, Whole.of(known, self.object).due_for(hole).cursor(before), mark(moment, "hole"))
        before = known.get(window.track_of(self.object))
        state, self._window = self._window_of(known), None
        return self.piece(before, state.with_hole(hole).cursor(before), mark(moment, "hole"))

    def healed(self, known: Progress) -> Captured | None:
        """Holes that windows and the log of deletions have passed are closed."""
        before, through = known.get(window.track_of(self.object)), self.through(known)
        state = self._window_of(known)
        if through is None or not state.holes or len(state.closed(through).holes) == len(state.holes):
            return None
        self._window = None
        return self.piece(before, state.closed(through).cursor(before), None)

    # -- deletions -----------------------------------------------------------------------------------------------

    def deletions(self, known: Progress, now: int, *, every_seconds: float | None = None) -> Iterator[Captured]:
        """What the log of deletions gained, where it is time to ask, or `every_seconds` are over. Where it does not
        reach back far enough, the object is read anew."""
        state, begun = self._deletions_of(known), Whole.of(known, self.object)
        wait = self.wanted.deleted_seconds if every_seconds is None else every_seconds
        if not (self._has_log and begun.has_begun and state.is_due(now, wait)):
            return
        since = state.through or begun.watermark
        start = max(min(since, now - 120), now - deletion.DAYS_MAX * 86_400 + 60)
        try:
            found = self._watermarks.deleted(self.wanted, start, now)
        except ObjectHidden:  # shown, and not replicated: only its rows themselves say that they are deleted
            self._is_logged = False
            return
        before = known.get(deletion.track_of(self.object))
        after = Deletions(self.object, min(found.latest, now), now, registered_at=now)
        # The org tells from the beginning of a minute on; what it had covered before is told.
        entries = [(id_, second) for id_, second in found.entries if second >= since]
        told = rows.deletes(
            entries,
            read_start_us=self._read_start_us(),
            read_at=self._clock.now(),
            since=state.read_at,
            origin=f"deleted {start}",
            first=0,
        )
        if max(found.earliest, start) > since and begun.done:
            reason = "the log of deletions was purged"
            yield self.holed(known, Hole(str(since), str(max(found.earliest, start)), reason), is_whole=True)
        if not entries and now - state.registered_at < KEPT_SECONDS:
            self._deletions = replace(after, registered_at=state.registered_at)
            return
        self._deletions = None
        yield self.piece(before, after.cursor(before), told if entries else None)

    # -- by key --------------------------------------------------------------------------------------------------

    def reread(self, keys: Sequence[str], work: Work) -> Iterator[pa.Table]:
        """The rows of these ids as they are now: an image or a delete for each."""
        watermark, _ = self._watermarks.ask(self.wanted)
        moment = Moment(watermark, self._read_start_us(), self._clock.now())
        for statement, ids in soql.by_ids(self.sobject.fields, self.sobject, [row_id(key) for key in keys]):
            pages = self._client.query_pages(statement, work=work)
            found = [rows.from_json(page.records, self.sobject.fields) for page in pages]
            yield rows.presence(
                ids,
                _joined(*found),
                self.sobject,
                watermark=moment.watermark,
                read_start_us=moment.read_start_us,
                read_at=moment.read_at,
                since=moment.read_start_us // 1_000_000,
                origin=f"read {moment.read_start_us}",
                first=0,
            )

    # -- what they share -----------------------------------------------------------------------------------------

    def job(self, fields: Sequence[SField], where: str, work: Work) -> Job:
        """A Bulk query that is made now. Its watermark is asked before."""
        watermark, _ = self._watermarks.ask(self.wanted)
        start = self._read_start_us()
        names = {ID, STAMP, DELETED, *(field.name for field in fields)}
        chosen = self.sobject.named(names)
        made = self._bulk.create(soql.select(chosen, self.sobject, where), with_deleted=True, work=work)
        return Job(made, watermark, start, tuple(field.name for field in chosen))

    def page(
        self, job: Job, *, since: int | None = None, is_partial: bool = False
    ) -> tuple[pa.Table, Job, bool] | None:
        """The job's next page as changes, the job behind it, and whether it was the last. None: it is not ready.
        Raises JobLost."""
        total = job.total
        if total is None:
            if self._looks.is_early(job.id, self._clock.now()):
                return None
            found = self._bulk.state(job.id)
            if found.has_failed:
                # Whatever it failed of: it will never have a result, and another may.
                refused = found.refusal(f"reading {self.sobject.api_name} by Bulk")
                raise JobLost(refused.message, hint=refused.hint)
            if not found.is_complete:
                self._looks.in_vain(job.id, self._clock.now())
                return None
            total = found.rows
        page = self._bulk.page(job.id, job.locator, PAGE_ROWS)
        fields = [field for field in self.sobject.fields if field.name in job.columns]
        read = rows.from_csv(page.csv, fields)
        moment = Moment(job.watermark, job.read_start_us, self._clock.now())
        told = self._images(read, moment, since=since, first=job.rows, is_partial=is_partial, origin=job.id)
        self._losses = 0
        after = job.told(len(read), page.locator, total)
        if page.locator is None and after.rows != total:
            raise JobLost(f"Bulk job {job.id} told {after.rows} rows and has {total}.", hint="It is made anew.")
        return told, after, page.locator is None

    def _images(
        self,
        read: pa.Table,
        moment: Moment,
        *,
        since: int | None,
        first: int,
        is_partial: bool = False,
        origin: str = "",
    ) -> pa.Table:
        told = rows.patches if is_partial else rows.images
        return told(
            read,
            self.sobject,
            watermark=moment.watermark,
            read_start_us=moment.read_start_us,
            read_at=moment.read_at,
            since=moment.read_start_us // 1_000_000 if since is None else since,
            origin=origin or f"window {moment.read_start_us}",
            first=first,
        )

    def nothing(self, job: Job) -> pa.Table:
        """Of a job that has told nothing yet: a row that says nothing of any key."""
        return mark(Moment(job.watermark, job.read_start_us, self._clock.now()), job.id)

    def without_job(self, before: Cursor | None, after: Cursor, job: Job, error: JobLost) -> Captured:
        """What is to be registered so that the next step makes another job. Raises the error where that was in vain."""
        self._losses += 1
        if self._losses > LOSSES_MAX:
            self._losses = 0
            raise error
        return self.marked(before, after, job)

    def marked(self, before: Cursor | None, after: Cursor, job: Job) -> Captured:
        moment = Moment(job.watermark, job.read_start_us, self._clock.now())
        return self.piece(before, after, mark(moment, job.id))

    def piece(self, before: Cursor | None, after: Cursor, told: pa.Table | None, *, since: int = 0) -> Captured:
        tables: Mapping[str, pa.Table] = {} if told is None else {self.object: told}
        return Captured(before, after, epoch=0, encoding="text", tables=tables, since=since)

    def _read_start_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def row_id(key: str) -> str:
    """The id in a canonical key."""
    (found,) = json.loads(key)
    return to18(str(found))


def _joined(*tables: pa.Table) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default")
