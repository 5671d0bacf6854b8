"""Statements over a table whose cells are sealed under data subjects' secrets, and talks with real ciphers for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from keys.field import FieldKeyCipher
from keys.primitives import random_bytes
from keys.subjects import CAPACITY, SubjectCache, SubjectFieldCipher, SubjectName
from policies.fields import Field, LogicalType, Sealing
from policies.model import Verb
from proxy.session.commands import DrawKeys, LoadSecrets
from proxy.sql.plan import (
    CopyColumn,
    CopyFrom,
    CopyTo,
    FieldUse,
    OutputAction,
    OutputColumn,
    SessionEffect,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    ValueSource,
)
from proxy.wire.copying.options import CopyFormat, CopyHeader, CopyOptions
from tests.keys.making import CountedLeases, data_key

from .talk import CUSTOMERS_OID, Talk, columns

NOTE_ID = "d" * 32
NOTE = Field(
    "public",
    "notes",
    "note",
    "pd.note",
    Sealing(NOTE_ID, LogicalType.TEXT, row_bound=True, subject_kind="customer"),
)
SEQUENCE = '"public"."customers_id_seq"'
_WRITE = (FieldUse(NOTE.name, Verb.INSERT),)
INSERT = StatementPlan(
    StatementKind.INSERT,
    (b"insert into notes (customer_id, note) values (", 0, b", ", 1, b"::pg_catalog.bytea)"),
    slots=(
        Slot(SlotKind.PLAIN, ValueSource(parameter=1)),
        Slot(SlotKind.CELL, ValueSource(parameter=2), NOTE, row_key=ValueSource(parameter=1), row_key_type=20),
    ),
    client_parameters=2,
    parameter_types=((2, 25),),
    touches_protected=True,
    uses=_WRITE,
)
INSERT_CONSTANT = StatementPlan(
    StatementKind.INSERT,
    (b"insert into notes (customer_id, note) values (7, ", 0, b"::pg_catalog.bytea)"),
    slots=(
        Slot(SlotKind.CELL, ValueSource(constant=b"hi"), NOTE, row_key=ValueSource(constant=b"7"), row_key_type=20),
    ),
    touches_protected=True,
    uses=_WRITE,
)
INSERT_DRAWN = StatementPlan(
    StatementKind.INSERT,
    (b"insert into notes (customer_id, note) values (", 0, b"::pg_catalog.int8, ", 1, b"::pg_catalog.bytea)"),
    slots=(
        Slot(SlotKind.PLAIN, ValueSource(draw=0)),
        Slot(SlotKind.CELL, ValueSource(constant=b"hi"), NOTE, row_key=ValueSource(draw=0), row_key_type=20),
    ),
    draws=(SEQUENCE,),
    touches_protected=True,
    uses=_WRITE,
)
SELECT = StatementPlan(
    StatementKind.SELECT,
    (b"select note, customer_id from notes",),
    outputs=(OutputColumn("note", OutputAction.OPEN, NOTE, CUSTOMERS_OID, 4, 25, row_key_output=1),),
    hidden_outputs=1,
    returns_rows=True,
    touches_protected=True,
    uses=(FieldUse(NOTE.name, Verb.READ),),
)
COLUMNS = columns(("note", 17, CUSTOMERS_OID, 4), ("customer_id", 20, CUSTOMERS_OID, 1))


def copy_in_plan(options: CopyOptions) -> StatementPlan:
    upstream = CopyOptions() if options.format is CopyFormat.CSV else replace(options, header=CopyHeader.NONE)
    copied = (CopyColumn("customer_id"), CopyColumn("note", NOTE))
    copy = CopyFrom(options, upstream, copied, "notes", row_key=0, row_key_type=20)
    return StatementPlan(
        StatementKind.COPY, (b"copy notes from stdin",), touches_protected=True, uses=_WRITE,
        effect=SessionEffect.TAKES_DATA, edited=True, copy=copy,
    )  # fmt: skip


def copy_out_plan(options: CopyOptions) -> StatementPlan:
    copy = CopyTo(options, SELECT.outputs or (), 1, ((0, 20),))
    return StatementPlan(
        StatementKind.COPY, (b"copy (select note, customer_id from notes) to stdout",), touches_protected=True,
        uses=SELECT.uses, edited=True, copy=copy,
    )  # fmt: skip


def name(key: bytes) -> SubjectName:
    return SubjectName("customer", key)


class Ciphers:
    def __init__(self, cipher: FieldKeyCipher) -> None:
        self._cipher = cipher

    def cipher(self, field_id: str) -> FieldKeyCipher:
        assert field_id == NOTE_ID
        return self._cipher


class SubjectTalk(Talk):
    """`store` holds all secrets that there are; `fetch` does what the last command asks for."""

    def __init__(self, store: Iterable[bytes] = (), capacity: int = CAPACITY, **more: object) -> None:
        self.store: dict[SubjectName, bytes | None] = {name(key): random_bytes(32) for key in store}
        self.everything = SubjectCache()
        self.writer = self._cipher(self.everything)
        for who, secret in self.store.items():
            self.everything.put(who, secret)
        self.memory = SubjectCache(capacity)
        super().__init__(ciphers=Ciphers(self._cipher(self.memory)), secrets=self.memory, **more)  # type: ignore[arg-type]
        self.planner.plans |= {
            "insert": INSERT, "insert constant": INSERT_CONSTANT, "insert drawn": INSERT_DRAWN, "select": SELECT,
        }  # fmt: skip

    key = data_key()

    def _cipher(self, cache: SubjectCache) -> SubjectFieldCipher:
        return SubjectFieldCipher(
            secrets=cache.of_kind("customer"), controller="shop", field_id=NOTE_ID, primary=self.key,
            leases=CountedLeases(),
        )  # fmt: skip

    def cell(self, value: bytes, key: bytes) -> bytes:
        return self.writer.seal(value, row_key=key)

    def opened(self, cell: bytes, key: bytes) -> bytes:
        return self.writer.open(cell, row_key=key)

    @property
    def waiting_for(self) -> list[set[bytes]]:
        """What has been asked for so far, one set for each time."""
        asked = [command for command in self.commands if isinstance(command, DrawKeys | LoadSecrets)]
        return [{each.key for each in command.subjects} for command in asked if command.subjects]

    def fetch(self) -> None:
        """As the shell does it; then what the conversation sends and says is there to be taken."""
        command = next(c for c in reversed(self.commands) if isinstance(c, DrawKeys | LoadSecrets))
        for who in command.subjects:
            if isinstance(command, DrawKeys) and self.store.get(who) is None:
                self.store[who] = random_bytes(32)
            self.everything.put(who, self.store.get(who))
        self.memory.put_all({who: self.store.get(who) for who in command.subjects}, command.subjects)
        if isinstance(command, DrawKeys):
            self.conversation.keys_drawn()
        else:
            self.conversation.secrets_loaded()
        self._perform()
