"""One number in many spellings, where it stands beside a sealed table."""

from __future__ import annotations

from .group import Group

NUMBERS = (
    Group(
        "management",
        "numbers in many spellings",
        "the server reads them as it always does",
        "",
        tuple(
            f"SELECT id FROM customers WHERE {condition}"
            for condition in (
                "id = 1",
                "id = +1",
                "id = - -1",
                "id = 1.0",
                "id = 1e0",
                "id = 0x1",
                "id = '1'",
                "id = int8 '1'",
                "id = 1::int2",
                "id IN (SELECT 1)",
                "id BETWEEN 1 AND 1",
                "id = 2 - 1 AND NOT id = 2 OR id = 1 AND id <> 3",
                "(id, city) = (1, city)",
            )
        ),
        (("1",),),
    ),
)
