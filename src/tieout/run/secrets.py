"""Values that are kept outside the project's file, asked of whoever keeps them: the environment, files, AWS.

Each is asked for once a load, and nobody keeps it but the settings that it fills in. What cannot be had is told as a
`Lack`, so that the doctor can tell all of them; no sentence here holds anything of a value.
"""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from ..base.errors import Misconfigured
from .environment import Had, Keeper, Lack, Reference, Value
from .extras import needs

_BYTES_MAX = 65_536
"""What Secrets Manager takes (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html); a
larger file is no secret, but the wrong file."""

_ALONE = "Write the path of a file that holds the value alone."

Vault = Callable[[Collection[str]], Mapping[str, Value | Lack]]
"""Secrets by their names or ARNs; each that was asked for is told, as what it holds or why that cannot be had."""


def had(wanted: Iterable[Reference], environ: Mapping[str, str], base: Path, vault: Vault) -> Had:
    """What each reference stands for. Paths begin at `base`; the vault is not asked where nothing names it."""
    known = tuple(wanted)
    names = {one.name for one in known if one.keeper is Keeper.AWS}
    told = vault(names) if names else {}

    def value(one: Reference) -> Value | Lack:
        match one.keeper:
            case Keeper.ENVIRONMENT:
                return _variable(one.name, environ)
            case Keeper.FILE:
                return _file(base / one.name)
            case Keeper.AWS:
                whole = told[one.name]
                return _member(whole.text, one.key) if one.key and isinstance(whole, Value) else whole

    return {one: value(one) for one in known}


def aws(names: Collection[str]) -> Mapping[str, Value | Lack]:
    """The vault that is AWS Secrets Manager, as AWS is set up on this machine."""
    try:
        needs("aws", "AWS Secrets Manager")
    except Misconfigured as error:
        return dict.fromkeys(names, Lack("which needs a library that is not installed", error.hint))
    from .secrets_manager import secrets

    return secrets(names)


def closed(names: Collection[str]) -> Mapping[str, Value | Lack]:
    """The vault of whoever must reach nothing outside, such as a demo."""
    return dict.fromkeys(names, Lack("which is not asked for here", "Keep it in the environment or in a file."))


def is_open(path: Path) -> bool:
    """Whether others than its owner and its group may read the file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _variable(name: str, environ: Mapping[str, str]) -> Value | Lack:
    """An empty one is lacking too: it is what is left of one that was meant to be set."""
    if environ.get(name):
        return Value(environ[name])
    why = "which is set, but empty" if name in environ else "which is not set"
    return Lack(why, f"Set {name}.", shell=f"read -rs {name} && export {name}")


def _file(path: Path) -> Value | Lack:
    """What it holds, without one newline at its end: editors and `echo` leave one."""
    quoted = shlex.quote(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            return Lack("which is no file", _ALONE)
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        return Lack("which is not there", f"Make {path}, or mend the path; one that is relative begins at the project.")
    except PermissionError:
        hint = f"Let the user that runs tieout read {path}."
        return Lack("which may not be read", hint, shell=f"chmod u+r {quoted}")
    except OSError as error:
        return Lack(f"which cannot be read ({error.strerror})", _ALONE)
    except ValueError:  # a NUL in it
        return Lack("which is no path", _ALONE)
    if len(data) > _BYTES_MAX:
        return Lack(f"which has more than {_BYTES_MAX:,} bytes", _ALONE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Lack("which is not UTF-8", "Save the value as text in UTF-8.")
    held = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    return Value(held) if held else Lack("which is empty", _ALONE)


def _member(text: str, key: str) -> Value | Lack:
    """Of a JSON object the value of one key; a number as it stands there."""
    try:
        # Numbers stay as they are written. A mistake's own text is not passed on: it may show what it read.
        content = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Lack("which is not JSON", "Leave out the '#' and what follows it, or keep the secret as JSON.")
    if not isinstance(content, dict) or key not in content:
        return Lack("which has no such key", "Mend the key behind the '#'; upper and lower case differ.")
    value = content[key]
    return Value(value) if isinstance(value, str) else Lack("which is neither text nor a number", "Keep it as text.")
