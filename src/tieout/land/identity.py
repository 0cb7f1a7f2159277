"""The identity of a landing in a folder: a file beside its batches, made once and never changed."""

from __future__ import annotations

import os
from pathlib import Path

from ..base.folder import make_folder, refusal
from ..base.local_disk import LOCAL_DISK
from .layout import IDENTITY


def identity_in(folder: Path) -> str | None:
    """None where it has none yet. Raises Transient, Misconfigured."""
    path = folder / IDENTITY
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(path, error if isinstance(error, OSError) else OSError(str(error))) from error


def identify(folder: Path, proposed: str) -> str:
    """Whole or not at all; of two that make it at once, one is first and both read that one's. Raises as above."""
    path = folder / IDENTITY
    try:
        if not path.exists():
            _make(path, proposed)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise refusal(path, error) from error


def _make(path: Path, proposed: str) -> None:
    make_folder(path.parent)
    beside = path.with_name(f"{IDENTITY}.{proposed}")
    with beside.open("w", encoding="ascii") as file:
        file.write(proposed + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another one was first
    finally:
        beside.unlink()
    LOCAL_DISK.sync_folder(path.parent)
