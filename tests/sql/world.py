"""The small world on a real server, twice: as its developer thinks of it, and sealed with a cipher for tests.

The cipher keeps the envelope's layout (head, term, nonce, value, tag) and hides nothing, so that a test can open what
the server returns; two cells of one value differ, as real ones do.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import psycopg

from policies.fields import DataMap, Field
from proxy.sql.plan import Slot, SlotKind, StatementKind, StatementPlan, ValueSource

from .shop import PROTECTED

DATA_MAP = DataMap("shop", "shop", {("public", name): table for name, table in PROTECTED.items()})

_LOGICAL = """
CREATE SEQUENCE ids START 1000;
CREATE TABLE customers (id bigint PRIMARY KEY DEFAULT nextval('ids'), city text, status text,
    email text UNIQUE, name text, phone text, born date, score int, untagged text);
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('ids'), customer_id bigint, total numeric, status text,
    tech_notes text, placed_at timestamptz, recipient text);
CREATE SEQUENCE accounts_id_seq START 100;
CREATE TABLE accounts (id bigint PRIMARY KEY DEFAULT nextval('accounts_id_seq'), customer_id bigint,
    login text UNIQUE, password text);
CREATE TABLE members (id bigint PRIMARY KEY, customer_id bigint, town text, surname text, nick text, remark text);
CREATE TABLE workers (id bigint PRIMARY KEY, customer_id bigint, birth date, seen timestamptz, left_at timestamp,
    age int, pay numeric, hired date);
"""
_PHYSICAL = """
CREATE SEQUENCE ids START 1000;
CREATE TABLE customers (id bigint PRIMARY KEY DEFAULT nextval('ids'), city text, status text,
    email bytea, name bytea, phone bytea, born bytea, score bytea, untagged text,
    fg_email_eq bytea GENERATED ALWAYS AS (substr(email, 13, 16)) STORED UNIQUE,
    fg_name_eq bytea GENERATED ALWAYS AS (substr(name, 13, 16)) STORED,
    fg_born_eq bytea GENERATED ALWAYS AS (substr(born, 13, 16)) STORED,
    fg_score_eq bytea GENERATED ALWAYS AS (substr(score, 13, 16)) STORED);
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('ids'), customer_id bigint, total numeric, status text,
    tech_notes text, placed_at timestamptz, recipient bytea,
    fg_recipient_eq bytea GENERATED ALWAYS AS (substr(recipient, 13, 16)) STORED);
CREATE SEQUENCE accounts_id_seq START 100;
CREATE TABLE accounts (id bigint PRIMARY KEY DEFAULT nextval('accounts_id_seq'), customer_id bigint,
    login bytea, password bytea, fg_login_eq bytea GENERATED ALWAYS AS (substr(login, 13, 16)) STORED UNIQUE);
CREATE TABLE members (id bigint PRIMARY KEY, customer_id bigint, town text, surname bytea, nick bytea, remark bytea,
    fg_surname_eq bytea, fg_surname_tk int[], fg_nick_tk int[], fg_remark_eq bytea);
CREATE TABLE workers (id bigint PRIMARY KEY, customer_id bigint, birth bytea, fg_birth_tk int[], seen bytea,
    fg_seen_eq bytea, fg_seen_tk int[], left_at bytea, fg_left_at_tk int[], age bytea, fg_age_eq bytea,
    fg_age_tk int[], pay bytea, fg_pay_tk int[], hired bytea);
