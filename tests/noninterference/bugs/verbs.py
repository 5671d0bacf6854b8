"""A verb that nobody asks for any more."""

from __future__ import annotations

from typing import Any

from policies.model import Verb
from proxy.sql import authorise

from .bug import Breaking, Bug, replacing, silenced, trying


def _unasked(verb: Verb) -> Breaking:
    def made(charge: Any) -> Any:
        return lambda self, column, verbs, position: charge(self, column, verbs & ~verb, position)

    return replacing(authorise.Ledger, "charge", made)


_ASTRAY = {"straying": 4}


VERBS = (
    Bug("the verb read is not asked for", _unasked(Verb.READ), favoured=_ASTRAY),
    Bug("the verb filter_eq is not asked for", _unasked(Verb.FILTER_EQ), favoured=trying("filter")),
    Bug("the verb filter_range is not asked for", _unasked(Verb.FILTER_RANGE), favoured=_ASTRAY | {"range": 4}),
    Bug("the verb join is not asked for", _unasked(Verb.JOIN), favoured=trying("join")),
    Bug("the verb group is not asked for", _unasked(Verb.GROUP), favoured=trying("group")),
    Bug("the verb order is not asked for", _unasked(Verb.ORDER), favoured=trying("order")),
    Bug("the verb aggregate is not asked for", _unasked(Verb.AGGREGATE), favoured=trying("aggregate")),
    Bug("what may only be compared may be read", _unasked(Verb.READ), "apart", _ASTRAY),
    Bug("what may only be sorted by may be compared", _unasked(Verb.FILTER_RANGE), "apart", _ASTRAY | {"range": 4}),
    Bug("rows may be counted by everybody", silenced(authorise.Ledger, "charge_existence"), "hr",
        trying("rows")),
)  # fmt: skip
