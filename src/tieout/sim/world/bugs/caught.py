"""By which seed each planted bug is caught, and by which invariant: measured, to be measured anew when seeds change.

A seed stands for another run as soon as the simulation draws its choices otherwise; `catalogue.first_to_catch` finds
the new ones. A bug that stands not here was never caught.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CAUGHT: Final[Mapping[str, tuple[int, str]]] = {
    "file_not_synced": (0, "I1"),
    "name_not_synced": (0, "I1"),
    "new_folder_not_synced": (0, "I1"),
    "acknowledged_too_early": (0, "I1"),
    "registered_before_sealed": (0, "I1"),
    "named_by_footer": (0, "I14"),
    "lease_kept": (0, "I11"),
    "noted_before_commit": (0, "I1"),
    "pending_forgotten": (0, "I3"),
    "own_stamp_only": (0, "I8"),
    "sweep_at_its_end": (0, "I8"),
    "sweep_though_cut_short": (0, "I8"),
    "decimals_as_floats": (0, "I11"),
    "last_to_arrive": (4, "I9"),
    "sweep_kills_its_own": (4, "I8"),
    "late_rows_rise": (4, "I14"),
}
