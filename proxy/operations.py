"""What an operator does besides serving: `init`, `keys`, `seal`, `grants`, `policy`.  Thin: each calls what does it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from keys.keyring import KeyNeed
from keys.passphrase import PassphraseSource
from keys.store import add_missing_keys, change_passphrase, init_keyring, list_keys, open_keyring, replace_lost_ledger
from policies.loader import load_policy
from policies.matrix import text as matrix_text
from policies.policy_set import PolicySet
from proxy.errors import ConfigError

from .config import Config, KeysConfig, load_config
from .control import Connection, connect
from .grants.command import apply_grants, finding_text, plan_grants, plan_text, verify_grants
from .sealing.job import abandon_sealing, find_field, seal_field
from .sealing.needs import key_needs
from .sealing.remains import remaining_plaintext
from .sealing.run import SealOptions, SealOutcome, SealStep
from .terminal import DEFAULT_CONFIG, ConfigOption, ask_secret, has_source, passphrase_of, reporting

keys_app = typer.Typer(help="Keys of sealed fields.", no_args_is_help=True)
grants_app = typer.Typer(help="PostgreSQL's own column privileges of the upstream roles.", no_args_is_help=True)
policy_app = typer.Typer(help="The written policy.", no_args_is_help=True)

DatabaseOption = Annotated[str | None, typer.Option("--database", "-d", help="Needed when several are configured.")]
OwnerOption = Annotated[
    str, typer.Option("--as", help="The role to do it as: the tables' owner.  Password: PGPASSWORD, or asked for.")
]
_out = Console(highlight=False)
_Result = TypeVar("_Result")


def add_to(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(seal)
    app.add_typer(keys_app, name="keys")
    app.add_typer(grants_app, name="grants")
    app.add_typer(policy_app, name="policy")


def init(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the keyring, with keys for every sealed field of the configured policies."""
    with reporting():
        loaded = load_config(config)
        keys = _keys(loaded)
        passphrase = _new_passphrase(keys)
        init_keyring(keys.keyring, passphrase)
        added = add_missing_keys(keys.keyring, passphrase, _needs(loaded))
        _out.print(f"made {keys.keyring} with {len(added)} keys", markup=False, soft_wrap=True)
        _out.print("Back it up, and its passphrase apart from it: without both, sealed data cannot be read.")


