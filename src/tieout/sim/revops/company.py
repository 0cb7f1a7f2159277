"""The company: a simulated org with a past, served here by HTTP and gRPC, and the project that follows it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ...base.clock import Clock
from ...run.project import FILE
from ..examples import REVOPS, example_folder
from ..org.bulk.jobs import BulkJobs
from ..org.bulk.routes import BulkRoutes
from ..org.misbehaviour import Script
from ..org.org import Org
from ..org.pubsub.server import PubSubServer
from ..org.pubsub.stream import Rhythm
from ..org.rest.server import OrgServer
from ..org.seedling import Size, fill
from ..org.sessions import App

SOURCE = "salesforce"
_APP = "3MVG9revopsdemo"
_KEEPALIVE_SECONDS = 2.0
_PACE = {"settle": "1s", "every": "3s", "deleted_every": "5s", "derived_every": "15s", "limit_retry": "3s"}
"""A day in minutes: what an org of the world is asked every minute, this one is every few seconds."""


class Company:
    """Runs from `start` to `close`. `script` says what of the org's calls goes wrong."""

    def __init__(self, clock: Clock, *, seed: int, size: Size) -> None:
        self.org = Org(seed, clock)
        fill(self.org, size, seed=seed)
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        username = str((self.org.get("User", self.org.user) or {})["Username"])
        self.org.sessions.register(App(_APP, public_key=public.decode(), approved=frozenset({username})))
        self.script = Script()
        self.rest = OrgServer(self.org, self.script)
        self.bulk = BulkJobs(self.org)
        self.rest.add(*BulkRoutes(self.bulk).routes)
        self.pubsub = PubSubServer(self.org, self.script, rhythm=Rhythm(keepalive=_KEEPALIVE_SECONDS), seed=seed)
        self._stack = ExitStack()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._secrets = {"SF_CLIENT_ID": _APP, "SF_USERNAME": username, "SF_PRIVATE_KEY": pem.decode()}

    def start(self) -> None:
        self._stack.enter_context(self.rest)
        self._stack.enter_context(self.pubsub)

    def close(self) -> None:
        self._stack.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """What the project's file asks of the environment."""
        return {**self._secrets, "SF_LOGIN_URL": self.rest.login_url}

    def write_project(self, folder: Path, settings: Mapping[str, str]) -> None:
        """The example's project, with the address of this org's events, another pace, and lines of `settings`."""
        shutil.copytree(example_folder(REVOPS), folder, dirs_exist_ok=True)
        path = folder / FILE
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        document |= settings
        document["sources"][SOURCE] |= {"events": self.pubsub.target, **_PACE}
        document.pop("certify", None)  # The demo certifies by itself, when it is time to show it.
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
