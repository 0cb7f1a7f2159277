"""What the guide to production installs on the machine: that a worker, who is somebody else, may read and run it.

Its lines run with each of their folders below a scratch one, and with stand-ins for what changes a whole machine.
"""

from __future__ import annotations

import configparser
import getpass
import grp
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_production_guide import GUIDE

_FOLDERS = re.compile(r"(?<![\w/.])/(?=(?:opt|etc|srv|usr)/)")
_STAND_INS = {
    # Its commands run under the user's umask and its own, whichever forbids more.
    "sudo": """umask $(printf '%04o' $(( $(umask) | 022 )))\nexec "$@"\n""",
    "apt-get": "exit 0\n",
    "useradd": "exit 0\n",
    "curl": "echo 'a certificate' > global-bundle.pem\n",
}
_PIP = "opt/tieout/bin/pip"


def _block(word: str) -> str:
    """The one that is typed and has this word."""
    (found,) = [body for body in re.findall(r"^```sh[^\n]*\n(.*?)^```$", GUIDE, re.M | re.S) if word in body]
    return str(found)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The machine's `/` when the guide has been followed."""
    root = tmp_path_factory.mktemp("machine")
    root.chmod(0o755)
    tools, home = root / "tools", root / "home"
    for folder in (tools, home / "contracts" / "shop", root / "usr" / "local" / "bin", root / "srv", root / "etc"):
        folder.mkdir(parents=True)
    for name, body in _STAND_INS.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}")
        (tools / name).chmod(0o755)
    (home / "tieout-0.0.0-py3-none-any.whl").touch()
    group = grp.getgrgid(os.getgid()).gr_name
    script = _FOLDERS.sub(f"{root}/", _block("python3 -m venv") + _block("sudo cp -r tieout.yaml"))
    script = script.replace("-o tieout -g tieout", f"-o {getpass.getuser()} -g {group}")
    script = script.replace("tieout:tieout", f"{getpass.getuser()}:{group}")
    # What pip makes is a script beside it, under the umask that it has.
    made = f"sudo sh -c 'echo > {root}/opt/tieout/bin/tieout; chmod +x {root}/opt/tieout/bin/tieout' #"
    script = script.replace(f"sudo {root}/{_PIP} install", made)
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\numask 022\ntouch tieout.yaml contracts/shop/orders.yaml\n{script}"],
        cwd=home, env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root


def _closed(path: Path, root: Path) -> list[Path]:
    """What of it, and of the folders that lead there, somebody else may not read or enter."""
    inside = [path, *path.rglob("*")] if path.is_dir() else [path]
    above = [one for one in path.parents if one == root or root in one.parents]
    modes = {one: one.lstat().st_mode for one in (*inside, *above) if not one.is_symlink()}
    return [
        one
        for one, mode in modes.items()
        if not mode & stat.S_IROTH or (bool(mode & (stat.S_IXUSR)) and not mode & stat.S_IXOTH)
    ]


@pytest.mark.parametrize("place", ["opt/tieout", "etc/tieout/rds.pem", "srv/tieout/shop"])
def test_the_workers_user_may_read_what_the_guide_installs(root: Path, place: str) -> None:
    assert (root / place).exists()
    assert _closed(root / place, root) == []


def test_tieout_is_found_by_its_name_alone(root: Path) -> None:
    assert (root / "usr/local/bin/tieout").resolve() == (root / "opt/tieout/bin/tieout").resolve()


def test_the_units_name_what_was_installed_and_the_user_that_was_made(root: Path) -> None:
    units = [_unit(body) for body in re.findall(r"^```ini\n(.*?)^```$", GUIDE, re.M | re.S) if "[Service]" in body]

    assert len(units) == 2
    for unit in units:
        program = unit["ExecStart"].split()[0]
        assert os.access(root / program.lstrip("/"), os.X_OK)
        assert (root / unit["WorkingDirectory"].lstrip("/") / "tieout.yaml").exists()
        assert f" {unit['User']}\n" in _block("useradd")
        assert unit["Environment"] in GUIDE.replace("export ", "").splitlines()


def _unit(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser["Service"]


def test_every_file_of_a_certificate_that_the_guide_names_is_one_that_it_puts_there() -> None:
    named = set(re.findall(r"sslrootcert=([\w./-]+)", GUIDE))

    assert named == {line.split()[-1] for line in _block("install -D").splitlines() if "install -D" in line}
