"""Folders and files of ours on a disk: for the owner alone, kept through a power cut, and what a refusal means.

A file is kept only when the folder that names it was synced as well.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from .errors import Misconfigured, TieoutError, Transient

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_UNFIT = frozenset(
    {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.EFBIG}
)


def make_folder(folder: Path) -> None:
    """Makes it and what is missing above it, and syncs what names them."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """What the folder names now is what it names after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refusal(path: Path, error: OSError) -> TieoutError:
    """The error to raise when the file system refused: who must move next."""
    told = f"{path} cannot be used: {error.strerror}."
    if error.errno in _FULL:
        return Transient(told, hint="Free some space on that disk; it is tried again.")
    if error.errno in _FORBIDDEN:
        return Misconfigured(told, hint="Give tieout the right to write there, or name another place in tieout.yaml.")
    if error.errno in _UNFIT:
        return Misconfigured(told, hint="Name another place in tieout.yaml, where folders and files can be made.")
    return Transient(told, hint="Look at the disk; it is tried again.")
