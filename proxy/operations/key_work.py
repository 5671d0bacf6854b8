"""`fieldgate keys rotate`, `verify`, `approve`, ... : work over keys, asked for at the admin port.

The shell has no way around the admin port: whoever acts is a person with a token or certificate of their own, so that
roles, the second person and the audit record are the same as for anybody else.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from proxy.config import load_config
from proxy.demo.osuser import write_private
from proxy.errors import ConfigError
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, fail, reporting

from .admin_client import Access, AdminClient, AdminRefused, admin_client, url_of
from .shared import out

EXIT_WAITS = 75  # EX_TEMPFAIL: taken, and not begun before a second person approves or its time has come
_ENDED = ("done", "failed", "cancelled")
_EVERY = 1.0  # seconds

Url = Annotated[str | None, typer.Option(help="The admin port; the configuration's own unless said otherwise.")]
TokenFile = Annotated[
    Path | None, typer.Option(envvar="FIELDGATE_TOKEN_FILE", help="Holds your bearer token; for you alone (0600).")
]
Ca = Annotated[Path | None, typer.Option(envvar="FIELDGATE_ADMIN_CA", help="The CA of the admin port's certificate.")]
Certificate = Annotated[Path | None, typer.Option(help="Your client certificate, instead of a token.")]
CertificateKey = Annotated[Path | None, typer.Option("--certificate-key", help="The key of your client certificate.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the operation to its end.")]
Database = Annotated[str | None, typer.Option("--database", "-d", help="Needed when several are configured.")]
FieldName = Annotated[str, typer.Argument(metavar="TABLE.COLUMN", help="A sealed field of the data map.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="A key's id: 16 hex digits.")]
OperationId = Annotated[str, typer.Argument(metavar="OPERATION", help="An operation's id.")]


@dataclass(frozen=True, slots=True)
class Reach:
    """What each command is told about the admin port and about who asks."""

    config: Path
    url: str | None
    token_file: Path | None
    ca: Path | None
    certificate: Path | None
    certificate_key: Path | None

    def access(self) -> Access:
        url = self.url
        if url is None:
            admin = load_config(self.config).admin
            if admin is None:
                raise ConfigError("the configuration has no [admin] port: name one by --url")
            url = url_of(admin)
        return Access(url, self.token_file, self.ca, self.certificate, self.certificate_key)

    def database(self, said: str | None) -> str:
        if said is not None:
            return said
        names = sorted(load_config(self.config).databases)
        if len(names) != 1:
            raise ConfigError(f"say which database: --database {' or '.join(names) or 'NAME'}")
        return names[0]


_COMMANDS: list[tuple[str, Callable[..., None]]] = []
_REACH: dict[str, tuple[Any, Any]] = {
    "config": (ConfigOption, DEFAULT_CONFIG),
    "url": (Url, None),
    "token_file": (TokenFile, None),
    "ca": (Ca, None),
    "certificate": (Certificate, None),
    "certificate_key": (CertificateKey, None),
}


def _command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command of `fieldgate keys` that has the options of Reach beside its own."""

    def add(work: Callable[..., None]) -> Callable[..., None]:
        own = {name: hint for name, hint in get_type_hints(work, include_extras=True).items() if name != "return"}
        del own["reach"]
        defaults = {name: found.default for name, found in signature(work).parameters.items()}

        def command(**said: Any) -> None:
            reach = Reach(**{name: said.pop(name) for name in _REACH})
            work(reach, **said)

        hints = {**own, **{name: hint for name, (hint, _) in _REACH.items()}}
        values = {**defaults, **{name: value for name, (_, value) in _REACH.items()}}
        made = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=values[name], annotation=hint)
            for name, hint in hints.items()
        ]
        command.__signature__ = Signature(made)  # type: ignore[attr-defined]  # typer reads it
        command.__annotations__, command.__doc__ = hints, work.__doc__
        _COMMANDS.append((name, command))
        return work

    return add


def _run(reach: Reach, work: Callable[[AdminClient], Awaitable[int]]) -> None:
    async def run() -> int:
        async with admin_client(reach.access()) as client:
            return await work(client)

    with reporting():
        try:
            code = asyncio.run(run())
        except AdminRefused as refused:
            fail(refused.message, 1)
        raise typer.Exit(code)


def _ask(reach: Reach, path: str, wait: bool, body: object = None) -> None:
    async def work(client: AdminClient) -> int:
        return await _follow(client, await client.post(path, body), wait)

    _run(reach, work)


def _of_field(reach: Reach, field: str, database: str | None, act: str, wait: bool) -> None:
    with reporting():
        place = f"{reach.database(database)}/{field if field.count('.') == 2 else f'public.{field}'}"
    _ask(reach, f"/v1/fields/{place}/{act}", wait)


