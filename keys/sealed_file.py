"""What the two files that a passphrase protects have in common: strict entries, the derivation, one spelling.  Pure."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from .providers.local import Cost, Derivation


def hexadecimal(size: int) -> Any:
    """The type of `size` bytes in lower-case hexadecimal."""
    return Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{2 * size}}}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class DerivationEntry(Strict):
    name: Literal["argon2id"]
    passes: int
    memory_kib: int
    lanes: int
    salt: hexadecimal(16)  # type: ignore[valid-type]


def derivation_of(entry: DerivationEntry) -> Derivation:
    """Raises KeyringInvalid for a cost outside of the bounds, before anything is derived."""
    return Derivation(Cost(entry.passes, entry.memory_kib, entry.lanes), bytes.fromhex(entry.salt))


def derivation_entry(derivation: Derivation) -> dict[str, Any]:
    cost = derivation.cost
    return {
        "name": "argon2id",
        "passes": cost.passes,
        "memory_kib": cost.memory_kib,
        "lanes": cost.lanes,
        "salt": derivation.salt.hex(),
    }


def canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True).encode() + b"\n"
