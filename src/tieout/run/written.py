"""A file that an option names, written whole or not at all. Nothing but a file is ever put out of the way for it.

A name that leads elsewhere is followed: the file that it stands for gets the text, and the link stays what it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..base.errors import Misconfigured
from ..base.folder import refusal


def write_whole(file: Path, text: str, *, option: str) -> None:
    """The file has this content, all of it at once: who reads it meanwhile sees what it was.

    Raises Misconfigured where there can be no such file, or where something stands that is none, such as a folder or a
    device; Transient when the disk is full. `option` is the one that named it.
    """
    try:
        target = _target(file, option)
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except FileNotFoundError as error:  # the folder is there, and takes no files: /proc is such a one
        raise Misconfigured(f"no file can be made in {file.parent}.", hint=_elsewhere(option)) from error
    except OSError as error:
        raise refusal(file, error, elsewhere=f"another file with {option}") from error


def _target(file: Path, option: str) -> Path:
    """What the name stands for: a file, or nothing yet in a folder that there is."""
    # The name itself is asked, not where it leads: of what has no name, such as a pipe, no link can be followed.
    if file.is_dir():
        raise Misconfigured(f"{file} is a folder.", hint=f"Give {option} a file in it.")
    if file.exists() and not file.is_file():
        raise Misconfigured(f"{file} is no file: it cannot be replaced by one.", hint=_elsewhere(option))
    target = Path(os.path.realpath(file))
    if target.is_symlink():
        raise Misconfigured(f"{file} is a link that leads in a loop.", hint=_elsewhere(option))
    if not target.parent.is_dir():
        raise Misconfigured(f"{target.parent} is no folder.", hint=f"Make it, or give {option} a file in another one.")
    return target


def _elsewhere(option: str) -> str:
    return f"Give {option} the name of a file in another folder."
