"""Bugs of those who read a source, and of the judge who takes their rows for what the contract promises."""

from __future__ import annotations

from typing import Final

from ....contract import judge
from ..company import logged
from ..company.logged import LoggedSource
from .planting import Bug, in_code, in_statement, together

OF_THE_LOG: Final = (
    Bug(
        "delete_ignored",
        "What the log tells of deletions is passed over.",
        in_code(LoggedSource._said, "return [says(Kind.DELETE, change.key)]", "return []"),
    ),
    Bug(
        "truncate_ignored",
        "What the log tells of truncations is passed over.",
        in_code(LoggedSource._said, "return [says(Kind.TRUNCATE, None)]", "return []"),
    ),
    Bug(
        "old_key_lives",
        "A row whose key was changed stays under its old key too.",
        in_code(LoggedSource._said, "[says(Kind.DELETE, change.before), says(", "[says("),
    ),
    Bug(
        "unsent_is_null",
        "A value that the log left out, as it was not written, is taken for null.",
        in_code(
            LoggedSource._said,
            "told = without_key(change.row, apart)",
            "told = {**without_key(change.row, apart), **dict.fromkeys(apart)}",
        ),
    ),
    Bug(
        "new_key_is_whole",
        "A row under a new key is not read again though the log left out a part of it.",
        in_code(LoggedSource._said, "] if apart else moved", "] if False else moved"),
    ),
    Bug(
        "told_to_the_end",
        "A piece of the log is noted as reaching as far as was asked for.",
        in_code(
            LoggedSource._told_until, "_log_cursor(this.slot, commits[-1].position)", "_log_cursor(this.slot, until)"
        ),
    ),
    Bug(
        "confirmed_beyond",
        "The server may forget all that it has told or has yet to tell.",
        in_code(LoggedSource.acknowledge, 'int(state["told"])', "self._server.flushed()"),
    ),
    Bug(
        "slot_not_compared",
        "A slot that somebody made anew is gone on with in silence.",
        together(
            in_code(logged.why_not, 'return "the slot was dropped and made anew by somebody else"', 'return ""'),
            in_code(LoggedSource._unread, ".slot != this.slot.made or not then.done", ".done is False"),
        ),
    ),
    Bug(
        "hole_not_read",
        "What was missed is noted, and no object is read again for it.",
        in_code(LoggedSource._noted, "holes=(*others, hole))", "holes=(*others, hole), done=True)"),
    ),
)

OF_READS: Final = (
    Bug(
        "watermark_after_read",
        "The watermark of a chunk is asked for when its rows have been read.",
        in_code(
            LoggedSource._chunk,
            "        if then.start is None:\n",
            '        chunk = replace(chunk, position=self._wire.ask("bound", partial(self._server.moment, ()))[0])\n'
            "        if then.start is None:\n",
        ),
    ),
    Bug(
        "sweep_at_its_end",
        "A full read claims to be as of its end.",
        in_code(
            LoggedSource._chunk,
            "self._ended(then.start or 0, chunk.second)",
            "self._ended(chunk.position, chunk.second)",
        ),
    ),
    Bug(
        "sweep_at_the_slot",
        "A full read claims to be as of where its slot began.",
        in_code(
            LoggedSource._chunk,
            "self._ended(then.start or 0, chunk.second)",
            "self._ended(this.slot.created, chunk.second)",
        ),
    ),
    Bug(
        "sweep_though_cut_short",
        "A full read that lost a row of each full chunk says all the same what is not there.",
        in_code(
            LoggedSource._chunk,
            "            said = _images(chunk.rows, chunk.position, chunk.second)\n",
            "            said = _images(chunk.rows, chunk.position, chunk.second)\n"
            "            said = said[1:] if len(said) == self._rows_max else said\n",
        ),
    ),
    Bug(
        "reread_of_old",
        "A key that is read again counts as read when the slot was made.",
        in_code(
            LoggedSource._reread,
            "        for object_ in known:\n",
            '        position = self._wire.ask("slot", self._server.slot).created\n        for object_ in known:\n',
        ),
    ),
)

OF_JUDGING: Final = (
    Bug(
        "decimals_as_floats",
        "A decimal goes through a binary number.",
        in_statement(
            judge._PARSE,
            "read_decimal",
            ("try_cast({{ value }} as {{ type }})", "try_cast(try_cast({{ value }} as double) as {{ type }})"),
        ),
    ),
    Bug(
        "empty_is_null",
        "An empty text is taken for none.",
        in_statement(judge._PARSE, "read_text", ("{{ value }}", "nullif({{ value }}, '')")),
    ),
    Bug(
        "ids_without_key",
        "What was read at one moment bears an id that does not depend on its key.",
        in_statement(judge._JUDGE, "said_at_one_moment", (", '|', coalesce(key_text, '-'))", ")")),
    ),
    Bug(
        "ids_without_position",
        "The same words said later bear the same id.",
        in_statement(judge._JUDGE, "said_anywhere", (", '|', _position", ""), ("_kind, '|', {{ epoch }}", "_kind")),
    ),
)
