"""Who asks: the sample's restricted logins, and a few whose rights are single verbs, which the sample has nowhere."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from policies.loader import SHOP, load_policy
from policies.model import Principal
from policies.policy_set import PolicySet

_RULES = """
apart, key.customer, read|filter_eq|filter_range|join|order, *, allow, , D17, To name rows by
apart, key.order, read|filter_eq|filter_range|join|order, *, allow, , D17, To name rows by
apart, pd.address.city, filter_eq, *, allow, , D17, To be found and never shown
apart, pd.identity.name, filter_eq, *, allow, , D17, The same of cells
apart, pd.contact.phone, mask, *, allow, mask=null, D17, Reads as NULL
apart, account.registered_at, order, *, allow, , D17, To sort by and never shown
apart, account.status, update, *, allow, , D17, To be written and never shown
apart, order.total, filter_range, *, allow, , D17, To be compared and never shown
apart, order.status, read, *, allow, , D17, To be shown and nothing else
apart, order.pd.address, order, *, allow, , D17, Cells to sort by and never shown
tally, order.status, group|aggregate|filter_eq|filter_range|join, *, allow, min_group=5, D17, To be summed by
tally, order.total, aggregate, *, allow, min_group=5, D17, To be summed and never shown
tally, key.order, aggregate|filter_eq|filter_range|join, *, allow, min_group=5, D17, To be counted
tally, pd.address, group|aggregate|filter_eq|join, *, allow, min_group=5, D17, To be counted by
entry, registration, insert, *, allow, , D17, To be written and never looked for
entry, account, insert, *, allow, , D17, To be written and never looked for
entry, corr, insert, *, allow, , D17, To be written and never looked for
"""
_ROLES = """
[role.apart]
title = "Single verbs"
purpose = "contract"

[role.tally]
title = "Figures over what it chooses"
purpose = "contract"

[role.entry]
title = "Writes and reads nothing"
purpose = "contract"
"""
_LOGINS = """
[login.apart]
kind = "person"
roles = ["apart"]

[login.tally]
kind = "person"
roles = ["tally"]

[login.entry]
kind = "person"
roles = ["entry"]
"""


@dataclass(frozen=True, slots=True)
class Seat:
    """`name` names its databases, too."""

    name: str
    login: str
    purpose: str | None = None


SEATS = (
    Seat("support", "support"),
    Seat("accounting", "accounting"),
    Seat("client", "client"),
    Seat("analyst", "analyst"),
    Seat("visits", "analyst", "site_analytics"),
    Seat("hr", "hr"),
    Seat("shop_app", "shop_app"),
    Seat("dpo", "dpo"),
    Seat("apart", "apart"),
    Seat("tally", "tally"),
    Seat("entry", "entry"),
)
BY_NAME = {seat.name: seat for seat in SEATS}
MANAGEMENT = Seat("management", "management")


@cache
def policy() -> PolicySet:
    """The sample's policy and the roles of this file."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "policy"
        shutil.copytree(SHOP, folder)
        for name, more in (("policy.csv", _RULES), ("roles.toml", _ROLES), ("logins.toml", _LOGINS)):
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write(more)
        return load_policy(folder)


def principal(seat: Seat) -> Principal:
    return policy().principal(seat.login, purpose=seat.purpose)
