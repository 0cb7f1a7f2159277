"""Files and folders that know what of them was synced, and what a power cut leaves of the rest.

Each un-synced file and each un-synced change of a folder meets its own fate: 0 keeps it. Nothing is younger than
something for that: a later change may be kept and an earlier one be lost, and one of the two halves of a new name too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..chance import Chance

BLOCK_BYTES = 4096
_WAITING_MAX = 16
"""So many changes of a folder wait; then the oldest is written down unasked, as a real disk does after some seconds."""

_KEPT, _DROPPED, _TORN, _BLANKED = range(4)


@dataclass(slots=True, eq=False)
class File:
    """`content` is what everybody reads, the `synced` beginning of it what a power cut cannot touch. One whose sync
    failed once is `forsaken`: the system believes that it did what it could, and never tries again."""

    content: bytes = b""
    synced: bytes = b""
    forsaken: bool = False

    def sync(self) -> None:
        if not self.forsaken:
            self.synced = self.content

    def mend(self, content: bytes) -> None:
        """These are its bytes again, for certain."""
        self.content = self.synced = content

    def flip(self, place: int, bit: int) -> None:
        self.content, self.synced = _flipped(self.content, place, bit), _flipped(self.synced, place, bit)


@dataclass(slots=True, eq=False)
class Folder:
    """`names` is what everybody sees, `synced` what stood at the last sync, `changes` what came since: a name, and what
    it names now (None: nothing)."""

    names: dict[str, Node] = field(default_factory=dict)
    synced: dict[str, Node] = field(default_factory=dict)
    changes: list[tuple[str, Node | None]] = field(default_factory=list)

    def change(self, name: str, node: Node | None) -> None:
        _let(self.names, name, node)
        self.changes.append((name, node))
        if len(self.changes) > _WAITING_MAX:
            _let(self.synced, *self.changes.pop(0))

    def sync(self) -> None:
        self.synced = dict(self.names)
        self.changes.clear()

    def outcomes(self, name: str) -> list[Node | None]:
        """All that a power cut may leave under the name."""
        return [self.synced.get(name), *(node for changed, node in self.changes if changed == name)]


Node = File | Folder


def is_certain(top: Folder, path: Path, whole: bytes) -> bool:
    """Whether any power cut leaves a file with just these bytes there."""
    nodes: list[Node | None] = [top]
    for name in path.parts[1:]:
        nodes = [left for node in nodes for left in (node.outcomes(name) if isinstance(node, Folder) else [None])]
    return all(isinstance(node, File) and node.content == node.synced == whole for node in nodes)


def files_in(folder: Folder, path: Path) -> Iterator[Path]:
    for name, node in folder.names.items():
        if isinstance(node, Folder):
            yield from files_in(node, path / name)
        else:
            yield path / name


@dataclass(frozen=True, slots=True)
class PowerCut:
    """`lost`: what it took, for people. `left`: what it made of each file, which may have two names or none."""

    chance: Chance
    lost: list[str] = field(default_factory=list)
    left: dict[File, File] = field(default_factory=dict)

    def folder(self, folder: Folder, path: Path) -> Folder:
        """What is left of it, and of all that it still names."""
        names = dict(folder.synced)
        for name, node in folder.changes:
            if self.chance.below(2):
                self.lost.append(f"{path / name} {'named' if node else 'removed'}")
            else:
                _let(names, name, node)
        whole = {name: self._node(node, path / name) for name, node in names.items()}
        return Folder(whole, dict(whole))

    def _node(self, node: Node, path: Path) -> Node:
        if isinstance(node, Folder):
            return self.folder(node, path)
        if node not in self.left:
            content = node.synced + self._tail(node.content[len(node.synced) :], path)
            self.left[node] = File(content, content)
        return self.left[node]

    def _tail(self, tail: bytes, path: Path) -> bytes:
        """What is left of the bytes that were not synced."""
        fate = self.chance.below(4) if tail else _KEPT
        if fate == _KEPT:
            return tail
        self.lost.append(f"{path} {('', 'dropped', 'torn', 'blanked')[fate]}")
        if fate == _DROPPED:
            return b""
        if fate == _TORN:
            return tail[: self.chance.below(len(tail))]
        start = BLOCK_BYTES * self.chance.below(-(-len(tail) // BLOCK_BYTES))
        return tail[:start] + b"\0" * len(tail[start : start + BLOCK_BYTES]) + tail[start + BLOCK_BYTES :]


def _let(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    return data if place >= len(data) else data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
