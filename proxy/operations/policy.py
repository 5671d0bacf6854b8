"""`fieldgate policy validate|matrix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policies.loader import load_policy
from policies.matrix import text as matrix_text
from proxy.terminal import reporting

from .shared import out

policy_app = typer.Typer(help="The written policy.", no_args_is_help=True)


@policy_app.command("validate")
def policy_validate(folder: Annotated[Path, typer.Argument(help="A folder of policy files.")]) -> None:
    """Whether a policy is complete and consistent; names file, line and key of what is not."""
    with reporting():
        policy = load_policy(folder)
        out.print(f"revision {policy.revision}: {len(policy.rules)} rules, {len(policy.logins)} logins", markup=False)


@policy_app.command("matrix")
def policy_matrix(folder: Annotated[Path, typer.Argument(help="A folder of policy files.")]) -> None:
    """Every role's verbs over every field, as the policy decides."""
    with reporting():
        out.print(matrix_text(load_policy(folder)), end="", markup=False, soft_wrap=True)
