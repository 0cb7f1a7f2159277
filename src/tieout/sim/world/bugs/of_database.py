"""Bugs of the database: what a merge writes, when, how often and by whom, and what a certificate sees of it.

They are caught only by runs that have the database, which cost more than the others.
"""

from __future__ import annotations

from typing import Final

from ....merge import duckdb
from ....merge.duckdb import DuckDBWarehouse
from ....merge.reshape import _Reshaping
from ....quality import compare
from ....run.route import Route
from .planting import Bug, in_code, in_statement, together

_SQL: Final = duckdb._SQL

_LOOK_AGAIN: Final = "if not self.applied(contract.stream, side).keys().isdisjoint(batch.name for batch in fresh):"

OF_COMMITS: Final = (
    Bug(
        "fence_not_taken",
        "The warehouse takes what comes under a fence that a newer one has passed.",
        in_code(DuckDBWarehouse._take_fence, 'self._run("seed_fence", {"lane": turn.lane})', "return"),
    ),
    Bug(
        "noted_apart",
        "That a batch is merged is written in another transaction than its rows.",
        in_code(
            DuckDBWarehouse.merge,
            "            for batch in fresh:\n",
            "            pass\n        self._passing(Step.MERGED)\n        with self._writing():\n"
            "            for batch in fresh:\n",
        ),
    ),
    Bug(
        "unknown_is_undone",
        "A commit whose answer was lost is taken for one that failed, and made again.",
        together(
            in_code(Route._find_pending, "if name not in applied[text]}", "if name not in noted}"),
            in_code(
                DuckDBWarehouse.merge,
                "[batch for batch in batches if batch.name not in applied]",
                "[*batches]",
                (_LOOK_AGAIN, "if False:"),
            ),
        ),
    ),
)

OF_ROWS: Final = (
    Bug(
        "last_to_arrive",
        "A row is written as it came last, however old that is.",
        in_statement(_SQL, "meet", ("held._order < incoming._order and", "")),
    ),
    Bug(
        "last_of_its_batches",
        "Of the rows of one key that are merged at once, the last to be captured counts.",
        in_statement(_SQL, "hear_again", ("arg_max(_ordinal, _order) as newest", "max(_ordinal) as newest")),
    ),
    Bug(
        "patch_is_whole",
        "A patch counts as the whole row.",
        in_statement(
            _SQL,
            "said",
            ("_kind in ('image', 'undelete') and covers.is_complete as __is_image", "_kind <> 'gap' as __is_image"),
            (
                "and not (_kind in ('image', 'undelete') and covers.is_complete) as __is_patch",
                "and false as __is_patch",
            ),
        ),
    ),
    Bug(
        "sweep_kills_its_own",
        "A full read kills what it read at its own watermark.",
        in_statement(_SQL, "raise_floor", ("{{ token_width }}, '0')", "{{ token_width }}, 'f')")),
    ),
    Bug(
        "floor_buries_nothing",
        "What a full read or a truncation leaves below the floor stays alive.",
        in_code(DuckDBWarehouse._raise_floor, "if after != before:", "if False:"),
    ),
    Bug(
        "late_rows_rise",
        "A row that arrives below the floor is shown.",
        in_statement(
            _SQL,
            "write_plain",
            ("_order < coalesce($floor, '') as", "_order is null and $floor = '' as"),
        ),
    ),
    Bug(
        "gap_forgotten",
        "A gap is forgotten when its key is spoken of again.",
        in_statement(_SQL, "registers", ("greatest(touched.__gap, touched._gap)", "touched.__gap")),
    ),
    Bug(
        "tables_made_anew",
        "Tables that gain a column are made anew, without their rows.",
        in_code(DuckDBWarehouse._is_of_another_shape, "bool(row and row[0]) and ours !=", "ours !="),
    ),
    Bug(
        "told_of_all",
        "Rows that were told before there was a column count as having told it.",
        in_code(_Reshaping.refold, "if asked or gone:", "if False:"),
    ),
)

OF_BOOKS: Final = (
    Bug(
        "quarantined_accepted",
        "What could not be read is posted as accepted.",
        in_statement(
            _SQL,
            "post_books",
            (
                "select _batch, _cid, __account from arriving",
                "select _batch, _cid, replace(__account, 'quarantined', 'accepted') as __account from arriving",
            ),
        ),
    ),
    Bug(
        "quarantine_not_kept",
        "What could not be read is counted and thrown away.",
        in_code(DuckDBWarehouse._merge_fresh, 'self._connection.execute(_SQL("keep_quarantine", **parts))', "pass"),
    ),
    Bug(
        "sums_of_one_half",
        "The books sum the first half of each id twice.",
        in_statement(_SQL, "post_books", ("'0x' || _cid[17:]", "'0x' || left(_cid, 16)")),
    ),
    Bug(
        "duplicates_uncounted",
        "What was known already is posted to no account.",
        in_statement(
            _SQL,
            "post_books",
            (
                "select _batch, _cid, __account from arriving",
                "select _batch, _cid, __account from arriving where __account <> 'duplicate'",
            ),
        ),
    ),
    Bug(
        "duplicates_accepted",
        "What was known already becomes history once more.",
        in_statement(_SQL, "arrive", ("when known._cid is not null or _ordinal", "when _ordinal")),
    ),
)

OF_CHECKS: Final = (
    Bug(
        "certified_by_keys",
        "A certificate compares which rows there are, and not what stands in them.",
        in_statement(compare._SQL, "find", ("or told.{{ column }} is distinct from here.{{ column }}", "or false")),
    ),
    Bug(
        "certified_but_a_column",
        "A certificate leaves out the last column.",
        in_code(
            compare.Comparing.compare,
            "if column.name not in self._left_out]",
            "if column.name not in self._left_out][:-1]",
        ),
    ),
    Bug(
        "ghosts_unseen",
        "A certificate does not look for rows that live only here.",
        in_statement(compare._SQL, "find", ("full join here on", "left join here on")),
    ),
    Bug(
        "repair_deletes_nothing",
        "A repair leaves the rows that live only here.",
        in_statement(compare._SQL, "deletes", ("where difference = 'ghost')", "where difference = 'none')")),
    ),
)
