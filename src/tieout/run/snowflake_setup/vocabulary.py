"""The words that may stand in a set-up without quotes: those of the language, the types and functions it uses, and its
own two names for what a policy is handed."""

from __future__ import annotations

from typing import Final

_STATEMENTS = """
    create alter drop grant revoke use if not exists or replace set to from on in with as select where and is
    role user database schema schemas table tables view views warehouse resource monitor network policy policies
    masking row access tag stage file format account all future add modify column body returns force secure copy
    grants managed transient exists case when then else end null true false service varchar
"""
_SETTINGS = """
    comment type default_role default_warehouse default_secondary_roles timezone lock_timeout network_policy
    error_on_nondeterministic_merge error_on_nondeterministic_update allowed_ip_list
    data_retention_time_in_days max_data_extension_time_in_days
    warehouse_size auto_suspend auto_resume initially_suspended statement_timeout_in_seconds resource_monitor
    credit_quota frequency monthly start_timestamp immediately triggers percent do notify suspend suspend_immediate
    propagate on_dependency_and_data_movement
"""
_RIGHTS = "usage select update delete apply create"
_TYPES = """
    number float boolean date time timestamp_ntz timestamp_ltz timestamp_tz variant object array binary
"""
_EXPRESSIONS = "current_role iff to_varchar said granted role_name stream value"

VOCABULARY: Final = frozenset(" ".join((_STATEMENTS, _SETTINGS, _RIGHTS, _TYPES, _EXPRESSIONS)).split())
