"""`fieldgate explain "select ..."`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from policies.engine import CompiledDecisions
from policies.errors import PrincipalRefused
from policies.model import Principal
from policies.policy_set import PolicySet
from proxy.catalog_loader import load_catalog
from proxy.config import Config, load_config
from proxy.control import Control
from proxy.errors import ConfigError
from proxy.explain.explanation import Explanation, explain, principal_for_role
from proxy.explain.server_plan import ServerPlan, server_plan
from proxy.explain.text import rendered
from proxy.session.search_path import parse_search_path
from proxy.sql.planner import PlanContext
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import DatabaseOption, out, policy_of

_REFUSED = 1


def explain_statement(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="One SQL statement.")],
    config: ConfigOption = DEFAULT_CONFIG,
    role: Annotated[str | None, typer.Option(help="Somebody with this role of the policy alone.")] = None,
    login: Annotated[str | None, typer.Option(help="This login of the policy.")] = None,
    purpose: Annotated[str | None, typer.Option(help="In place of the role's own.")] = None,
    subject: Annotated[str | None, typer.Option(help="The data subject that is spoken for.")] = None,
    search_path: Annotated[str, typer.Option(help="The session's.")] = '"$user", public',
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What becomes of a statement: its parse, its uses of fields, the rules, what is sent, PostgreSQL's plan."""
    with reporting():
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        who = _principal(policy, role, login, purpose, subject)
        upstream = _upstream_role(policy, role, login)
        path = parse_search_path(search_path)
        if path is None:
            raise ConfigError("--search-path: is not one")
        told, plan = asyncio.run(_explained(loaded, name, policy, who, statement, path, upstream))
        if as_json:
            out.print_json(json.dumps({**asdict(told), "server_plan": asdict(plan)}))
        else:
            out.print(rendered(told, plan), soft_wrap=True)
    raise typer.Exit(0 if told.allowed else _REFUSED)


def _principal(
    policy: PolicySet, role: str | None, login: str | None, purpose: str | None, subject: str | None
) -> Principal:
    if (role is None) == (login is None):
        raise ConfigError("give --role or --login")
    try:
        if role is not None:
            return principal_for_role(policy, role, purpose, subject)
        return policy.principal(login or "", person=None, purpose=purpose, case="explain", subject=subject)
    except KeyError as unknown:
        raise ConfigError(f"the policy does not know {unknown.args[0]}") from None
    except PrincipalRefused as refused:
        raise ConfigError(str(refused)) from None


def _upstream_role(policy: PolicySet, role: str | None, login: str | None) -> str | None:
    if login is not None:
        known = policy.logins.get(login)
        return known.upstream_role if known is not None else None
    return next((each.upstream_role for each in policy.logins.values() if each.roles == {role}), None)


async def _explained(
    config: Config,
    name: str,
    policy: PolicySet,
    who: Principal,
    statement: str,
    path: tuple[str, ...],
    upstream: str | None,
) -> tuple[Explanation, ServerPlan]:
    if config.control is None:
        raise ConfigError("[control] is required")
    control = Control(config.control, config.upstream)
    try:
        async with control.connection(name) as connection:
            catalog = await load_catalog(connection, policy.data_map)
            context = PlanContext(catalog, CompiledDecisions(policy), who, path)
            told, plan = explain(statement, context, policy)
            return told, await server_plan(config, name, plan, path, upstream, connection)
    finally:
        await control.close()
