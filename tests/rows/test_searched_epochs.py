"""What is searched for is of the epoch of the column that the plan names, whatever cells are written by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.field import FieldKeyCipher, Searching, TermKey, TokenKey
from policies.fields import Field
from policies.model import Principal
from proxy.errors import CellUnreadable, SqlState
from proxy.rows.params import SlotFiller
from proxy.sql.plan import Comparing, Slot, SlotKind, ValueSource
from proxy.wire.values.settings import ValueSettings
from tests.keys.making import CountedLeases, data_key
from tests.sealing.making import field_of, id_of

NAME = field_of("name", 1, equality=True, tokens=("match.1",))
PRINCIPAL = Principal("login", "person", frozenset(), "shop", "contract")


def searching(epoch: int) -> Searching:
    return Searching(TermKey("s", bytes([epoch]) * 32, (), epoch), TokenKey(bytes([epoch]) * 32, ("match.1",), epoch))


class Ciphers:
    def __init__(self, first: int, *others: int) -> None:
        own = searching(first)
        self._cipher = FieldKeyCipher(
            controller="shop",
            field_id=id_of(NAME),
            primary=data_key(),
            leases=CountedLeases(),
            term_key=own.term,
            token_key=own.tokens,
            others=[searching(epoch) for epoch in others],
        )

    def cipher(self, field_id: str) -> FieldKeyCipher:
        return self._cipher


def asked(ciphers: Ciphers, field: Field, *, array: bool = False) -> tuple[bytes, bytes]:
    """As literals: by a term, or by several, and by a part."""
    filler = SlotFiller(ciphers, PRINCIPAL, ValueSettings(), lambda count: None)
    source = ValueSource(constant=b"{anna}" if array else b"anna")
    part = Slot(SlotKind.TOKENS, ValueSource(constant=b"%nna%"), field, comparing=Comparing.LIKE)
    return filler.literal(Slot(SlotKind.TERM, source, field, array=array)), filler.literal(part)


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_of_the_epoch_of_the_column(epoch: int, array: bool) -> None:
    alone = asked(Ciphers(epoch), replace(NAME, term_epoch=epoch, token_epoch=epoch), array=array)
    beside = Ciphers(2, 1, 3)
    assert asked(beside, replace(NAME, term_epoch=epoch, token_epoch=epoch), array=array) == alone
    other = epoch % 3 + 1
    term, part = asked(beside, replace(NAME, term_epoch=epoch, token_epoch=other), array=array)
    assert (term, part == alone[1]) == (alone[0], False)


@pytest.mark.parametrize("field", [replace(NAME, term_epoch=4), replace(NAME, token_epoch=4)], ids=["term", "tokens"])
def test_a_key_that_is_gone_is_said_to_be(field: Field) -> None:
    with pytest.raises(CellUnreadable, match=r"no key for the terms that public\.people\.name is") as refused:
        asked(Ciphers(1), field)
    assert refused.value.sqlstate == SqlState.NOT_IN_PREREQUISITE_STATE
