"""Term columns of later epochs: what PostgreSQL takes out of cells, what is verified, and which one is searched."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from keys.field import FieldKeyCipher, Searching, TermKey, TokenKey
from policies.fields import DataMap, Field
from proxy.sealing.ddl import term_definition
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import TermColumn, as_searched, searched_alike, term_epochs, token_epochs
from tests.keys.making import CountedLeases, data_key
from tests.sealing.making import KEY, ciphers_for, create_sealed, data_map, field_of, id_of
from tests.support.servers import Database

EMAIL = field_of("E-mail", 1, equality=True, unique=True)
NAME = field_of("name", 2, equality=True, tokens=("match.1",))
OTHER = field_of("other", 3, equality=True, join_group="g")
MORE = field_of("more", 4, equality=True, join_group="g")
MAP = data_map(KEY, EMAIL, NAME, OTHER, MORE)
THERE, INDEXED, UNIQUE = TermColumn


def cipher_of(field: Field, first: int, *, both: bool = False) -> FieldKeyCipher:
    def searching(epoch: int) -> Searching:
        term = TermKey("s", bytes([epoch]) * 32, (), epoch)
        return Searching(term, TokenKey(bytes([epoch]) * 32, ("match.1",), epoch) if field is NAME else None)

    own = searching(first)
    return FieldKeyCipher(
        controller="shop",
        field_id=id_of(field),
        primary=data_key(),
        leases=CountedLeases(),
        term_key=own.term,
        token_key=own.tokens,
        next_searching=searching(first + 1) if both else None,
    )


@pytest.mark.integration
@pytest.mark.parametrize("field", [EMAIL, NAME], ids=["term", "term-and-tokens"])
async def test_each_column_has_the_term_of_its_epoch(database: Database, field: Field) -> None:
    connection: asyncpg.Connection = await database.connect_async()
    try:
        columns = [term_definition(replace(field, term_epoch=epoch)) for epoch in (2, 3)]
        await connection.execute(f'CREATE TABLE t (n int, "{field.column}" bytea, {", ".join(columns)})')
        kinds = [(1, True), (2, False), (2, True), (3, False)]
        for n, (first, both) in enumerate(kinds):
            cell = cipher_of(field, first, both=both).seal(b"somebody", term_input=b"somebody")
            await connection.execute(f'INSERT INTO t (n, "{field.column}") VALUES ($1, $2)', n, cell)
        await connection.execute("INSERT INTO t (n) VALUES (4)")
        names = [f'"{field.term_column_of(epoch)}"' for epoch in (2, 3)]
        found = [tuple(row) for row in await connection.fetch(f"SELECT {', '.join(names)} FROM t ORDER BY n")]
        second, third = (cipher_of(field, epoch).term(b"somebody") for epoch in (2, 3))
        # A cell of (1, 2) has 1 first, which is as odd as 3: both never stand in one table.
        assert [each[0] for each in found] == [second, second, second, None, None]
        assert [each[1] for each in found][1:] == [None, third, third, None]
    finally:
        await connection.close()


@pytest.mark.integration
@pytest.mark.parametrize("epoch", [2, 3])
async def test_later_columns_are_verified(database: Database, epoch: int) -> None:
    later = MAP.with_epochs({id_of(each): epoch for each in (EMAIL, NAME, OTHER, MORE)}, {id_of(NAME): epoch})
    connection: asyncpg.Connection = await database.connect_async()
    try:
        ciphers = ciphers_for(MAP)
        await connection.execute(";".join(create_sealed(later, ciphers)))
        assert await as_searched(connection, MAP) == later
        assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
        column = later.tables["public", "people"].fields["E-mail"].term_column
        await connection.execute(f'ALTER TABLE people DROP COLUMN "{column}"')
        await connection.execute(
            f'ALTER TABLE people ADD "{column}" bytea UNIQUE GENERATED ALWAYS AS (substr("E-mail", 13, 16)) STORED'
        )
        [problem] = await verify_sealed(connection, MAP, ciphers.heads())
        assert "is not GENERATED ALWAYS AS" in problem.reason
    finally:
        await connection.close()


def test_a_catalog_is_told_from_one_of_other_epochs() -> None:
    tables = MAP.tables.values()
    assert searched_alike(MAP, tables)
    assert not searched_alike(MAP.with_epochs({id_of(MORE): 2}, {}), tables)
    assert not searched_alike(MAP.with_epochs({}, {id_of(NAME): 2}), tables)


def chosen(**columns: TermColumn) -> dict[str, int]:
    made: DataMap = MAP
    found = {("public", "people"): {name.replace("E_mail", "E-mail"): kind for name, kind in columns.items()}}
    epochs = term_epochs(made, found)
    return {each.column: epochs[id_of(each)] for each in (EMAIL, OTHER, MORE)}


def test_the_newest_epoch_with_its_index_is_searched_by_the_whole_group() -> None:
    first = {"fg_E_mail_eq": UNIQUE, "fg_other_eq": INDEXED, "fg_more_eq": INDEXED}
    assert chosen(**first) == {"E-mail": 1, "other": 1, "more": 1}
    there = {**first, "fg_E_mail_eq_2": INDEXED, "fg_other_eq_2": THERE}  # of the unique one its constraint is missing
    assert chosen(**there) == {"E-mail": 1, "other": 1, "more": 1}
    half = {**first, "fg_E_mail_eq_2": UNIQUE, "fg_other_eq_2": INDEXED, "fg_more_eq_2": THERE}
    assert chosen(**half) == {"E-mail": 2, "other": 1, "more": 1}
    assert chosen(**{**half, "fg_more_eq_2": INDEXED}) == {"E-mail": 2, "other": 2, "more": 2}
    assert chosen(fg_E_mail_eq_2=THERE, fg_other_eq_3=THERE) == {"E-mail": 2, "other": 3, "more": 1}  # verify says more
    assert chosen(fg_E_mail_eq_02=UNIQUE, fg_E_mail_eq_1=UNIQUE)["E-mail"] == 1


def test_the_column_of_tokens_says_its_epoch() -> None:
    def found(*names: str) -> int:
        return token_epochs(MAP, {("public", "people"): dict.fromkeys(names, THERE)})[id_of(NAME)]

    assert found() == found("fg_name_tk") == found("fg_name_tk_02", "fg_name_tk_1", "fg_name_eq_4", "fg_more_tk_5") == 1
    assert found("fg_name_tk_12") == 12
    assert found("fg_name_tk", "fg_name_tk_3") == 3
