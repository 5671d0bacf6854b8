"""What the data map's sealed fields need of the keyring, in the keyring's own words.  Pure."""

from __future__ import annotations

from keys.keyring import KeyNeed
from policies.fields import DataMap


def key_needs(data_map: DataMap) -> tuple[KeyNeed, ...]:
    """One need for each sealed field, in the order of the data map."""
    return tuple(
        KeyNeed(
            controller=data_map.controller,
            field_id=field.sealing.field_id,
            name=field.name,
            equality=field.sealing.equality,
            join_group=field.sealing.join_group,
            row_bound=field.sealing.row_bound,
            pad_to=field.sealing.pad_to,
        )
        for table in data_map.tables.values()
        for field in table.fields.values()
        if field.sealing is not None
    )
