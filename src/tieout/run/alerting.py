"""Telling people what is wrong: each incident once to each address, and once more when it is over.

That somebody was told is entered when the message is on its way. Should a process end between, the message comes twice:
better than not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ..base.codec import sha256_hex
from ..base.errors import Misconfigured
from ..ledger.facts import Alerted
from ..ledger.ledger import Ledger
from ..quality.incident import Cause, Incident, Notice, Told, notices
from .project import AlertConfig

_MARK_WIDTH = 12
"""Of a hash that stands for an address in the book."""


class Post(Protocol):
    """Brings a message to one address."""

    def deliver(self, title: str, text: str) -> bool:
        """Whether it was taken there."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one notice. `scheme` is of the address what tells no secret, such as slack."""

    scheme: str
    notice: Notice
    delivered: bool

    def to_json(self) -> dict[str, Any]:
        told = {"to": self.scheme, "event": self.notice.event, "incident": self.notice.id}
        return {**told, "delivered": self.delivered}


def alert(
    ledger: Ledger, found: Iterable[Incident], addresses: Iterable[AlertConfig], *, unseen: Collection[Cause] = ()
) -> tuple[Sent, ...]:
    """Tells each address what is new for it; of the causes that are `unseen` nothing is said to be over. What could not
    be delivered is tried again at the next call. Raises Misconfigured for an address that nobody understands, when all
    others have been told."""
    known = tuple(found)
    sent: list[Sent] = []
    posts, wrong = _understood(addresses)
    for address, post in posts:
        mark = _mark(address)
        told = [Told(fact.incident, fact.event, fact.parts) for fact in _alerted(ledger) if fact.to == mark]
        for notice in notices(known, told, least=address.least, unseen=unseen):
            delivered = post.deliver(notice.title, notice.text)
            if delivered:
                ledger.append([Alerted(notice.id, notice.event, mark, notice.parts)], given=[])
            sent.append(Sent(_scheme(address), notice, delivered))
    if wrong is not None:
        raise wrong
    return tuple(sent)


def try_out(addresses: Iterable[AlertConfig], project: str) -> tuple[tuple[str, bool], ...]:
    """Sends every address a message that says it is a test; of each its scheme, and whether it was taken. Raises
    Misconfigured for one that nobody understands, when all others have been sent theirs."""
    text = f"This is a test by `tieout incidents --test` in the project {project}. Nothing is wrong."
    posts, wrong = _understood(addresses)
    taken = tuple((_scheme(address), post.deliver(f"Test: {project}", text)) for address, post in posts)
    if wrong is not None:
        raise wrong
    return taken


def post_of(address: AlertConfig) -> Post:
    """Raises Misconfigured for an address that apprise does not understand; the message does not show it."""
    import apprise

    post = apprise.Apprise()
    if not post.add(address.to):
        raise Misconfigured(
            f"an address under alerts, of the scheme {_scheme(address)}, is none that apprise understands.",
            hint="See https://github.com/caronc/apprise/wiki for the form of each.",
        )
    return _Apprise(post)


@dataclass(frozen=True, slots=True)
class _Apprise:
    post: Any

    def deliver(self, title: str, text: str) -> bool:
        return bool(self.post.notify(title=title, body=text))


def _understood(addresses: Iterable[AlertConfig]) -> tuple[list[tuple[AlertConfig, Post]], Misconfigured | None]:
    """Those to which something can be sent, and what is wrong with the first of the others."""
    posts: list[tuple[AlertConfig, Post]] = []
    wrong: Misconfigured | None = None
    for address in addresses:
        try:
            posts.append((address, post_of(address)))
        except Misconfigured as error:
            wrong = wrong or error
    return posts, wrong


def _alerted(ledger: Ledger) -> list[Alerted]:
    return [entry.fact for entry in ledger.entries(Alerted) if isinstance(entry.fact, Alerted)]


def _mark(address: AlertConfig) -> str:
    return sha256_hex(address.to.encode())[:_MARK_WIDTH]


def _scheme(address: AlertConfig) -> str:
    return address.to.partition("://")[0] if "://" in address.to else "unknown"
