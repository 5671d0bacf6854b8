"""Orders as COPY data: six columns, of which Fieldgate seals three.  Their customers are those of the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.wire.copying.binary_rows import HEADER, TRAILER, build_row

from .people import people

TABLE = """
    CREATE TABLE orders (
        id bigint PRIMARY KEY, customer_id bigint NOT NULL, total numeric(12,2) NOT NULL, status text DEFAULT 'new',
        recipient_name text NOT NULL, recipient_phone text NOT NULL, delivery_address text NOT NULL
    )
"""
COLUMNS = ("id", "customer_id", "total", "recipient_name", "recipient_phone", "delivery_address")
FIRST = 10_000_000
_PIECE = 1000  # rows
_BINARY_TOTAL = bytes.fromhex("0002 0000 0000 0002 0063 1388".replace(" ", ""))  # numeric 99.50


def orders(count: int, form: str) -> Iterator[bytes]:
    """In pieces."""
    if form == "binary":
        yield HEADER
    made: list[bytes] = []
    for number, surname, name, _ in people(count):
        made.append(_order(number, f"{surname} {name}", form))
        if len(made) == _PIECE:
            yield b"".join(made)
            made = []
    yield b"".join(made) + (TRAILER if form == "binary" else b"")


def _order(number: int, recipient: str, form: str) -> bytes:
    phone, address = f"+7 900 {number:07d}", f"Main street, {number}"
    if form == "binary":
        keys = (FIRST + number).to_bytes(8, "big"), number.to_bytes(8, "big")
        return build_row([*keys, _BINARY_TOTAL, recipient.encode(), phone.encode(), address.encode()])
    quote, comma = ('"', ",") if form == "csv" else ("", "\t")
    values = (str(FIRST + number), str(number), "99.50", recipient, phone, f"{quote}{address}{quote}")
    return comma.join(values).encode() + b"\n"
