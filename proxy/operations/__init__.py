"""What an operator does besides serving.  Thin: each command calls what does the work."""

from __future__ import annotations

import typer

from . import (
    admin_tokens,
    control,
    explain,
    grants,
    key_work,
    keyring,
    leakage,
    observe,
    policy,
    provider,
    scanning,
    sealing,
)


def add_to(app: typer.Typer) -> None:
    app.command()(keyring.init)
    app.command()(sealing.seal)
    app.command()(sealing.unseal)
    app.command()(scanning.scan_plaintext)
    app.command("explain")(explain.explain_statement)
    app.command()(leakage.leakage)
    app.add_typer(control.control_app, name="control")
    keyring.keys_app.add_typer(provider.provider_app, name="provider")
    app.add_typer(keyring.keys_app, name="keys")
    key_work.add_to(keyring.keys_app)
    app.add_typer(admin_tokens.admin_app, name="admin")
    app.add_typer(grants.grants_app, name="grants")
    app.add_typer(observe.observe_app, name="observe")
    app.add_typer(policy.policy_app, name="policy")
