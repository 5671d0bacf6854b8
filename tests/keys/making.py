"""Ciphers with random keys, and leases that only count, for the tests of this package."""

from __future__ import annotations

from keys.errors import SealBudgetExhausted
from keys.field import DataKey, FieldKeyCipher, SealLeases, TermKey, TokenKey
from keys.primitives import random_bytes

FIELD_A = "a" * 32
FIELD_B = "b" * 32


class CountedLeases:
    """Grants blocks of `block` until `limit` is spent; remembers what was asked."""

    def __init__(self, limit: int = 1 << 32, block: int = 1 << 20) -> None:
        self.left, self.block = limit, block
        self.granted: list[tuple[bytes, int]] = []
        self.returned: list[tuple[bytes, int]] = []

    def lease(self, key_id: bytes) -> int:
        if self.left <= 0:
            raise SealBudgetExhausted("spent")
        count = min(self.block, self.left)
        self.left -= count
        self.granted.append((key_id, count))
        return count

    def give_back(self, key_id: bytes, unused: int) -> None:
        self.left += unused
        self.returned.append((key_id, unused))


def data_key() -> DataKey:
    return DataKey(random_bytes(8), random_bytes(32))


def term_key(scope: str = "group:test") -> TermKey:
    return TermKey(scope, random_bytes(32))


def cipher(
    primary: DataKey | None = None,
    *,
    controller: str = "shop",
    field_id: str = FIELD_A,
    readable: tuple[DataKey, ...] = (),
    term: TermKey | None = None,
    tokens: TokenKey | None = None,
    row_bound: bool = False,
    pad_to: int = 0,
    leases: SealLeases | None = None,
) -> FieldKeyCipher:
    return FieldKeyCipher(
        controller=controller,
        field_id=field_id,
        primary=primary or data_key(),
        readable=readable,
        leases=leases or CountedLeases(),
        term_key=term,
        token_key=tokens,
        row_bound=row_bound,
        pad_to=pad_to,
    )
