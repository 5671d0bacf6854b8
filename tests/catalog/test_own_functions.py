"""What Fieldgate itself makes in a database is known: writes go on while a column is sealed or its key is rotated."""

from __future__ import annotations

import pytest

from policies.fields import Harmless, LogicalType, Sealing
from proxy.catalog_functions import known_at_first
from proxy.sealing.fences import write_fence_name

FIELD = "0123456789abcdef" * 2
FENCE = write_fence_name(Sealing(FIELD, LogicalType.TEXT))


def is_known(signature: str) -> bool:
    row = {
        "oid": 1, "extension": None, "language": "plpgsql", "definer": False, "made_with_type": False,
        "volatility": "v", "signature": signature,
    }  # fmt: skip
    return 1 in known_at_first([row], Harmless()).known


@pytest.mark.parametrize(
    "signature",
    [
        f"public.{FENCE}()",
        f"sales.fg_new_{FIELD}()",
        f"public.fg_open_{FIELD}()",
        f"public.fg_fence_{FIELD}()",
        f"public.fg_fence_row_{FIELD}()",
        "fieldgate.catalog_changed()",
    ],
)
def test_our_own_are_known(signature: str) -> None:
    assert is_known(signature)


@pytest.mark.parametrize(
    "signature",
    [
        f"public.{FENCE}(integer)",
        f"public.{FENCE}_more()",
        f"public.x{FENCE}()",
        f"public.fg_new_{FIELD}_key()",
        "public.fg_fence_key()",
        "public.catalog_changed()",
    ],
)
def test_names_like_ours_are_not(signature: str) -> None:
    assert not is_known(signature)