# -- operations that are asked for --


@_command("rotate")
def rotate(reach: Reach, field: FieldName, database: Database = None, wait: Wait = True) -> None:
    """A new data key for a field; its cells are re-encrypted while applications go on."""
    _of_field(reach, field, database, "rotate-data-key", wait)


@_command("rotate-term")
def rotate_term(reach: Reach, field: FieldName, database: Database = None, wait: Wait = True) -> None:
    """A new key for a field's search terms (of its whole join group)."""
    _of_field(reach, field, database, "rotate-term-key", wait)


@_command("verify")
def verify(reach: Reach, field: FieldName, database: Database = None, wait: Wait = True) -> None:
    """Open every cell of a field, and count them by key."""
    _of_field(reach, field, database, "verify", wait)


@_command("seal")
def seal(reach: Reach, field: FieldName, database: Database = None, wait: Wait = True) -> None:
    """From plaintext to sealed while applications go on; its data map says `state = "migrating"`."""
    _of_field(reach, field, database, "seal", wait)


@_command("unseal")
def unseal(reach: Reach, field: FieldName, database: Database = None, wait: Wait = True) -> None:
    """Back to plaintext, once a second person has approved it."""
    _of_field(reach, field, database, "unseal", wait)


@_command("shred")
def shred(
    reach: Reach,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="kind:key, as in customer:42; - reads it.")],
    database: Database = None,
    wait: Wait = True,
) -> None:
    """A data subject's secret is destroyed, after a second person's approval."""
    with reporting():
        if subject == "-":  # others may read command lines, and shells remember them
            subject = sys.stdin.readline().strip()
        body = {"database": reach.database(database), "subject": subject}
    _ask(reach, "/v1/subjects/shred", wait, body)


@_command("rewrap")
def rewrap(reach: Reach, wait: Wait = True) -> None:
    """Wrap every key by the newest version of the KEK; no cell is touched."""
    _ask(reach, "/v1/keks/rewrap", wait)


@_command("rotate-kek")
def rotate_kek(reach: Reach, wait: Wait = True) -> None:
    """Make a new version of the KEK, and wrap every key by it."""
    _ask(reach, "/v1/keks/rotate", wait)


@_command("disable")
def disable(reach: Reach, key: KeyId, wait: Wait = True) -> None:
    """A key opens nothing any more; refused while a cell is under it."""
    _ask(reach, f"/v1/keys/{key}/disable", wait)


@_command("enable")
def enable(reach: Reach, key: KeyId, wait: Wait = True) -> None:
    """A disabled key opens again."""
    _ask(reach, f"/v1/keys/{key}/enable", wait)


@_command("destroy")
def destroy(reach: Reach, key: KeyId, wait: Wait = True) -> None:
    """A disabled key is destroyed, after its time of waiting and a second person's approval."""
    _ask(reach, f"/v1/keys/{key}/destroy", wait)


# -- operations that are there --


@_command("approve")
def approve(reach: Reach, operation: OperationId, wait: Wait = True) -> None:
    """As a second person."""
    _ask(reach, f"/v1/operations/{operation}/approve", wait)


@_command("pause")
def pause(reach: Reach, operation: OperationId) -> None:
    """The operation rests at its next checkpoint."""
    _ask(reach, f"/v1/operations/{operation}/pause", False)


@_command("resume")
def resume(reach: Reach, operation: OperationId, wait: Wait = True) -> None:
    """The operation goes on."""
    _ask(reach, f"/v1/operations/{operation}/resume", wait)


@_command("cancel")
def cancel(reach: Reach, operation: OperationId) -> None:
    """The operation ends as soon as everything is usable."""
    _ask(reach, f"/v1/operations/{operation}/cancel", False)


@_command("retry")
def retry(reach: Reach, operation: OperationId, wait: Wait = True) -> None:
    """A failed operation once more."""
    _ask(reach, f"/v1/operations/{operation}/retry", wait)


@_command("operations")
def operations(
    reach: Reach,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
) -> None:
    """Operations, the newest first."""

    async def work(client: AdminClient) -> int:
        query = {name: value for name, value in (("state", state), ("kind", kind)) if value is not None}
        table = Table("operation", "kind", "of", "state", "progress", "asked by", "approved by", "asked at")
        table.columns[0].min_width = 36  # it is copied into other commands
        for each in (await client.get("/v1/operations", limit=str(limit), **query))["operations"]:
            table.add_row(
                *(each["operation_id"], each["kind"], _of(each), each["state"], _progress(each)),
                *(each["requested_by"], each["approved_by"] or "", each["created_at"][:19]),
            )
        out.print(table)
        return 0

    _run(reach, work)


