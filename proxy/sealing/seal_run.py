"""Sealing as a direction of `Run`: the second column holds cells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from keys.keyring import KeyringCiphers
from policies.fields import Field, ProtectedTable

from .ddl import checks_of, sealing_of
from .duplicates import refuse_duplicates
from .errors import SealingRefused
from .facts import Connection, TableFacts
from .fence import raise_fence
from .run import Hooks, Run, SealOptions, facts_of
from .statements import Statements, new_check, new_column
from .survey import Survey, survey
from .unsealing import open_column
from .verify import admitted_heads, table_problems


class SealRun(Run):
    statements: Statements

    def __init__(
        self,
        connection: Connection,
        table: ProtectedTable,
        field: Field,
        ciphers: KeyringCiphers,
        options: SealOptions,
        hooks: Hooks,
    ) -> None:
        super().__init__(connection, table, field, ciphers, options, hooks)
        self.heads: Collection[bytes] = ciphers.heads()[sealing_of(field).field_id]

    async def already(self) -> bool:
        facts = await facts_of(self.connection, self.table)
        if not checks_of(sealing_of(self.field), facts.checks):
            return False
        if open_column(self.field) in facts.columns:
            raise SealingRefused(self.field.name, ["it is being unsealed: go on with that, or abandon it"])
        self.require_sound(facts)
        return True

    def require_sound(self, facts: TableFacts) -> None:
        """The same judgement as at a proxy's start, on this field alone."""
        only = replace(self.table, fields={self.field.column: self.field})
        wrong = list(table_problems(only, (facts,), {sealing_of(self.field).field_id: self.heads}))
        if wrong:
            raise SealingRefused(self.field.name, [problem.reason for problem in wrong])

    async def look(self) -> tuple[Survey, Statements]:
        found = await survey(self.connection, self.table, self.field)
        return found, Statements(self.field, found, self.heads)

    def is_staged(self, facts: TableFacts) -> bool:
        column, check = facts.columns.get(new_column(self.field)), facts.checks.get(new_check(self.field))
        if column is None or check is None or not check.enforced:
            return False
        return admitted_heads(check.definition, column, sealing_of(self.field)) == set(self.heads)

    def made(self, row: Any) -> bytes | str:
        return self.maker.make(row["value"], row["bound"])

    def size(self, row: Any) -> int:
        return len(row["value"])

    def matches(self, row: Any) -> bool:
        return self.maker.matches(row["value"], row["cell"], row["bound"])

    async def refuse_switch(self) -> None:
        await refuse_duplicates(self.connection, self.statements)

    def raise_fence(self, xid: str) -> tuple[str, ...]:
        return raise_fence(self.field, xid, "sealed")
