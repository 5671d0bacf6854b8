"""One side door: statements of one login, what stops them, and the code of the refusal."""

from __future__ import annotations

from dataclasses import dataclass, replace

ANNA = "anna.smirnova@example.org"  # customer 1, as the sample has her

# Everybody who may not read everything.
RESTRICTED = ("support", "accounting", "client", "analyst", "dpo", "hr", "shop_app")

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`door`: what they try.  `rule`: what stops them, or why they may pass.

    `code` is the SQLSTATE of the refusal; "" means that the statements pass and return `rows`.
    """

    role: str
    door: str
    rule: str
    code: str
    statements: tuple[str, ...]
    rows: tuple[Row, ...] | None = None


def for_everybody(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The same for each restricted role."""
    return tuple(replace(group, role=role) for role in RESTRICTED for group in groups)
