"""What sealed fields need of the keyring, in the keyring's own words, and whose keys are theirs alone.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keys.keyring import KeyNeed
from policies.fields import DataMap, Field
from proxy.errors import ConfigError


def key_needs(data_map: DataMap) -> tuple[KeyNeed, ...]:
    """One need for each sealed field, in the order of the data map."""
    return tuple(
        KeyNeed(
            controller=data_map.controller,
            field_id=field.sealing.field_id,
            name=field.name,
            equality=field.sealing.equality,
            join_group=field.sealing.join_group,
            normalisers=field.sealing.normalisers,
            tokens=field.sealing.tokens,
            row_bound=field.sealing.row_bound,
            pad_to=field.sealing.pad_to,
            subject_kind=field.sealing.subject_kind,
        )
        for field in _sealed(data_map)
        if field.sealing is not None
    )


def check_own_keys(data_maps: Iterable[DataMap]) -> None:
    """A field with `own_key` shares its id, and with it its keys, with no field of another database.

    Within one data map the loader has looked.  Raises ConfigError.
    """
    seen: dict[tuple[str, str], tuple[DataMap, Field]] = {}
    for data_map in data_maps:
        for field in _sealed(data_map):
            assert field.sealing is not None  # noqa: S101
            before, other = seen.setdefault((data_map.controller, field.sealing.field_id), (data_map, field))
            assert other.sealing is not None  # noqa: S101
            if before is not data_map and (field.sealing.own_key or other.sealing.own_key):
                raise ConfigError(
                    f"{field.name} of database {data_map.database} and {other.name} of database {before.database} have"
                    " one id, so they share their keys; one of them says own_key"
                )


def _sealed(data_map: DataMap) -> Iterator[Field]:
    return (f for table in data_map.tables.values() for f in table.fields.values() if f.sealing is not None)
