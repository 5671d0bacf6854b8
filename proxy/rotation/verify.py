"""VERIFY: opens every cell of a field, and compares its term and search tokens with those that its value has.

Rows are read in batches by primary key, so no transaction stays open for long; a cell that is written meanwhile is seen
as it was or as it is.  The report holds counts alone: how many cells there are, under which keys, how many do not open,
and how many open but would not be found.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from keys.envelope import HEAD_SIZE, Scheme, parse
from keys.errors import EnvelopeInvalid, SubjectDestroyed, UnknownKey
from keys.field import FieldKeyCipher
from keys.keyring import Keyring
from keys.primitives import equal
from proxy.errors import FieldgateError
from proxy.keywork.handler import Work
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.ddl import qualified, quote, sealing_of
from proxy.sealing.facts import Connection
from proxy.subject_keeper import SubjectKeeper
from proxy.wire.values.codecs import codec_for

from .errors import CellsDamaged, RotationRefused
from .pacing import Rest, paced
from .places import Key, Member, Place, wanted_places
from .secrets import names_of
from .session import settle
from .statements import Batches
from .survey import members_of
from .tools import Tools

STEP = "verify"
FIRST_BATCH = 64
BATCH_BYTES = 8 << 20
_SCHEME_AT = 3


@dataclass(slots=True)
class Findings:
    cells: int = 0
    damaged: int = 0  # do not open
    wrong_terms: int = 0  # open, and would not be found
    destroyed: int = 0  # of data subjects whose secrets were destroyed: these open no more
    other_epoch: int = 0  # have the terms of another epoch of the term key
    by_key: Counter[str] = field(default_factory=Counter)

    def report(self, place: Place) -> dict[str, object]:
        return {
            "database": place.database,
            "field": place.field.name,
            "cells": self.cells,
            "damaged": self.damaged,
            "wrong_terms": self.wrong_terms,
            "destroyed": self.destroyed,
            "other_epoch": self.other_epoch,
            "by_key": dict(sorted(self.by_key.items())),
        }


async def verify_field(tools: Tools, work: Work) -> None:
    """The handler.  Raises CellsDamaged when a cell does not open, or would not be found; the report says how many."""
    target = work.operation.target
    [places] = wanted_places(tools.places(), target.database, target.field or "")
    keyring = (await tools.store.load()).keyring
    reports, bad = [], 0
    for place in places:
        findings = await verify_place(tools, work, place, keyring)
        reports.append(findings.report(place))
        bad += findings.damaged + findings.wrong_terms
    await work.report({"verified": reports})
    if bad:
        raise CellsDamaged(f"{bad} cells of {places[0].field.name} do not open, or would not be found")


async def verify_place(tools: Tools, work: Work, place: Place, keyring: Keyring) -> Findings:
    """Of the field in one database.  Raises RotationRefused where it cannot be read in parts."""
    keeper, findings = tools.keeper(keyring, place), Findings()
    cipher = tools.ciphers(keyring, place, keeper).cipher(place.field_id)
    async with tools.connection(place.database) as connection, paced(tools, place) as rest:
        await settle(connection)
        members = await members_of(connection, place)
        if any(not member.primary_key for member in members):
            raise RotationRefused(place.field.name, ["a table without a primary key cannot be read in parts"])
        table = qualified(place.field.schema, place.field.table)
        total = await connection.fetchval(f"SELECT pg_catalog.count({quote(place.field.column)}) FROM {table}")  # noqa: S608
        for member in members:
            await _walk(tools, work, connection, Judge(place, member, cipher, findings, keeper), total, rest)
    return findings


async def _walk(tools: Tools, work: Work, connection: Connection, judge: Judge, total: int, rest: Rest) -> None:
    statements = Batches(judge.member, ((judge.place.field, bytes(HEAD_SIZE)),))
    keys, size = len(judge.member.primary_key), FIRST_BATCH
    after: Key = ()
    while True:
        started = time.perf_counter()
        rows = await connection.fetch(statements.read(after=bool(after)), size, *after)
        if not rows:
            return
        await judge.prepare([row[keys] for row in rows])
        for row in rows:
            judge.look(row[keys], row[keys + 1])
        after = tuple(rows[-1])[:keys]
        held = sum(len(row[keys + 1] or b"") for row in rows)
        size = max(1, min(tools.batch, BATCH_BYTES * len(rows) // (held + 1)))
        await work.checkpoint(STEP, min(judge.findings.cells, total), total)
        await rest(time.perf_counter() - started, len(rows))


@dataclass(slots=True)
class Judge:
    """Looks at one cell after the other, each with the text of its row's key."""

    place: Place
    member: Member
    cipher: FieldKeyCipher
    findings: Findings
    keeper: SubjectKeeper | None = None

    async def prepare(self, keys: Sequence[str | None]) -> None:
        """Has the secrets of these rows' data subjects at hand."""
        if self.keeper is not None:
            await self.keeper.have(names_of(self.place, map(self._row_key, keys)), make=False, anew=True)

    def look(self, key: str | None, cell: bytes | None) -> None:
        if cell is None:
            return
        self.findings.cells += 1
        self.findings.by_key[cell[4:HEAD_SIZE].hex()] += 1
        try:
            plaintext = self.cipher.open(cell, row_key=self._row_key(key))
        except SubjectDestroyed:
            self.findings.destroyed += 1
            return
        except (EnvelopeInvalid, UnknownKey, FieldgateError):
            self.findings.damaged += 1
            return
        if not self._is_found(cell, plaintext):
            self.findings.wrong_terms += 1

    def _row_key(self, text: str | None) -> bytes | None:
        if not sealing_of(self.place.field).row_bound or text is None:
            return None
        return row_key_bytes(text.encode(), binary=False, type_oid=0, key_oid=self.member.row_key_oid or 0)

    def _is_found(self, cell: bytes, plaintext: bytes) -> bool:
        """Whether its header holds what the value is found by, as it is written now."""
        sealing = sealing_of(self.place.field)
        if not sealing.equality and not sealing.tokens:
            return True
        if (cell[_SCHEME_AT] ^ self.cipher.head[_SCHEME_AT]) & (Scheme.SECOND | Scheme.EVEN):
            self.findings.other_epoch += 1  # a rotation of the term key has this cell still before it
            return True
        term_input = codec_for(sealing.logical_type).term_input(plaintext) if sealing.equality else None
        return equal(parse(cell).header[HEAD_SIZE:], self.cipher.found_by(plaintext, term_input))
