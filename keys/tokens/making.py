"""Search tokens: four keyed bytes for each input, in an order that says nothing of the value.  Pure.

Four bytes, because tokens only name candidates: in a column of a million different inputs one in four thousand searches
finds a row too many, which the look at the opened value drops.  ANY_TOKEN is that of cells whose tokens can not be
told; each search looks for it besides its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from keys.envelope import ANY_TOKEN, MAX_TOKENS, TOKEN_SIZE, prefixed
from keys.primitives import keyed_hash

from . import inputs_of

LABEL = b"fieldgate token v1"
_INSTEAD = b"\x00\x00\x00\x01"  # of a hash that happens to be ANY_TOKEN
_KEPT = 1 << 14


class TokenMaker:
    """The tokens of one field.  Raises TokensUnusable when it is made, and never later."""

    __slots__ = ("_inputs", "_token")

    def __init__(self, controller: str, field_id: str, material: bytes, modes: Sequence[str]) -> None:
        where = prefixed(LABEL) + prefixed(controller.encode()) + prefixed(f"field:{field_id}".encode())
        self._inputs = inputs_of(modes)
        self._token = lru_cache(_KEPT)(_token_function(keyed_hash(material, where)))

    def of_cell(self, cell: bytes) -> bytes:
        """All tokens of a cell form, ascending, as they stand in the header."""
        inputs = self._inputs(cell)
        if inputs is None or len(inputs) > MAX_TOKENS:
            return ANY_TOKEN
        return b"".join(self.of_inputs(inputs))

    def of_inputs(self, inputs: Iterable[bytes]) -> list[bytes]:
        return sorted(set(map(self._token, inputs)))


def _token_function(hashed: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def token(piece: bytes) -> bytes:
        made = hashed(prefixed(piece))[:TOKEN_SIZE]
        return made if made != ANY_TOKEN else _INSTEAD

    return token
