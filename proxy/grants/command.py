"""`fieldgate grants plan|apply|verify`, for whoever holds a connection: the commands, the start of the proxy, the demo.

`plan` and `verify` read catalogs only, and any role can do that.  `apply` needs a role that may grant on the protected
tables: their owner, or a superuser.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.policy_set import PolicySet
from proxy.errors import ConfigError
from proxy.stored_forms import stored_forms

from . import live
from .planning import GrantPlan, plan
from .verify import Finding, verify
from .wanted import upstream_roles, wanted

Connection = Any  # asyncpg has no types that mypy can check


async def plan_grants(connection: Connection, policy: PolicySet, control_role: str | None = None) -> GrantPlan:
    """What would be changed, and what a person must change."""
    policy = await _as_stored(connection, policy.enforced())
    if not policy.data_map.tables:
        return GrantPlan((), ())
    snapshot = await live.read(connection, policy.data_map)
    return plan(snapshot, wanted(policy, snapshot, control_role), _roles(policy, control_role))


async def apply_grants(connection: Connection, policy: PolicySet, control_role: str | None = None) -> GrantPlan:
    """Everything in one transaction.  Returns what is left for a person to do.

    Raises ConfigError, and nothing has changed, when PostgreSQL refuses or does not do what was asked (it only warns
    about privileges that somebody else granted).
    """
    try:
        async with connection.transaction():
            await live.lock(connection)
            made = await plan_grants(connection, policy, control_role)
            await live.execute(connection, made.changes)
            left = await plan_grants(connection, policy, control_role)
            if left.changes:
                raise ConfigError(f"the grants were not applied: without effect for this role: {left.changes[0].sql}")
            return left
    except live.FAILURES as error:
        raise ConfigError(f"the grants were not applied: {live.reason_of(error)}") from None


async def verify_grants(connection: Connection, policy: PolicySet) -> tuple[Finding, ...]:
    """Over-privileged upstream roles: none, or the proxy does not start (I2)."""
    policy = await _as_stored(connection, policy.enforced())
    if not policy.data_map.tables:
        return ()  # everything is observed only, and nothing is promised yet
    snapshot = await live.read(connection, policy.data_map)
    return verify(snapshot, wanted(policy, snapshot), upstream_roles(policy))


async def _as_stored(connection: Connection, policy: PolicySet) -> PolicySet:
    """Who may read a field needs its own column while it is plain, and its term's while it is sealed."""
    return replace(policy, data_map=await stored_forms(connection, policy.data_map))


def _roles(policy: PolicySet, control_role: str | None) -> frozenset[str]:
    return upstream_roles(policy) | ({control_role} if control_role is not None else frozenset())


def plan_text(made: GrantPlan) -> str:
    """As SQL that a person can read, change and run: one statement a line, each with its reason before it."""
    lines = []
    for change in made.changes:
        lines += [f"-- {change.reason}", f"{change.sql};"]
    lines += [f"-- by hand: {finding_text(finding)}" for finding in made.findings]
    return "".join(f"{line}\n" for line in lines or ["-- nothing to do"])


def finding_text(finding: Finding) -> str:
    return f"{finding.role} {finding.what} -> {finding.repair}"