@keys_app.command("list")
def keys_list(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every key: what it is for, its state, how many cells it may have sealed."""
    with reporting():
        loaded = load_config(config)
        names = {slot: need.name for need in _needs(loaded) for slot in need.slots}
        table = Table("key", "purpose", "field or group", "epoch", "state", "made", "seals granted")
        for line in list_keys(_keys(loaded).keyring, _passphrase(loaded)):
            info = line.info
            granted = "" if line.seals_granted is None else f"{line.seals_granted:,}"
            name = names.get(info.slot, info.slot.scope)
            table.add_row(
                info.key_id.hex(), info.slot.purpose, name, str(info.epoch), info.state, info.created_at, granted
            )
        _out.print(table)


@keys_app.command("add")
def keys_add(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the keys that the policies' sealed fields lack."""
    with reporting():
        loaded = load_config(config)
        added = add_missing_keys(_keys(loaded).keyring, _passphrase(loaded), _needs(loaded))
        _out.print(f"added {len(added)} keys")
        if added:
            _out.print("Let a running proxy know: fieldgate reload")


@keys_app.command("change-passphrase")
def keys_change_passphrase(
    config: ConfigOption = DEFAULT_CONFIG,
    new_file: Annotated[Path | None, typer.Option(help="Holds the new passphrase; else it is asked for.")] = None,
) -> None:
    """Wrap all keys anew.  Copies of the old file still open with the old passphrase."""
    with reporting():
        loaded = load_config(config)
        old = _passphrase(loaded)
        if new_file is not None:
            new = PassphraseSource(new_file).read(os.environ)
        else:
            new = ask_secret("New passphrase of the keyring", confirm=True)
        change_passphrase(_keys(loaded).keyring, old, new)
        _out.print("changed; put the new passphrase where the configuration looks for it")


@keys_app.command("replace-lost-ledger")
def keys_replace_lost_ledger(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """When the count of seals beside the keyring is gone: half of each key's budget counts as used."""
    with reporting():
        loaded = load_config(config)
        replace_lost_ledger(_keys(loaded).keyring, _passphrase(loaded))
        _out.print("made a new ledger")


def seal(
    column: Annotated[str, typer.Argument(metavar="TABLE.COLUMN", help="A sealed field of the data map.")],
    config: ConfigOption = DEFAULT_CONFIG,
    owner: OwnerOption = "postgres",
    database: DatabaseOption = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows a transaction.")] = 500,
    pause: Annotated[float, typer.Option(min=0.0, help="Seconds between batches.")] = 0.0,
    abandon: Annotated[bool, typer.Option("--abandon", help="Take back a sealing that has not switched yet.")] = False,
) -> None:
    """Seal a column's existing plaintext in place.  Can be stopped and run again at any point."""
    with reporting():
        loaded = load_config(config)
        name, policy = _policy(loaded, database)
        _, field = find_field(policy.data_map, column)
        if abandon:
            _with_owner(loaded, owner, name, lambda c: abandon_sealing(c, policy.data_map, column))
            _out.print(f"{field.name}: as it was before")
            return
        opened = open_keyring(_keys(loaded).keyring, _passphrase(loaded))
        ciphers = opened.keyring.ciphers(key_needs(policy.data_map), opened.leases())
        options = SealOptions(batch=batch, pause=pause)
        try:
            with _SealProgress(field.name) as bar:
                outcome = _with_owner(
                    loaded,
                    owner,
                    name,
                    lambda c: seal_field(c, policy.data_map, column, ciphers, options=options, progress=bar.step),
                )
        finally:
            ciphers.close()
        _tell_sealed(field.name, outcome)
        _out.print("\n".join(remaining_plaintext(field)), markup=False, soft_wrap=True)


@grants_app.command("plan")
def grants_plan(
    config: ConfigOption = DEFAULT_CONFIG, owner: OwnerOption = "postgres", database: DatabaseOption = None
) -> None:
    """Print the GRANTs and REVOKEs that the policy asks for, each with its reason."""
    with reporting():
        loaded = load_config(config)
        name, policy = _policy(loaded, database)
        made = _with_owner(loaded, owner, name, lambda c: plan_grants(c, policy, _control_user(loaded)))
        _out.print(plan_text(made), end="", markup=False, soft_wrap=True)


@grants_app.command("apply")
def grants_apply(
    config: ConfigOption = DEFAULT_CONFIG, owner: OwnerOption = "postgres", database: DatabaseOption = None
) -> None:
    """Do what `plan` prints, in one transaction."""
    with reporting():
        loaded = load_config(config)
        name, policy = _policy(loaded, database)
        left = _with_owner(loaded, owner, name, lambda c: apply_grants(c, policy, _control_user(loaded)))
        _out.print(plan_text(left), end="", markup=False, soft_wrap=True)
        raise typer.Exit(1 if left.findings else 0)


@grants_app.command("verify")
def grants_verify(config: ConfigOption = DEFAULT_CONFIG, database: DatabaseOption = None) -> None:
    """Whether an upstream role may do more than the policy gives it; `serve` refuses to start then."""
    with reporting():
        loaded = load_config(config)
        name, policy = _policy(loaded, database)
        control = loaded.control
        if control is None:
            raise ConfigError("[control] is required")
        password = control.password_file.read_text().rstrip("\r\n") if control.password_file else None
        found = asyncio.run(_with(loaded, control.user, password, name, lambda c: verify_grants(c, policy)))
        for finding in found:
            _out.print(finding_text(finding), markup=False, soft_wrap=True)
        if found:
            raise typer.Exit(1)
        _out.print("no upstream role may do more than the policy gives it")


@policy_app.command("validate")
def policy_validate(folder: Annotated[Path, typer.Argument(help="A folder of policy files.")]) -> None:
    """Whether a policy is complete and consistent; names file, line and key of what is not."""
    with reporting():
        policy = load_policy(folder)
        _out.print(f"revision {policy.revision}: {len(policy.rules)} rules, {len(policy.logins)} logins", markup=False)


@policy_app.command("matrix")
def policy_matrix(folder: Annotated[Path, typer.Argument(help="A folder of policy files.")]) -> None:
    """Every role's verbs over every field, as the policy decides."""
    with reporting():
        _out.print(matrix_text(load_policy(folder)), end="", markup=False, soft_wrap=True)


# -- what the commands share --


class _SealProgress:
    """One bar that follows the steps of a sealing."""

    def __init__(self, name: str) -> None:
        columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns)
        self._task = self._progress.add_task(name, total=None)
        self._name = name

    def __enter__(self) -> _SealProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, step: SealStep, done: int, total: int) -> None:
        self._progress.update(self._task, description=f"{self._name} {step}", completed=done, total=total)


def _tell_sealed(name: str, outcome: SealOutcome) -> None:
    if outcome.already:
        _out.print(f"{name} is sealed already", markup=False)
    else:
        _out.print(f"{name}: {outcome.rows:,} rows sealed, every cell opened and compared", markup=False)
    if outcome.fenced:
        _out.print("Old transactions are still open; run the same command later to lift the fence.")


def _keys(config: Config) -> KeysConfig:
    if config.keys is None:
        raise ConfigError("[keys] is required")
    return config.keys


def _passphrase(config: Config) -> str:
    found = passphrase_of(_keys(config))
    return found() if found is not None else ""


def _new_passphrase(keys: KeysConfig) -> str:
    if has_source(keys):
        found = passphrase_of(keys)
        return found() if found is not None else ""
    return ask_secret("New passphrase of the keyring", confirm=True)


def _needs(config: Config) -> tuple[KeyNeed, ...]:
    return tuple(need for db in config.databases.values() for need in key_needs(load_policy(db.policy).data_map))


def _policy(config: Config, database: str | None) -> tuple[str, PolicySet]:
    if not config.databases:
        raise ConfigError("[databases] names no database")
    if database is None and len(config.databases) > 1:
        raise ConfigError(f"say which database: --database {' or '.join(sorted(config.databases))}")
    name = database or next(iter(config.databases))
    if name not in config.databases:
        raise ConfigError(f"[databases] does not name {name}")
    return name, load_policy(config.databases[name].policy)


def _control_user(config: Config) -> str | None:
    return config.control.user if config.control else None


def _with_owner(config: Config, user: str, database: str, work: Callable[[Connection], Awaitable[_Result]]) -> _Result:
    password = os.environ.get("PGPASSWORD")
    if password is None and "PGPASSFILE" not in os.environ and not _pgpass().exists():
        password = ask_secret(f"Password of {user}")
    return asyncio.run(_with(config, user, password, database, work))


def _pgpass() -> Path:
    return Path("~/.pgpass").expanduser()


async def _with(
    config: Config, user: str, password: str | None, database: str, work: Callable[[Connection], Awaitable[_Result]]
) -> _Result:
    connection = await connect(config.upstream, user, password, database, command_timeout=None)
    try:
        return await work(connection)
    finally:
        await connection.close()
