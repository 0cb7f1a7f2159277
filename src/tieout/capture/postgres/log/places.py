"""Where each message of a page stands in the source's order: in which transaction, and at which rank within it.

`_position` is the transaction's commit (Begin.final_lsn), `_minor` the record's own place in the log, `_rank` its index
among all row messages of the transaction. All three are the same when the server sends the transaction again. Row
messages of tables that are not captured (a publication may be wider than we asked) take their rank and leave no row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ....base.errors import Broken
from ..lsn import lsn_text
from ..standing import Within
from .heap import Flags, Numbers, Octets, Page
from .pgoutput import BEGIN_SIZE, COMMIT_SIZE

_BEGIN, _COMMIT, _TRUNCATE = (np.uint8(ord(kind)) for kind in "BCT")
_IS_ROW = np.isin(np.arange(256), list(b"IUDT"))
"""By the first octet of a message: whether it speaks of rows, and so has a rank."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the messages of a page stand.

    transactions  of each message, its transaction as an index of the three that follow
    commits       where the transaction's commit stands in the log
    times         when it was committed, by the server
    origins       what we call it
    ranks         of each message, its index among the row messages of its transaction
    wanted        whether it speaks of rows that were not told before
    """

    transactions: Numbers
    commits: Numbers
    times: Numbers
    origins: pa.Array
    ranks: Numbers
    wanted: Flags


class Placing:
    """Goes through the pages of one connection. `passed` is what an earlier one told of the first transaction."""

    def __init__(self, passed: Within | None = None) -> None:
        self._passed = passed
        self._is_open = False
        self._commit = self._time = self._rank = 0
        self.end: int | None = None
        """Where the last whole transaction ended in the log."""

    @property
    def within(self) -> Within | None:
        """How far the transaction is told that has not ended; None between transactions."""
        return Within(self._commit, self._rank) if self._is_open else None

    def place(self, page: Page, kinds: Octets) -> Places:
        """The next page. Raises Broken when its messages cannot follow what went before."""
        begins, commits = np.flatnonzero(kinds == _BEGIN), np.flatnonzero(kinds == _COMMIT)
        _refuse_sizes(page, begins, BEGIN_SIZE)
        _refuse_sizes(page, commits, COMMIT_SIZE)
        transactions, is_row = np.cumsum(kinds == _BEGIN), _IS_ROW[kinds]
        of_commits = np.concatenate(([self._commit], page.int64(page.starts[begins] + 1)))
        times = np.concatenate(([self._time], page.int64(page.starts[begins] + 9)))
        self._refuse_disorder(page, kinds, is_row, of_commits[transactions])
        heard = np.cumsum(is_row)
        ranks = heard - is_row - np.concatenate(([-self._rank], heard[begins]))[transactions]
        places = Places(
            transactions,
            of_commits,
            times,
            pa.array([f"wal {lsn_text(commit)}" for commit in of_commits.tolist()]),
            ranks,
            is_row & ~self._is_passed(of_commits[transactions], ranks),
        )
        self._commit, self._time = int(of_commits[-1]), int(times[-1])
        self._rank = int(ranks[-1]) + int(is_row[-1])
        if commits.size:
            self.end = int(page.int64(page.starts[commits[-1:]] + 10)[0])
        self._is_open = self._is_open + len(begins) > len(commits)
        return places

    def _is_passed(self, commits: Numbers, ranks: Numbers) -> Flags:
        if self._passed is None:
            return np.zeros(len(ranks), np.bool_)
        passed: Flags = (commits == self._passed.commit) & (ranks < self._passed.told)
        return passed

    def _refuse_disorder(self, page: Page, kinds: Octets, is_row: Flags, of: Numbers) -> None:
        """`of` is, per message, the commit of the transaction that began last."""
        is_begin, is_commit = kinds == _BEGIN, kinds == _COMMIT
        # What is open before each message, when begins and commits follow each other as they should.
        steps = is_begin.astype(np.int64) - is_commit
        opened = int(self._is_open) + np.cumsum(steps) - steps
        said = of.copy()
        said[is_commit] = page.int64(page.starts[is_commit] + 2)
        odd = np.flatnonzero(
            (is_begin & (opened != 0)) | (is_row & (opened != 1)) | (is_commit & ((opened != 1) | (said != of)))
        )
        if odd.size:
            first = int(odd[0])
            raise Broken(_disorder(chr(kinds[first]), int(page.lsns[first]), int(said[first])))


def _disorder(kind: str, lsn: int, commit: int) -> str:
    if kind == "B":
        return f"a transaction that commits at {lsn_text(commit)} begins within another one."
    if kind == "C":
        return f"a commit at {lsn_text(commit)} ends no transaction that began."
    return f"a change at {lsn_text(lsn)} belongs to no transaction."


def _refuse_sizes(page: Page, messages: Numbers, size: int) -> None:
    sizes = page.ends[messages] - page.starts[messages]
    if (odd := np.flatnonzero(sizes != size)).size:
        payload = page.payloads[int(messages[odd[0]])]
        if len(payload) < size:
            raise Broken(f"pgoutput message {payload[:1]!r} is torn: it ends at offset {len(payload)}.")
        raise Broken(
            f"pgoutput message {payload[:1]!r} should end at offset {size}, and ends at offset {len(payload)}."
        )
