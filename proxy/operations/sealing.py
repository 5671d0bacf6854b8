"""`fieldgate seal|unseal TABLE.COLUMN`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from policies.fields import DataMap, Field
from policies.policy_set import PolicySet
from proxy.config import Config, load_config
from proxy.config_keys import KeyStoreKind
from proxy.control import Connection
from proxy.errors import ConfigError
from proxy.grants.command import apply_grants
from proxy.key_stores import sealing_ciphers
from proxy.sealing.job import abandon_sealing, abandon_unsealing, find_field, seal_field, unseal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.plan import plan_lines, plan_sealing
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.run import Hooks, InSwitch, SealOptions, SealOutcome, SealStep
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, passphrase_of, reporting

from .shared import DatabaseOption, OwnerOption, control_user, keys_config, out, policy_of, with_owner

Doing = Callable[..., Awaitable[SealOutcome]]  # seal_field or unseal_field
Abandoning = Callable[[Connection, DataMap, str], Awaitable[None]]
ColumnArgument = Annotated[str, typer.Argument(metavar="TABLE.COLUMN", help="A sealed field of the data map.")]
BatchOption = Annotated[int, typer.Option(min=1, help="Rows a transaction.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Print what it would do, and change nothing.")]
PauseOption = Annotated[float, typer.Option(min=0.0, help="Seconds between batches.")]


def seal(
    column: ColumnArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    owner: OwnerOption = "postgres",
    database: DatabaseOption = None,
    batch: BatchOption = 500,
    pause: PauseOption = 0.0,
    plan: PlanOption = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Take back a sealing that has not switched yet.")] = False,
) -> None:
    """Seal a column's existing plaintext in place.  Can be stopped and run again at any point."""
    with reporting():
        loaded, name, policy, field = _asked(config, database, column)
        if plan:
            _plan(loaded, owner, name, policy, field, seals=True)
        if abandon:
            _abandon(loaded, owner, name, policy, field, abandon_sealing)
            return
        outcome = _carry_out(loaded, owner, name, policy, field, seal_field, SealOptions(batch=batch, pause=pause))
        _tell(field.name, outcome, "sealed", "every cell opened and compared")
        out.print("\n".join(remaining_plaintext(field)), markup=False, soft_wrap=True)


def unseal(
    column: ColumnArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    owner: OwnerOption = "postgres",
    database: DatabaseOption = None,
    batch: BatchOption = 500,
    pause: PauseOption = 0.0,
    plan: PlanOption = False,
    settle: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds after the switch until every proxy knows; cells are refused till then."),
    ] = 30.0,
    confirm: Annotated[
        str | None, typer.Option(metavar="TABLE.COLUMN", help="The column once more: its plaintext will be stored.")
    ] = None,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Take back an unsealing that has not switched yet.")
    ] = False,
) -> None:
    """Put a sealed column's plaintext back into the database.  Can be stopped and run again at any point."""
    with reporting():
        loaded, name, policy, field = _asked(config, database, column)
        if plan:
            _plan(loaded, owner, name, policy, field, seals=False)
        if abandon:
            _abandon(loaded, owner, name, policy, field, abandon_unsealing)
            return
        if keys_config(loaded).store is KeyStoreKind.DATABASE:
            raise ConfigError(f"a second person approves an unsealing: fieldgate keys unseal {field.name}")
        if confirm != column:
            raise ConfigError(f"{field.name}: say --confirm {column} if its plaintext is to be stored again")
        options = SealOptions(batch=batch, pause=pause, settle_seconds=settle)
        outcome = _carry_out(loaded, owner, name, policy, field, unseal_field, options)
        _tell(field.name, outcome, "plain", "every value compared with its cell")


def _plan(loaded: Config, owner: str, database: str, policy: PolicySet, field: Field, *, seals: bool) -> NoReturn:
    """Exit code 1: something is refused."""
    made = with_owner(loaded, owner, database, lambda c: plan_sealing(c, policy.data_map, field.name, seals=seals))
    out.print("\n".join(plan_lines(made)), markup=False, soft_wrap=True)
    raise typer.Exit(1 if made.survey.obstacles else 0)


def _asked(config: Path, database: str | None, column: str) -> tuple[Config, str, PolicySet, Field]:
    loaded = load_config(config)
    name, policy = policy_of(loaded, database)
    return loaded, name, policy, find_field(policy.data_map, column)[1]


def _abandon(
    loaded: Config, owner: str, database: str, policy: PolicySet, field: Field, abandoning: Abandoning
) -> None:
    with_owner(loaded, owner, database, lambda c: abandoning(c, policy.data_map, field.name))
    out.print(f"{field.name}: as it was before", markup=False)


def _carry_out(
    loaded: Config, owner: str, database: str, policy: PolicySet, field: Field, doing: Doing, options: SealOptions
) -> SealOutcome:
    passphrase = passphrase_of(keys_config(loaded))
    with _SealProgress(field.name) as bar:
        hooks = Hooks(bar.step, in_switch=_with_grants(loaded, policy, field))

        async def work(connection: Connection) -> SealOutcome:
            async with sealing_ciphers(loaded, passphrase, key_needs(policy.data_map)) as ciphers:
                return await doing(connection, policy.data_map, field.name, ciphers, options=options, hooks=hooks)

        return with_owner(loaded, owner, database, work)


def _with_grants(loaded: Config, policy: PolicySet, field: Field) -> InSwitch:
    """Proxies go on serving a field whose form changes, so its privileges change with it."""

    async def grant(connection: Connection) -> None:
        if field.migrating is not None:
            await apply_grants(connection, policy, control_user(loaded))

    return grant


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


def _tell(name: str, outcome: SealOutcome, form: str, proof: str) -> None:
    if outcome.already:
        out.print(f"{name} is {form} already", markup=False)
    else:
        out.print(f"{name}: {outcome.rows:,} rows {form}, {proof}", markup=False)
    if outcome.fenced:
        out.print("Old transactions are still open; run the same command later to lift the fence.")
