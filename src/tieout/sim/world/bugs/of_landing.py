"""Bugs between a capture and the ledger: what is sealed is not kept, or what is not kept is counted on."""

from __future__ import annotations

from typing import Any, Final

from ....base.batch import Footer
from ....base.codec import sha256_hex
from ....base.folder import make_folder
from ....land.local import LocalLanding
from ....land.sealing import seal
from ....ledger.coverage import whole
from ....ledger.facts import Landed
from ....run.route import Route
from ....run.session import LandingSession
from .planting import Bug, in_code, instead, together

_put, _note_landed = LocalLanding.put, Route._note_landed


def _put_later(self: Any, footer: Footer, changes: Any) -> str:
    vars(self).setdefault("later", []).append((footer, changes))
    return sha256_hex(seal(footer, changes))


def _put_now(self: Route, facts: list[Landed]) -> None:
    for footer, changes in vars(self._tools.landing).pop("later", []):
        _put(self._tools.landing, footer, changes)  # type: ignore[arg-type]
    _note_landed(self, facts)


OF_LANDING: Final = (
    Bug(
        "file_not_synced",
        "A batch is renamed to its name before its bytes are on the disk.",
        in_code(LocalLanding._write_to_spool, "draft.sync()", "pass"),
    ),
    Bug(
        "name_not_synced",
        "A batch is registered before the folder that names it is on the disk.",
        in_code(LocalLanding._keep, "self._disk.sync_folder(path.parent)", "pass"),
    ),
    Bug(
        "new_folder_not_synced",
        "A folder is made, and what names it is not synced.",
        in_code(make_folder, "disk.sync_folder(each.parent)", "pass"),
    ),
    Bug(
        "found_folder_not_synced",
        "A folder that a killed process made is taken for one that a power cut leaves.",
        in_code(make_folder, "disk.sync_folder(nearest.parent)", "pass"),
    ),
    Bug(
        "adopted_unsynced",
        "A batch that was found is registered without a sync of what names it.",
        in_code(Route.adopt, "landing.sync(stream)", "pass"),
    ),
    Bug(
        "acknowledged_too_early",
        "The source may forget what the ledger does not know yet.",
        in_code(
            Route.land,
            "        self._register(span, [landed for landed, _ in sealed], newly(self._tools.ledger, pausing))\n"
            "        self._source.acknowledge(captured.after)\n",
            "        self._source.acknowledge(captured.after)\n"
            "        self._register(span, [landed for landed, _ in sealed], newly(self._tools.ledger, pausing))\n",
        ),
    ),
    Bug(
        "registered_before_sealed",
        "A batch is written when the ledger knows of it already.",
        together(instead(LocalLanding, "put", _put_later), instead(Route, "_note_landed", _put_now)),
    ),
    Bug(
        "named_by_footer",
        "A batch bears the hash of its footer, and not of its bytes.",
        in_code(LocalLanding.put, "sha256_hex(data)", "sha256_hex(footer.to_json().encode())"),
    ),
    Bug(
        "spool_not_swept",
        "What a killed process left in the spool stays there.",
        in_code(Route.adopt, "landing.sweep_spool(self.lane)", "pass"),
    ),
    Bug(
        "nothing_adopted",
        "A ledger that is new or old never learns of the batches that it does not know.",
        in_code(Route.adopt, "if opened:", "if False:"),
    ),
    Bug(
        "half_a_span_proves",
        "A cursor moves on though some of the batches of its span were never sealed.",
        in_code(whole, "if objects.issuperset(span.siblings)", "if objects"),
    ),
    Bug(
        "lease_kept",
        "A lane is not given back.",
        in_code(LandingSession.close, "self._ledger.release(self._lease)", "pass"),
    ),
)
