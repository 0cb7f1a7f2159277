"""By which seed each planted bug is caught, and by which invariant: measured, to be measured anew when seeds change.

A seed stands for another run as soon as the simulation draws its choices otherwise; `tieout simulate
--plant NAME --seeds 40` finds the new ones. A bug that stands not here was never caught.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CAUGHT: Final[Mapping[str, tuple[int, str]]] = {
    "file_not_synced": (0, "I1"),
    "name_not_synced": (0, "I1"),
    "new_folder_not_synced": (0, "I1"),
    "found_folder_not_synced": (91, "I1"),
    "adopted_unsynced": (9, "I1"),
    "acknowledged_too_early": (0, "I1"),
    "registered_before_sealed": (0, "I1"),
    "named_by_footer": (4, "I14"),
    "spool_not_swept": (1, "I11"),
    "nothing_adopted": (2, "I3"),
    "half_a_span_proves": (86, "I8"),
    "lease_kept": (0, "I11"),
    "lease_of_the_living": (30, "I4"),
    "noted_before_commit": (0, "I1"),
    "pending_forgotten": (1, "I3"),
    "never_mended": (915, "I11"),
    "not_followed": (10, "I8"),
    "delete_ignored": (5, "I8"),
    "truncate_ignored": (539, "I8"),
    "old_key_lives": (915, "I8"),
    "unsent_is_null": (11, "I8"),
    "new_key_is_whole": (915, "I8"),
    "told_to_the_end": (459, "I8"),
    "hole_not_read": (29, "I11"),
    "own_stamp_only": (2, "I8"),
    "covered_by_the_clock": (39, "I8"),
    "sweep_at_its_end": (0, "I8"),
    "sweep_at_the_slot": (6, "I11"),
    "sweep_though_cut_short": (0, "I8"),
    "reread_of_old": (915, "I11"),
    "decimals_as_floats": (0, "I11"),
    "empty_is_null": (0, "I11"),
    "ids_without_key": (0, "I8"),
    "ids_without_position": (459, "I8"),
    "unknown_is_undone": (12, "I8"),
    "last_to_arrive": (12, "I9"),
    "last_of_its_batches": (12, "I9"),
    "patch_is_whole": (15, "I8"),
    "sweep_kills_its_own": (12, "I8"),
    "floor_buries_nothing": (15, "I8"),
    "late_rows_rise": (15, "I9"),
    "tables_made_anew": (141, "I3"),
    "quarantined_accepted": (12, "I3"),
    "sums_of_one_half": (12, "I8"),
    "duplicates_uncounted": (134, "I8"),
    "duplicates_accepted": (134, "I3"),
    "certified_by_keys": (15, "I8"),
    "certified_but_a_column": (61, "I8"),
}
