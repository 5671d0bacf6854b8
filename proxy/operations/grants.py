"""`fieldgate grants plan|apply|verify`."""

from __future__ import annotations

import asyncio

import typer

from proxy.config import load_config
from proxy.control import read_secret
from proxy.errors import ConfigError
from proxy.grants.command import apply_grants, finding_text, plan_grants, plan_text, verify_grants
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import DatabaseOption, OwnerOption, control_user, out, policy_of, with_connection, with_owner

grants_app = typer.Typer(help="PostgreSQL's own column privileges of the upstream roles.", no_args_is_help=True)


@grants_app.command("plan")
def grants_plan(
    config: ConfigOption = DEFAULT_CONFIG, owner: OwnerOption = "postgres", database: DatabaseOption = None
) -> None:
    """Print the GRANTs and REVOKEs that the policy asks for, each with its reason."""
    with reporting():
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        made = with_owner(loaded, owner, name, lambda c: plan_grants(c, policy, control_user(loaded)))
        out.print(plan_text(made), end="", markup=False, soft_wrap=True)


@grants_app.command("apply")
def grants_apply(
    config: ConfigOption = DEFAULT_CONFIG, owner: OwnerOption = "postgres", database: DatabaseOption = None
) -> None:
    """Do what `plan` prints, in one transaction."""
    with reporting():
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        left = with_owner(loaded, owner, name, lambda c: apply_grants(c, policy, control_user(loaded)))
        out.print(plan_text(left), end="", markup=False, soft_wrap=True)
        raise typer.Exit(1 if left.findings else 0)


@grants_app.command("verify")
def grants_verify(config: ConfigOption = DEFAULT_CONFIG, database: DatabaseOption = None) -> None:
    """Whether an upstream role may do more than the policy gives it; `serve` refuses to start then."""
    with reporting():
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        control = loaded.control
        if control is None:
            raise ConfigError("[control] is required")
        password = read_secret(control.password_file)
        found = asyncio.run(with_connection(loaded, control.user, password, name, lambda c: verify_grants(c, policy)))
        for finding in found:
            out.print(finding_text(finding), markup=False, soft_wrap=True)
        if found:
            raise typer.Exit(1)
        out.print("no upstream role may do more than the policy gives it")
