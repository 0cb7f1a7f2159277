"""Folders and files of ours on a disk: for the owner alone, kept through a power cut, and what a refusal means.

A file is kept only when the folder that names it was synced as well.
"""

from __future__ import annotations

import errno
from pathlib import Path

from .disk import Disk
from .errors import Misconfigured, TieoutError, Transient
from .local_disk import LOCAL_DISK

PRIVATE_FILE = 0o600

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP})
_UNFIT = frozenset(
    {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.EFBIG}
)


def make_folder(folder: Path, *, disk: Disk = LOCAL_DISK) -> None:
    """Makes it and what is missing above it, and syncs what names them.

    The nearest that is there counts as made too: whoever made it may have been killed before it synced what names it.
    All above that were synced before anything was made in them.
    """
    missing = [each for each in (folder, *folder.parents) if not disk.exists(each)]
    nearest = missing[-1].parent if missing else folder
    try:
        disk.sync_folder(nearest.parent)
    except OSError as error:
        # Where we may not read we have made nothing: it would have been refused. And some mounts sync no folders.
        if error.errno not in _NOT_OURS:
            raise
    for each in reversed(missing):
        disk.make_folder(each)
        disk.sync_folder(each.parent)


def refusal(path: Path, error: OSError, *, elsewhere: str = "another place in tieout.yaml") -> TieoutError:
    """The error to raise when the file system refused: who must move next. `elsewhere`: what may be named instead."""
    told = f"{path} cannot be used: {error.strerror}."
    if error.errno in _FULL:
        return Transient(told, hint="Free some space on that disk; it is tried again.")
    if error.errno in _FORBIDDEN:
        return Misconfigured(told, hint=f"Give tieout the right to write there, or name {elsewhere}.")
    if error.errno in _UNFIT:
        return Misconfigured(told, hint=f"Name {elsewhere}, where folders and files can be made.")
    return Transient(told, hint="Look at the disk; it is tried again.")