"""
_BOTH = """
CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT nextval('ids'), customer_id bigint, body text, email text);
CREATE TABLE temp_things (id bigint, x text);
CREATE SCHEMA audit; CREATE TABLE audit.customers (id bigint PRIMARY KEY, what text);
CREATE VIEW customer_view AS SELECT c.id, c.email, c.city AS town FROM customers c WHERE c.city <> 'x';
CREATE VIEW note_view AS SELECT id, customer_id FROM notes;
CREATE MATERIALIZED VIEW customer_copy AS SELECT id, email, city AS town FROM customers;
CREATE FUNCTION harmless(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION leak() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION initcap(text, int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE VIEW strange_view AS SELECT leak() AS id;
CREATE FUNCTION same(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = text, RIGHTARG = text);
INSERT INTO notes VALUES (1, 1, 'note one', 'ann@x'), (2, 2, 'note two', NULL), (3, 1, 'x', 'cy@x');
INSERT INTO temp_things VALUES (1, 'thing'), (3, 'other');
INSERT INTO audit.customers VALUES (1, 'made'), (9, 'gone');
"""
_CUSTOMERS: list[tuple[Any, ...]] = [
    (1, "x", "new", "ann@x", "Ann", "+1", "2001-02-03", 5),
    (2, "Oslo", "new", "bob@x", "Bob", "+2", "1999-12-31", -5),
    (3, "Oslo", "old", "cy@x", "Ann", "+1", None, 5),
    (4, "Rome", None, "x", "x", None, "2001-02-03", None),
    (5, "Rome", "x", None, None, "", None, 7),
    (7, "Rome", "x", "me@x", "Me", "+7", "2001-02-03", 9),
]
_ORDERS: list[tuple[Any, ...]] = [
    (1, 1, "10.50", "new", "a note", "2024-01-01", "Ann"),
    (2, 1, "20", "new", None, "2024-01-02", "Bob"),
    (3, 2, "20", "old", "x", "2024-01-02", "x"),
    (4, 7, "7", "old", "b", "2024-01-03", "Me"),
    (5, 7, "8", "new", "c", None, None),
]
_ACCOUNTS: list[tuple[Any, ...]] = [
    (1, 1, "ann", "secret"),
    (2, 2, "bob", "hidden"),
    (5, 3, "x", "y"),
    (6, 7, "a", "z"),
]


def create(connection: psycopg.Connection[Any], *, sealed: bool) -> None:
    connection.execute((_PHYSICAL if sealed else _LOGICAL).encode())
    for name, rows in (("customers", _CUSTOMERS), ("orders", _ORDERS), ("accounts", _ACCOUNTS)):
        columns = _columns(connection, name)
        for row in rows:
            values = [_stored(name, column, value, sealed) for column, value in zip(columns, row, strict=False)]
            marks = ", ".join(["%s"] * len(row))
            connection.execute(
                f"INSERT INTO {name} ({', '.join(columns[: len(row)])}) VALUES ({marks})".encode(), values
            )
    connection.execute(_BOTH.encode())


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    found = connection.execute(f"SELECT * FROM {table} LIMIT 0".encode()).description
    return [column.name for column in found or ()]


def _stored(table: str, column: str, value: object, sealed: bool) -> object:
    field = PROTECTED[table].fields.get(column)
    if not sealed or field is None or field.sealing is None or value is None:
        return value
    return seal(field, str(value).encode())


def seal(field: Field, value: bytes) -> bytes:
    assert field.sealing is not None
    head = b"\xf9\x67\x01" + (b"\x01" if field.sealing.equality else b"\x00") + bytes(8)
    return head + (term(field, value) if field.sealing.equality else b"") + os.urandom(12) + value + bytes(16)


def open_cell(field: Field, cell: bytes) -> bytes:
    assert field.sealing is not None
    return cell[12 + (16 if field.sealing.equality else 0) + 12 : -16]


def term(field: Field, value: bytes) -> bytes:
    assert field.sealing is not None
    return hashlib.sha256((field.sealing.join_group or field.name).encode() + b":" + value).digest()[:16]


def literals(plan: StatementPlan, parameters: dict[int, str], subject: str) -> str:
    """The upstream text with every slot as a literal, and `$n` of plain parameters too."""
    parts = [
        s.decode() if isinstance(s, bytes) else _literal(plan.slots[s], parameters, subject) for s in plan.segments
    ]
    return with_parameters("".join(parts), parameters)


def with_parameters(text: str, parameters: dict[int, str]) -> str:
    for number in sorted(parameters, reverse=True):
        text = text.replace(f"${number}", _quoted(parameters[number]))
    return text


def _literal(slot: Slot, parameters: dict[int, str], subject: str) -> str:
    if slot.kind is SlotKind.PRINCIPAL:
        return _quoted(subject)
    value = _value(slot.source, parameters)
    if slot.kind is SlotKind.PLAIN:
        return _quoted(value)
    assert slot.field is not None
    make = seal if slot.kind is SlotKind.CELL else term
    if not slot.array:
        return f"'\\x{make(slot.field, value.encode()).hex()}'"
    items = ",".join('"\\\\x' + make(slot.field, item.encode()).hex() + '"' for item in value.strip("{}").split(","))
    return f"'{{{items}}}'"


def _value(source: ValueSource | None, parameters: dict[int, str]) -> str:
    assert source is not None
    if source.parameter is not None:
        return parameters[source.parameter]
    if source.draw is not None:
        return str(100 + source.draw)
    return (source.constant or b"").decode()


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def guessed_parameters(plan: StatementPlan) -> dict[int, str]:
    """A value for each client parameter: one that fits the sealed field it meets, a number otherwise."""
    number = "61" if plan.kind is StatementKind.INSERT else "1"
    found = dict.fromkeys(range(1, plan.client_parameters + 1), number)
    for slot in plan.slots:
        if slot.field is None or slot.field.sealing is None or slot.source is None or slot.source.parameter is None:
            continue
        sample = {"date": "2001-02-03", "int4": "5"}.get(slot.field.sealing.logical_type.value, "ann@x")
        if slot.field.column in ("name", "recipient"):
            sample = "Ann"
        found[slot.source.parameter] = "{" + sample + ",bob@x}" if slot.array else sample
    return found
