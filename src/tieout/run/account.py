"""What the doctor asks of a warehouse in Snowflake: here its address, the contracts and the set-up are known."""

from __future__ import annotations

from functools import partial

from ..base.clock import Clock
from ..base.errors import Misconfigured
from ..base.finding import Finding
from ..contract import odcs
from ..merge.snowflake.account import Account
from .contracts import Contracts
from .extras import needs
from .project import Project
from .snowflake_setup.attaching import tags_shown
from .snowflake_setup.reading import governed
from .snowflake_setup.wanted import Governed, Options, Wanted, readers


def account_findings(project: Project, clock: Clock) -> tuple[Finding, ...]:
    """What there is to say of the account of a warehouse in Snowflake. Raises Misconfigured where what asks it is not
    installed."""
    account = project.warehouse
    assert isinstance(account, Account), "a file is looked at as a file"
    needs("snowflake", "the warehouse in Snowflake")
    from ..merge.snowflake.checkup import CODES, SnowflakeCheckup
    from ..merge.snowflake.opening import opened_to_look

    open_ = partial(opened_to_look, account, {"project": project.name, "work": "doctor"})
    streams, wrong = _governed(project)
    unknown = [CODES("snowflake.question.refused", one.message, about="tags", hint=one.hint) for one in wrong]
    wanted = Wanted(project.name, tuple(streams), Options(database=account.database))
    roles, tags = readers(account.database), tags_shown(wanted)
    return (*SnowflakeCheckup(account, open_, clock, readers=roles, tags=tags).check(), *unknown)


def _governed(project: Project) -> tuple[list[Governed], list[Misconfigured]]:
    """Of each stream with a contract who may see it, and why that is not known of some."""
    found, wrong, contracts = list[Governed](), list[Misconfigured](), Contracts(project.root)
    for stream in (one for source in sorted(project.sources) for one in contracts.written(source)):
        try:
            found.append(governed(odcs.find(project.root, stream), stream))
        except Misconfigured as error:
            wrong.append(error)
    return found, wrong
