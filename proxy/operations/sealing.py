"""`fieldgate seal TABLE.COLUMN`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from keys.store import open_keyring
from proxy.config import load_config
from proxy.sealing.job import abandon_sealing, find_field, seal_field
from proxy.sealing.needs import key_needs
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.run import SealOptions, SealOutcome, SealStep
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import DatabaseOption, OwnerOption, current_passphrase, keys_config, out, policy_of, with_owner


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
        name, policy = policy_of(loaded, database)
        _, field = find_field(policy.data_map, column)
        if abandon:
            with_owner(loaded, owner, name, lambda c: abandon_sealing(c, policy.data_map, column))
            out.print(f"{field.name}: as it was before")
            return
        opened = open_keyring(keys_config(loaded).keyring, current_passphrase(loaded))
        ciphers = opened.keyring.ciphers(key_needs(policy.data_map), opened.leases())
        options = SealOptions(batch=batch, pause=pause)
        try:
            with _SealProgress(field.name) as bar:
                outcome = with_owner(
                    loaded,
                    owner,
                    name,
                    lambda c: seal_field(c, policy.data_map, column, ciphers, options=options, progress=bar.step),
                )
        finally:
            ciphers.close()
        _tell_sealed(field.name, outcome)
        out.print("\n".join(remaining_plaintext(field)), markup=False, soft_wrap=True)


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
        out.print(f"{name} is sealed already", markup=False)
    else:
        out.print(f"{name}: {outcome.rows:,} rows sealed, every cell opened and compared", markup=False)
    if outcome.fenced:
        out.print("Old transactions are still open; run the same command later to lift the fence.")
