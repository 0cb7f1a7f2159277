"""A YAML file is read with its lines; what could be understood in two ways is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tieout.base import yamlfile
from tieout.base.errors import Misconfigured


def document_of(folder: Path, text: str | bytes) -> yamlfile.Document:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yamlfile.load(path)


def test_only_what_is_plainly_no_text_is_no_text(tmp_path: Path) -> None:
    text = "[true, false, null, ~, 5, -7, 1.5, no, on, 12:30, 2026-11-20, 1e5, 007, 0x10, '5', \"true\"]"

    content = document_of(tmp_path, text).content

    assert content == [
        True, False, None, None, 5, -7, 1.5, "no", "on", "12:30", "2026-11-20", "1e5", "007", "0x10", "5", "true",
    ]  # fmt: skip


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    document = document_of(tmp_path, "# about\na:\n  b: 1\n  c:\n    - x\n    - d: 2\n")

    assert [document.line(place) for place in [("a",), ("a", "b"), ("a", "c", 1, "d"), ("a", "missing")]] == [
        2,
        3,
        6,
        2,
    ]


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert document_of(tmp_path, "# nothing\n").content is None


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert document_of(tmp_path, b"\xef\xbb\xbfa: 1\n").content == {"a": 1}


def test_the_file_as_written_is_shown_not_what_was_filled_in(tmp_path: Path) -> None:
    document = document_of(tmp_path, "a: [x, 1]\n").filled(lambda place, text: f"{text} at {len(place)}")

    assert document.content == {"a": ["x at 2", 1]}
    assert document.found(("a", 0)) == '"x"'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ":4: b.c stands twice, first in line 3; keep one."),
        ("a: &x 1\nb: *x\n", ":2: the alias *x is not followed; write the value itself."),
        ("a: !!python/name:os.system x\n", ":1: the tag tag:yaml.org,2002:python/name:os.system is not read;"),
        ("a: 1\n---\nb: 2\n", ":2: a second document begins; keep one in a file."),
        ("? [a]\n: 1\n", ":1: a key is one word or text, not a list, a mapping or an alias."),
        ("a: 1\n b: 2\n", ":2: this is not YAML: mapping values are not allowed in this context."),
        ("[" * 100_000, ":1: this lies more than 40 levels deep."),
        (b"a: 1\nb: \xff\n", ":2: this is not UTF-8. Save the file as UTF-8."),
        (b"a: \x07", ": this is not YAML: control characters are not allowed."),
        (b"#" * (yamlfile.FILE_BYTES_MAX + 1), " has more than 8388608 bytes. Split it."),
    ],
    ids=[
        "key-twice",
        "alias",
        "tag",
        "second-document",
        "odd-key",
        "syntax",
        "depth",
        "encoding",
        "control-character",
        "size",
    ],
)
def test_what_it_cannot_read_is_refused_with_its_line(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        document_of(tmp_path, text)

    assert f"file.yaml{complaint}" in str(caught.value)


def test_a_file_that_is_missing_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        yamlfile.load(tmp_path / "none.yaml")
