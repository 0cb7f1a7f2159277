"""What a rebuild has made becomes what users read: its rows are copied into the live tables, in one transaction.

Behind the fence, so that whoever was overtaken changes nothing, and a session that is cut off anywhere has done all or
nothing. The tables stay, and with them their grants, policies and views.

Only where a column's type is another one the live tables cannot hold the rows. Then a table beside each, whose name no
other swap has, takes the rows in that transaction, which notes that it has yet to take its place. Whoever comes next
sees to that before anything is merged: it can be done twice, and not at all once that table is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...base.errors import Broken, Misconfigured, Retyped
from ...base.sql import Sql, Statements
from ...base.stream import Stream
from ...contract.contract import Contract
from ..reshape import shape_of
from ..warehouse import Side, table_of
from .half import HALF, Half, unfinished
from .naming import Shapes, bare, folded, tables_of, type_of
from .reshape import Behind, Reshaping
from .session import Session

_SQL = Statements(__package__, "swap.sql")
_MAKES_NEXT = ("RAW", "LATEST")


def finish_all(session: Session) -> None:
    """Every swap that was cut short."""
    for row in session.rows(_SQL("half_swapped"), {"begin": HALF}):
        if (half := Half.read(str(row["shape"]))) is not None:
            finish(session, Stream.parse(str(row["stream"])), half)


def finish(session: Session, stream: Stream, half: Half) -> None:
    """The tables take their place. Nothing is merged before that, and nobody takes it who comes late: the first thing
    to go is the table that would."""
    there = _next_tables(session, stream)
    for schema in _MAKES_NEXT:
        name = _next_name(stream, half.next)
        if (schema, name) in there:
            _replace(session, stream, schema, name)
    session.run(_SQL("note_whole"), {"stream": str(stream), "shape": half.shape, "half": str(half)})


def drop_rows(session: Session, stream: Stream, side: Side, behind: Behind, forget: Callable[[], None]) -> None:
    """All rows of one side go with its records, in one transaction; that its tables go then is no loss, if it comes to
    that. `forget` removes the records. Raises Fenced."""
    tables = tables_of(stream, side)
    name = bare(folded(table_of(stream, side)))
    there = {str(row["table_schema"]).lower() for row in session.rows(_SQL("tables_of"), {"table": name})}
    with behind():
        for schema in sorted(there):
            session.run(_SQL("empty", table=tables[schema]))
        forget()


@dataclass(frozen=True, slots=True)
class Swapping:
    """One swap. `live`: the tables that users read; `fence`: of whose turn it is; `number`: which swap of its
    session it is."""

    live: Reshaping
    fence: int
    number: int

    @property
    def session(self) -> Session:
        return self.live.session

    @property
    def contract(self) -> Contract:
        return self.live.contract

    def swap(self, behind: Behind) -> None:
        """Raises Fenced; Broken where there is no shadow of this contract; Transient where another swap has to be
        finished first."""
        into, half = self._into()
        shape = shape_of(self.contract)
        stream = str(self.contract.stream)
        with behind():
            if Half.read(self.live.noted()) is not None:
                raise unfinished(self.contract.stream)
            if replace(self.live, side=Side.SHADOW).noted() != shape:
                raise Broken(f"{stream} has no shadow tables under this contract to take.", hint="Rebuild it again.")
            shapes, shadow = Shapes.of(self.contract), tables_of(self.contract.stream, Side.SHADOW)
            for statement in _SQL.each("copy_rows", into=into, columns=shapes.columns, **shadow):
                self.session.run(statement)
            for statement in _SQL.each("promote_bookkeeping"):
                self.session.run(statement, {"stream": stream, "shape": shape if half is None else str(half)})
        if half is not None:
            finish(self.session, self.contract.stream, half)
        self._forget_older()

    def _into(self) -> tuple[dict[str, Sql], Half | None]:
        """The tables that take the rows: the live ones where they can hold them, once they have the columns."""
        live = tables_of(self.contract.stream, Side.LIVE)
        try:
            self.live.fit_columns()
        except Retyped:
            # A session's number is given once: no other swap has this word, also of the same turn.
            session = self.session.rows(_SQL("session"))[0]["session"]
            half = Half(f"{self.fence}/{session}/{self.number}", shape_of(self.contract))
            return self._beside(live, half.next), half
        return live, None

    def _beside(self, live: dict[str, Sql], next_: str) -> dict[str, Sql]:
        """Tables as the live ones, but for the columns, which are the contract's."""
        has, into = self.live.has(), dict(live)
        wanted = {bare(shape.name): shape for shape in Shapes.of(self.contract).columns}
        types = {bare(folded(column.name)): str(type_of(column.type)) for column in self.contract.columns}
        for schema in _MAKES_NEXT:
            table = folded(schema, _next_name(self.contract.stream, next_))
            into[schema.lower()] = table
            self.session.run(_SQL("create_next", next=table, table=live[schema.lower()]))
            fit = {name for name, type_ in has[schema].items() if types.get(name) == type_ or name.startswith("_")}
            for name in sorted(has[schema].keys() - fit):
                self.session.run(_SQL("drop_column", table=table, column=folded(name)))
            for name in sorted(wanted.keys() - fit):
                self.live.add_column(table, wanted[name])
        return into

    def _forget_older(self) -> None:
        """Tables of swaps that can come to nothing any more: their turn is over, and nothing waits for them."""
        begin = _next_name(self.contract.stream, "")
        for schema, name in sorted(_next_tables(self.session, self.contract.stream)):
            if int(name.removeprefix(begin).split("/")[0]) <= self.fence:
                self.session.run(_SQL("drop_next", next=folded(schema, name)))


def _replace(session: Session, stream: Stream, schema: str, name: str) -> None:
    live = tables_of(stream, Side.LIVE)[schema.lower()]
    try:
        session.run(_SQL("replace", table=live, next=folded(schema, name)))
    except Misconfigured:
        if (schema, name) in _next_tables(session, stream):
            raise
        return  # somebody else has seen to it meanwhile
    session.run(_SQL("drop_next", next=folded(schema, name)))


def _next_tables(session: Session, stream: Stream) -> set[tuple[str, str]]:
    rows = session.rows(_SQL("tables_next"), {"begin": _next_name(stream, "")})
    return {(str(row["table_schema"]), str(row["table_name"])) for row in rows}


def _next_name(stream: Stream, word: str) -> str:
    """As the catalog has it. No object's name holds a slash."""
    return bare(folded(f"{stream.table}/next/{word}"))
