"""A file that an option names is written whole, and nothing else is ever put out of the way for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.run.written import write_whole


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_what_a_file_held_is_replaced_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")

    with file.open() as reader:
        write_whole(file, "nü\n", option="--html")
        assert reader.read() == "old"

    assert file.read_bytes() == "nü\n".encode()
    assert names(tmp_path) == ["page.html"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_the_file_that_it_leads_to_is_written(tmp_path: Path, *, is_there: bool) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "page.html", tmp_path / "page.html"
    link.symlink_to(Path("there") / "page.html")
    if is_there:
        target.write_text("old")

    write_whole(link, "new", option="--html")

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert (names(tmp_path), names(target.parent)) == (["page.html", "there"], ["page.html"])


@pytest.mark.parametrize("by_link", [True, False])
def test_what_is_no_file_is_left_as_it_is(tmp_path: Path, *, by_link: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)

    with pytest.raises(Misconfigured, match="is no file") as refused:
        write_whole(link if by_link else pipe, "new", option="--html")

    assert "--html" in refused.value.hint
    assert (pipe.is_fifo(), names(tmp_path)) == (True, ["link", "pipe"])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is a folder"),
        ("..", "is a folder"),
        ("no/page.html", "no is no folder"),
        ("file/page.html", "file is no folder"),
        ("loop", "loop"),
        ("gone", "no is no folder"),
        ("x" * 256, "cannot be used"),
    ],
    ids=lambda one: one[:8],
)
def test_where_no_file_can_be_it_is_said_what_to_name_instead(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "no" / "page.html")

    with pytest.raises(Misconfigured, match=says) as refused:
        write_whole(tmp_path / name, "new", option="--out")

    assert "--out" in refused.value.hint
    assert names(tmp_path) == ["file", "gone", "loop"]


def test_a_folder_that_takes_no_files_is_not_said_to_be_missing() -> None:
    with pytest.raises(Misconfigured, match="no file can be made in /proc") as refused:
        write_whole(Path("/proc/page.html"), "new", option="--html")

    assert "--html" in refused.value.hint
