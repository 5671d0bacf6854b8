"""`fieldgate leakage`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from policies.leakage.profile import profiles
from proxy.config import load_config
from proxy.errors import ConfigError
from proxy.leakage.measure import Measured, measure
from proxy.leakage.text import data, markdown, plain
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import DatabaseOption, OwnerOption, out, policy_of, with_owner


def leakage(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    measured: Annotated[bool, typer.Option("--measure", help="Count the terms of the database; reads each table.")] = (
        False
    ),
    owner: OwnerOption = "postgres",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table for documents.")] = False,
) -> None:
    """What who reads the database learns of each field, by how it is stored."""
    with reporting():
        if as_json and as_markdown:
            raise ConfigError("give --json or --markdown, not both")
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        report = profiles(policy.data_map)
        numbers: dict[str, Measured] = {}
        if measured:
            numbers = with_owner(loaded, owner, name, lambda c: measure(c, policy.data_map))
        if as_json:
            out.print_json(json.dumps(data(report, numbers)))
            return
        for line in (markdown if as_markdown else plain)(report, numbers):
            out.print(line, markup=False, soft_wrap=True)
