"""The warehouse in Snowflake: the rule as its SQL (`merge.sql`), in one transaction a merge, behind the lane's fence.

A merge stages and copies what it works with before its transaction begins, since DDL would commit it. What other
sessions do meanwhile cannot matter: the fence row is taken first, and everything that decides is read behind it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa

from ...base.batch import Batch
from ...base.errors import Broken, Fenced, Transient
from ...base.order import MOMENT_WIDTH, TOKEN_WIDTH
from ...base.sql import Sql, Statements
from ...base.step import Passing, Step, unobserved
from ...base.stream import Stream
from ...contract.contract import Contract
from ..aligned import may_be_unfit
from ..columns import BASE, LIFE
from ..reshape import shape_of
from ..warehouse import CertificateNote, CheckNote, Engine, Side, Turn
from .beside import Beside, beside
from .half import HALF, Half, unfinished
from .naming import Shapes, folded, tables_of
from .reading import SnowflakeReading
from .reshape import Reshaping
from .session import NOTHING, OutOfTime, Session
from .staging import Rows, incoming, load, stage_of
from .swapping import Swapping, drop_rows, finish, finish_all

_SQL = Statements(__package__, "merge.sql")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMAS = ("RAW", "LATEST", "QUARANTINE", "TIEOUT")
_WORKING = ("incoming", "arriving", "settling", "told", "merged")

Open = Callable[[], Session]


class SnowflakeWarehouse:
    """Implements `Warehouse`. `mark` is this session's own, letters and digits: what it works with bears it."""

    engine = Engine.SNOWFLAKE

    def __init__(self, open_: Open, *, mark: str, passing: Passing = unobserved) -> None:
        self._passing = passing
        self._open = open_
        self._session = open_()
        self._fences: set[str] = set()
        self._swept: set[str] = set()
        self._mark = mark
        self._swaps = itertools.count(1)
        try:
            self._make_bookkeeping()
            finish_all(self._session)
        except BaseException:
            self._session.close()
            raise

    def close(self) -> None:
        self._session.close()

    def answers(self) -> bool:
        return self._session.answers()

    def fence_of(self, lane: str) -> int:
        return int(self._one("fence_of", fence=self._fence(lane))["fence"])

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        return self._session.query(statement, parameters, seconds=seconds)

    def reading(self, contract: Contract, side: Side = Side.LIVE) -> SnowflakeReading:
        return SnowflakeReading(self, contract, side)

    def applied(self, stream: Stream, side: Side) -> Mapping[str, datetime]:
        rows = self._session.rows(_SQL("applied"), _of(stream, side))
        return {row["batch"]: _EPOCH + timedelta(microseconds=int(row["merged_at"])) for row in rows}

    def prepare(self, contract: Contract, side: Side, *, turn: Turn) -> None:
        reshaping = Reshaping(self._session, contract, side, self._mark)
        before, parts = self._settled(reshaping), {**tables_of(contract.stream, side), **_parts(contract)}
        if before == shape_of(contract):
            return
        behind = partial(self._behind, turn)
        with self._session.tagged(step="prepare", stream=str(contract.stream), **_run_of(turn)):
            with behind():
                pass  # whoever was overtaken makes no DDL either, which can stand behind no fence
            self._each("create_tables", **parts)
            if is_other := reshaping.is_of_another_shape():
                reshaping.drop_rows()
                self._each("create_tables", **parts)
            if before is None or is_other:
                reshaping.note(before, behind)
            else:
                reshaping.follow(before, behind)

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        self._passing(Step.MERGING)
        applied = self.applied(contract.stream, side)
        fresh = [batch for batch in batches if batch.name not in applied]
        if not fresh:
            return
        with self._session.tagged(step="merge", stream=str(contract.stream), **_run_of(turn)):
            self._merge(contract, fresh, turn, merged_at, side)
        self._passing(Step.MERGED)

    def _merge(
        self, contract: Contract, fresh: Sequence[Batch], turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        table = incoming(contract, fresh)
        parts = {**tables_of(contract.stream, side), **_parts(contract), **self._working()}
        self._each("create_working", **parts)
        load(self._session, table, folded("tieout", f"incoming_{self._mark}"), stage_of(turn.lane))
        with self._behind(turn):
            where = _of(contract.stream, side)
            self._refuse_if_overtaken(contract.stream, {**where, "fence": turn.fence}, fresh)
            self._merge_fresh(parts, where, Rows.of(table))
            if may_be_unfit(fresh, table, contract):
                self._run("note_unfit", where, **parts)
            for batch in fresh:
                noted = {"batch": batch.name, "fence": turn.fence, "merged_at": micros(merged_at[batch.name])}
                self._run("note_applied", {**where, **noted, "encoding": batch.footer.encoding})
            self._passing(Step.MERGED_UNCOMMITTED)
        self._see_applied(contract.stream, side, fresh)
        self._sweep_stage(turn.lane)

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        with self._session.tagged(step="certify", stream=str(stream), **_run_of(turn)), self._behind(turn):
            for note in notes:
                said = {"number": note.number, "hash": note.hash, "state": note.state, "report": note.report}
                moment = {"certified_at": micros(note.certified_at)}
                self._run("note_certificate", {"stream": str(stream), **said, **moment})

    def is_noted(self, stream: Stream, hash_: str) -> bool:
        row = self._session.rows(_SQL("is_noted"), {"stream": str(stream), "hash": hash_})[0]
        return bool(row["is_noted"])

    def aside(self) -> AbstractContextManager[Beside]:
        return beside(self._session, mark=self._mark)

    def note_checks(self, notes: Sequence[CheckNote]) -> None:
        """In a session of its own: threads may share one, but a transaction is the session's, and what is noted here
        would stand or fall with the merge of another thread."""
        said = [
            {**asdict(note), "checked_at": micros(note.checked_at), "measured": _as_text(note.measured)}
            for note in notes
        ]
        aside = self._open()
        try:
            aside.run(_SQL("note_checks"), {"notes": json.dumps(said)})
        finally:
            aside.close()

    def swap(self, contract: Contract, *, turn: Turn) -> None:
        reshaping = Reshaping(self._session, contract, Side.LIVE, self._mark)
        self._settled(reshaping)
        self._each("create_tables", **tables_of(contract.stream, Side.LIVE), **_parts(contract))
        swapping = Swapping(reshaping, turn.fence, next(self._swaps))
        with self._session.tagged(step="swap", stream=str(contract.stream), **_run_of(turn)):
            swapping.swap(partial(self._behind, turn))
        self._passing(Step.SWAPPED)
        self._each("drop_tables", **tables_of(contract.stream, Side.SHADOW))

    def drop(self, stream: Stream, side: Side, *, turn: Turn) -> None:
        if side is Side.LIVE:
            finish_all(self._session)
        drop_rows(self._session, stream, side, partial(self._behind, turn), partial(self._forget, stream, side))
        self._each("drop_tables", **tables_of(stream, side))

    def _forget(self, stream: Stream, side: Side) -> None:
        for statement in _SQL.each("forget_side"):
            self._session.run(statement, _of(stream, side))

    def _settled(self, reshaping: Reshaping) -> str | None:
        """The shape that the tables have, once a swap that was cut short is finished."""
        shape = reshaping.noted()
        half = Half.read(shape)
        if half is None:
            return shape
        finish(self._session, reshaping.contract.stream, half)
        return half.shape

    def _refuse_if_overtaken(self, stream: Stream, where: dict[str, Any], fresh: Sequence[Batch]) -> None:
        """Behind the fence. Raises Fenced where others have merged these batches; Transient where we have, by a commit
        whose answer was lost and that came late, and where a swap has to be finished first."""
        said = {"batches": json.dumps([batch.name for batch in fresh]), "half": HALF}
        meanwhile = self._session.rows(_SQL("meanwhile"), {**where, **said})[0]
        if meanwhile["others"]:
            raise Fenced(f"{stream}: another worker has merged these batches meanwhile.")
        if meanwhile["ours"]:
            raise Transient(f"{stream}: our own commit has come meanwhile.", hint="It is looked up.")
        if meanwhile["half"]:
            raise unfinished(stream)

    def _make_bookkeeping(self) -> None:
        there = {str(row["name"]).upper() for row in self._session.rows(_SQL("schemas"))}
        for schema in SCHEMAS:
            if schema not in there:
                self._run("create_schema", schema=folded(schema))
        if not self._one("has_bookkeeping")["is_there"]:
            self._each("create_bookkeeping")

    def _merge_fresh(self, parts: dict[str, object], where: dict[str, Any], rows: Rows) -> None:
        """The body of a merge: from `incoming` to books, history, quarantine, floors and current rows. What these rows
        cannot call for is not asked: each statement costs a second of a warehouse."""
        keys = {"key_min": rows.key_min, "key_max": rows.key_max}
        positions = {"position_min": rows.position_min, "position_max": rows.position_max}
        self._run("arrive", positions, **parts)
        self._run("post_books", where, **parts)
        self._run("keep_history", **parts)
        if rows.have_faults:
            self._run("keep_quarantine", **parts)
        if rows.settle:
            for statement in _SQL.each("settle", **parts):
                self._session.run(statement, where)
        floor = self._raise_floor(where, parts, rows)
        if rows.key_min is None:
            return
        parts = {**parts, "speaks": _SQL("speaks", **parts), "speaks_came": _SQL("speaks_came", **parts)}
        self._run("hear", **parts)
        folded_keys = self._run("fold", {**keys, "floor": floor}, patch=_SQL("patch_of", **parts), **parts)
        if self._run("write", keys, **parts) > folded_keys:
            self._each("write_doubles_once", **parts)

    def _raise_floor(self, where: dict[str, Any], parts: dict[str, object], rows: Rows) -> str | None:
        """The floor after these batches. When it has risen, the rows that stand below it are buried."""
        before = self._floor(where)
        if not rows.may_raise_floor:
            return before
        self._run("raise_floor", where, **parts)
        after = self._floor(where)
        if after != before:
            self._run("bury", {"floor": after}, **parts)
        return after

    def _floor(self, where: dict[str, Any]) -> str | None:
        floor = self._session.rows(_SQL("floor_of"), where)[0]["floor"]
        return None if floor is None else str(floor)

    @contextmanager
    def _behind(self, turn: Turn) -> Iterator[None]:
        """A transaction of this turn, behind its lane's fence. Raises Fenced."""
        fence = self._fence(turn.lane)
        with self._session.writing(_named(turn)):
            self._take_fence(turn, fence)
            yield

    def _take_fence(self, turn: Turn, fence: Sql) -> None:
        try:
            taken = self._run("take_fence", {"fence": turn.fence}, fence=fence)
        except (Transient, OutOfTime):
            # It may be held by whoever worked the lane before us, and died in the midst of a merge, or sleeps.
            if not self._session.free(fence, lambda name: _is_over(name, turn)):
                raise
            taken = self._run("take_fence", {"fence": turn.fence}, fence=fence)
        # Read again behind the lock: what it waited for may have been a newer turn.
        if not taken or int(self._one("fence_of", fence=fence)["fence"]) != turn.fence:
            raise Fenced(f"{turn.lane}: a newer worker has written to the warehouse since fence {turn.fence}.")

    def _see_applied(self, stream: Stream, side: Side, fresh: Sequence[Batch]) -> None:
        """A transaction that was aborted between its last look at itself and its commit commits nothing, and says so
        to nobody. Raises Transient."""
        if not {batch.name for batch in fresh} <= self.applied(stream, side).keys():
            raise Transient(f"{stream}: the merge was aborted from outside.", hint="It is tried again.")

    def _sweep_stage(self, lane: str) -> None:
        """Once a lane: what lies in its folder was staged by those whose turns are over. COPY takes ours away."""
        if lane not in self._swept:
            self._session.rows(_SQL("sweep", staged=stage_of(lane)))
            self._swept.add(lane)

    def _fence(self, lane: str) -> Sql:
        fence = folded("tieout", f"fence/{lane}")
        if lane not in self._fences:
            self._run("create_fence", fence=fence)
            self._run("seed_fence", fence=fence)
            self._fences.add(lane)
        return fence

    def _working(self) -> dict[str, Sql]:
        return {one: folded("tieout", f"{one}_{self._mark}") for one in _WORKING}

    def _run(self, statement: str, values: Mapping[str, Any] = NOTHING, /, **parts: object) -> int:
        return self._session.run(_SQL(statement, **parts), values)

    def _each(self, statement: str, **parts: object) -> None:
        for one in _SQL.each(statement, **parts):
            self._session.run(one)

    def _one(self, statement: str, **parts: object) -> dict[str, Any]:
        rows = self._session.rows(_SQL(statement, **parts))
        if len(rows) != 1:
            raise Broken(f"the warehouse's own record gave {len(rows)} rows to {statement}, not one")
        return rows[0]


def _parts(contract: Contract) -> dict[str, object]:
    shapes = Shapes.of(contract)
    return {
        "columns": shapes.columns,
        "key": shapes.key,
        "fields": shapes.fields,
        "required": shapes.required,
        "life": LIFE,
        "base": BASE,
        "moment_width": MOMENT_WIDTH,
        "token_width": TOKEN_WIDTH,
    }


def _named(turn: Turn) -> str:
    """As a transaction of this turn is called, for whoever finds it in his way."""
    return f"{turn.lane}/{turn.fence}"


def _is_over(name: str, turn: Turn) -> bool:
    """Whether a transaction of this name is of the turn's lane, and of no later turn: its own session may have died."""
    lane, _, fence = name.rpartition("/")
    return lane == turn.lane and fence.isdigit() and int(fence) <= turn.fence


def _run_of(turn: Turn) -> dict[str, str]:
    """A run is a lane's lease, which its fence tells from every other."""
    return {"lane": turn.lane, "run": str(turn.fence)}


def _of(stream: Stream, side: Side) -> dict[str, Any]:
    return {"stream": str(stream), "side": side.value}


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _as_text(number: float | None) -> str | None:
    """JSON has no word for what is not finite."""
    return None if number is None else repr(number)