@_command("show")
def show(
    reach: Reach,
    what: Annotated[str | None, typer.Argument(metavar="[KEY|OPERATION]", help="One of them; else all keys.")] = None,
) -> None:
    """All keys as the control database has them; or one key, or one operation, in full."""

    async def work(client: AdminClient) -> int:
        if what is None:
            out.print(_key_table((await client.get("/v1/keys"))["keys"]))
        else:
            kind = "keys" if len(what) == 16 else "operations"
            out.print_json(json.dumps(await client.get(f"/v1/{kind}/{what}")))
        return 0

    _run(reach, work)


# -- escrow --


@_command("export")
def export(reach: Reach, file: Annotated[Path, typer.Argument(help="Must not exist.")]) -> None:
    """All keys, wrapped as they are, into a file (0600).  Keep it apart from the provider and from the data."""

    async def work(client: AdminClient) -> int:
        if file.exists():
            raise ConfigError(f"{file}: exists already")
        found = await client.get("/v1/escrow")
        write_private(file, json.dumps(found, indent=1) + "\n")
        out.print(f"wrote {len(found['keys'])} wrapped keys of revision {found['revision']} to {file}", markup=False)
        return 0

    _run(reach, work)


@_command("import")
def import_(reach: Reach, file: Path) -> None:
    """Put wrapped keys back: into an empty store, or the very revision that it stands at."""

    with reporting():
        body = _export_in(file)

    async def work(client: AdminClient) -> int:
        done = await client.post("/v1/escrow", body)
        out.print(f"put back {len(done['put_back'])} keys of revision {done['revision']}; {done['present']} were there")
        return 0

    _run(reach, work)


def _export_in(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(f"{file}: is no export that can be read") from None


# -- following --


async def _follow(client: AdminClient, operation: Any, wait: bool) -> int:
    """The exit code: 0 done, 1 failed or cancelled, 75 it waits for somebody or for its time; 0 without waiting."""
    identity = operation["operation_id"]
    out.print(f"operation {identity}: {operation['state']}", markup=False, soft_wrap=True)
    if wait and not _waits(operation) and operation["state"] not in _ENDED:
        operation = await _watch(client, operation)
    if operation["state"] == "awaiting-approval":
        out.print(f"A second person approves it: fieldgate keys approve {identity}", markup=False, soft_wrap=True)
    elif _waits(operation):
        out.print(f"It begins at {operation['not_before']} or later", markup=False)
    if operation["problem"]:
        out.print(operation["problem"], markup=False, soft_wrap=True)
    if not wait:
        return 0
    return {"done": 0, "failed": 1, "cancelled": 1}.get(operation["state"], EXIT_WAITS)


def _waits(operation: Any) -> bool:
    early = operation["state"] == "queued" and operation["not_before"] is not None
    return operation["state"] in ("awaiting-approval", "paused") or early


async def _watch(client: AdminClient, operation: Any) -> Any:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=out) as shown:
        task = shown.add_task(operation["state"], total=None, rate="")
        while True:
            total = operation["total"] or None
            said = f"{operation['state']} {operation['step']}".strip()
            rate = f"{operation['rate']:,.0f}/s" if operation["rate"] else ""
            shown.update(task, description=said, completed=operation["done"], total=total, rate=rate)
            if operation["state"] in _ENDED or _waits(operation):
                break
            await asyncio.sleep(_EVERY)
            operation = await client.get(f"/v1/operations/{operation['operation_id']}")
    out.print(f"{operation['kind']}: {operation['state']}", markup=False)
    return operation


def _of(operation: Any) -> str:
    target = operation["target"]
    return target["field"] or target["key_id"] or (f"subject {target['subject']}" if target["subject"] else "all keys")


def _progress(operation: Any) -> str:
    if not operation["total"]:
        return "" if operation["state"] == "done" else operation["step"]
    left = f", {operation['seconds_left']:.0f} s left" if operation["seconds_left"] is not None else ""
    return f"{operation['done']:,}/{operation['total']:,}{left}"


def _key_table(keys: list[Any]) -> Table:
    table = Table("key", "purpose", "used by", "epoch", "state", "wrapped by", "sealed", "seals left")
    for key in keys:
        used = ", ".join(f"{each['database']}/{each['field']}" for each in key["used_by"]) or key["scope"]
        table.add_row(
            *(key["key_id"], key["purpose"], used, str(key["epoch"]), key["state"], key["wrapped_by"] or ""),
            *(f"{key['cells_sealed']:,}", f"{key['seals_left']:,}"),
        )
    return table


def add_to(app: typer.Typer) -> None:
    for name, command in _COMMANDS:
        app.command(name)(command)
