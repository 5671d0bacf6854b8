"""`fieldgate control install`."""

from __future__ import annotations

import typer

from proxy.config import load_config
from proxy.control_schema.install import install
from proxy.errors import ConfigError
from proxy.jobs.queue import install_queue
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import OwnerOption, out, with_owner

control_app = typer.Typer(help="The control database.", no_args_is_help=True)


@control_app.command("install")
def control_install(config: ConfigOption = DEFAULT_CONFIG, owner: OwnerOption = "postgres") -> None:
    """Make the control database's schemas, or bring them up to date, and give the control user its rights."""
    with reporting():
        loaded = load_config(config)
        if loaded.control is None:
            raise ConfigError("[control] is required")
        control = loaded.control
        done = with_owner(loaded, owner, control.database, lambda c: install(c, control.user))
        with_owner(loaded, owner, control.database, lambda c: install_queue(c, control.user))
        for name in done.applied:
            out.print(f"applied {name}", markup=False)
        out.print(f"the control schema of {control.database} is at {done.version}", markup=False)
