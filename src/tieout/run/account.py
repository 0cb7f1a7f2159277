"""What the doctor asks of a warehouse in Snowflake: here its address and what the set-up makes are known both."""

from __future__ import annotations

from functools import partial

from ..base.clock import Clock
from ..base.finding import Finding
from ..merge.snowflake.account import Account
from .extras import needs
from .project import Project
from .snowflake_setup.wanted import readers


def account_findings(project: Project, clock: Clock) -> tuple[Finding, ...]:
    """What there is to say of the account of a warehouse in Snowflake. Raises Misconfigured where what asks it is not
    installed."""
    account = project.warehouse
    assert isinstance(account, Account), "a file is looked at as a file"
    needs("snowflake", "the warehouse in Snowflake")
    from ..merge.snowflake.checkup import SnowflakeCheckup
    from ..merge.snowflake.opening import opened_to_look

    open_ = partial(opened_to_look, account, {"project": project.name, "work": "doctor"})
    return SnowflakeCheckup(account, open_, clock, readers=readers(account.database)).check()
