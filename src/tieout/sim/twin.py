"""The same landing merged once more, from nothing, by the embedded engine, beside what stands elsewhere.

Nothing is copied from one to the other: the twin reads the landing alone, and is certified for itself. Nothing lands
meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.cursor import Progress
from ..base.stream import Stream
from ..capture.source import Bound, Captured, Source
from ..merge.asked import reading_of
from ..merge.warehouse import Reader
from ..quality.certificate import Certificate, Certificates
from ..run.contracts import describes_nothing
from ..run.house import House
from .world.bugs.planting import instead

_OF_ITS_MOMENT = frozenset({"freshness_p95_seconds", "cut", "cost", "how", "since", "derived"})
"""What of a certificate says when and at what cost it was made."""

Certify = Callable[[House], Certificates]


@dataclass(frozen=True, slots=True)
class Twin:
    """`hash`: of each stream, as the embedded engine has it; `unlike`: what is not alike, a sentence each."""

    engine: str
    hashes: dict[Stream, str]
    unlike: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        hashes = {str(stream): hash_ for stream, hash_ in self.hashes.items()}
        return {"engine": self.engine, "state_hashes": hashes, "unlike": list(self.unlike)}


def twin(house: House, certificates: Certificates, file: Path, certify: Certify) -> Twin:
    """`certificates` are of the house's own warehouse, as it stands; the twin's file is a new one."""
    other = house.elsewhere(file)
    with ExitStack() as stack:
        for lane in house.lanes():
            stack.enter_context(_silent(house, lane))
        again = certify(other)
    streams = [one.stream for one in certificates.streams]
    with house.reader() as here, other.reader() as there:
        engine = here.engine.value
        ours = {stream: _hash(house, here, stream) for stream in streams}
        theirs = {stream: _hash(other, there, stream) for stream in streams}
    return Twin(engine, ours, (*_unlike_hashes(ours, theirs), *_unlike(certificates, again)))


def _silent(house: House, lane: str) -> AbstractContextManager[None]:
    """Within it a capture of this source lands nothing, so that both sides have heard the same."""
    with closing(house.source(lane)) as source:
        return instead(type(source), "capture", _nothing)()


def _nothing(source: Source, progress: Progress, *, until: Bound, meanwhile: Callable[[], None]) -> Iterator[Captured]:
    return iter(())


def _hash(house: House, reader: Reader, stream: Stream) -> str:
    return reading_of(reader, house.tools.contracts.of(stream, describes_nothing)).state_hash()


def _unlike_hashes(ours: dict[Stream, str], theirs: dict[Stream, str]) -> Iterator[str]:
    for stream, hash_ in ours.items():
        if hash_ != theirs[stream]:
            yield f"{stream}: the state's hash is {hash_}, and {theirs[stream]} embedded."


def _unlike(certificates: Certificates, again: Certificates) -> Iterator[str]:
    theirs = {one.stream: _lasting(one) for one in again.streams}
    for stream, ours in ((one.stream, _lasting(one)) for one in certificates.streams):
        for word in sorted(key for key, value in ours.items() if theirs.get(stream, {}).get(key) != value):
            told = theirs[stream][word] if stream in theirs else "nothing"
            yield f"{stream}: the certificate says of {word} {ours[word]}, and {told} embedded."
    for one in again.uncertified:
        yield f"{one.stream}: it could not be certified embedded: {one.reason}"


def _lasting(certificate: Certificate) -> dict[str, Any]:
    return {key: value for key, value in certificate.report().items() if key not in _OF_ITS_MOMENT}
