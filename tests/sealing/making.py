"""A small data map with awkward names, its ciphers, and its sealed table, for the tests of this package."""

from __future__ import annotations

from keys.keyring import Keyring, KeyringCiphers
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.sealing.ddl import qualified, table_elements, table_indexes
from proxy.sealing.needs import key_needs
from tests.keys.making import CountedLeases


def field_of(column: str, number: int, table: str = "people", **sealing: object) -> Field:
    arguments: dict[str, object] = {"field_id": f"{number:032x}", "logical_type": LogicalType.TEXT, **sealing}
    return Field("public", table, column, "pd.test", Sealing(**arguments))  # type: ignore[arg-type]


def id_of(field: Field) -> str:
    assert field.sealing is not None
    return field.sealing.field_id


EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True)
NAME = field_of("Full Name", 2, equality=True)
NOTE = field_of("note", 3, row_bound=True)
PHONE = field_of("phone", 4, pad_to=32)
PLAIN = Field("public", "people", "city", "pd.test")
KEY = Field("public", "people", "id", "key.person")


def data_map(*fields: Field, table: str = "people", row_key: str | None = "id") -> DataMap:
    found = fields or (KEY, EMAIL, NAME, NOTE, PHONE, PLAIN)
    protected = ProtectedTable("public", table, {field.column: field for field in found}, row_key=row_key)
    return DataMap("shop", "shop", {("public", table): protected})


def ciphers_for(made: DataMap) -> KeyringCiphers:
    needs = key_needs(made)
    empty = Keyring(())
    return empty.with_new_keys(empty.missing_for(needs), "").ciphers(needs, CountedLeases())


def create_sealed(made: DataMap, ciphers: KeyringCiphers, key: str = '"id" bigint PRIMARY KEY') -> list[str]:
    """Statements that make the map's tables in their sealed form."""
    statements = []
    for table in made.tables.values():
        elements, indexes = [key], []
        for field in table.fields.values():
            if field.sealing is not None:
                elements += table_elements(field, ciphers.heads()[field.sealing.field_id])
                indexes += table_indexes(field)
            elif field.column != "id":
                elements.append(f'"{field.column}" text')
        statements += [f"CREATE TABLE {qualified(table.schema, table.table)} ({', '.join(elements)})", *indexes]
    return statements
