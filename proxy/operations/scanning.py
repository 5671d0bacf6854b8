"""`fieldgate scan-plaintext TABLE.COLUMN`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from proxy.config import load_config
from proxy.control import Connection
from proxy.key_stores import sealing_ciphers
from proxy.sealing.job import find_field
from proxy.sealing.needs import key_needs
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.scan import ScanResult, scan_field
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, passphrase_of, reporting

from .shared import DatabaseOption, OwnerOption, keys_config, out, policy_of, with_owner


def scan_plaintext(
    column: Annotated[str, typer.Argument(metavar="TABLE.COLUMN", help="A sealed field of the data map.")],
    config: ConfigOption = DEFAULT_CONFIG,
    owner: OwnerOption = "postgres",
    database: DatabaseOption = None,
    samples: Annotated[int, typer.Option(min=1, max=1000, help="Values of the field to look for.")] = 20,
    whole: Annotated[
        bool, typer.Option("--whole", help="The whole data directory, with WAL and logs, not the table's files only.")
    ] = False,
) -> None:
    """Look for values of a sealed field in the server's files.  Exit code 1: some were found."""
    with reporting():
        loaded = load_config(config)
        name, policy = policy_of(loaded, database)
        _, field = find_field(policy.data_map, column)
        passphrase = passphrase_of(keys_config(loaded))
        columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns) as bars:
            task = bars.add_task(field.name, total=None)

            def show(path: str, done: int, total: int) -> None:
                bars.update(task, description=path or field.name, completed=done, total=total)

            async def work(connection: Connection) -> ScanResult:
                async with sealing_ciphers(loaded, passphrase, key_needs(policy.data_map)) as ciphers:
                    return await scan_field(
                        connection, policy.data_map, column, ciphers, whole=whole, samples=samples, progress=show
                    )

            result = with_owner(loaded, owner, name, work)
        _tell(field.name, result)
        if not whole:
            out.print("\n".join(remaining_plaintext(field)), markup=False, soft_wrap=True)
        raise typer.Exit(1 if result.finds else 0)


def _tell(name: str, result: ScanResult) -> None:
    looked = f"{result.values} values of {name} looked for in {result.files} files, {result.size:,} bytes"
    if not result.values:
        looked += ": the field holds nothing long enough to be told from chance"
    out.print(looked, markup=False, soft_wrap=True)
    for find in result.finds:
        of = f" ({find.relation})" if find.relation else ""
        out.print(f"found {find.form}, {find.count} times: {find.path}{of}", markup=False, soft_wrap=True)
    if result.values and not result.finds:
        out.print("none was found")
