"""Who may log in at the demo's admin port: a person of each role, and a token of theirs in a file of its own (0600).

Only the demo makes people by itself; anybody else's admin port has none until its owner names them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from proxy.admin.people import load_people
from proxy.admin.tokens import check_token
from proxy.config import load_config
from proxy.operations.admin_tokens import add_token, with_tokens

from .folder import DemoFolder
from .osuser import write_private

ADMINS = {"olga": "key-admin", "pavel": "security-admin", "dina": "dpo", "anna": "auditor"}
_GOOD_FOR = timedelta(days=30)
_STILL = timedelta(days=1)  # a token that is not good for as long is made anew


def write_people(folder: DemoFolder) -> None:
    """The people file, unless it is there: it may be edited."""
    if not folder.people.exists():
        told = "".join(f'[people.{person}]\nroles = ["{role}"]\n' for person, role in ADMINS.items())
        write_private(folder.people, f"# Who may log in at the demo's admin port.\n{told}")


async def make_tokens(folder: DemoFolder) -> None:
    """For each person who has none that is good for another day.  Raises FieldgateError."""
    people = load_people(folder.people).people
    known = {name: _read(folder.token_file(name)) for name in people}
    async with with_tokens(load_config(folder.config)) as (table, trail):
        for name, person in people.items():
            found = await check_token(known[name], table, datetime.now(UTC) + _STILL)
            if found is None or found.person != name:
                until, file = datetime.now(UTC) + _GOOD_FOR, folder.token_file(name)
                await add_token(table, trail, name, person.roles, until, file)


def _read(file: Path) -> str:
    """Its folder is made on the way."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
