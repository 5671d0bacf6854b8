"""Which lines of pg_hba.conf let pass-through roles go around the proxy."""

from __future__ import annotations

import pytest

from proxy.hba import HbaRule, ProxyPlace, exposures

ROLES = frozenset({"app"})
ELSEWHERE = ProxyPlace("10.0.0.5", same_host=False)


def rule(
    kind: str = "hostssl",
    users: tuple[str, ...] = ("all",),
    address: str | None = "10.0.0.5",
    netmask: str | None = "255.255.255.255",
    method: str = "scram-sha-256",
    databases: tuple[str, ...] = ("all",),
) -> HbaRule:
    return HbaRule(7, kind, users, databases, address, netmask, method)


@pytest.mark.parametrize(
    ("given", "open_"),
    [
        (rule(), False),
        (rule(address="10.0.0.6"), True),
        (rule(address="10.0.0.0", netmask="255.255.255.0"), True),
        (rule(address="0.0.0.0", netmask="0.0.0.0"), True),
        (rule(address="all", netmask=None), True),
        (rule(address="samenet", netmask=None), True),
        (rule(address="db.example", netmask=None), True),
        (rule(users=("postgres",), address="all", netmask=None), False),
        (rule(users=("app",), address="all", netmask=None), True),
        (rule(users=("+group",), address="all", netmask=None), True),
        (rule(users=("/^a",), address="all", netmask=None), True),
        (rule(kind="local", address=None, netmask=None), True),
        (rule(method="trust"), True),
        (rule(method="reject", address="all", netmask=None), False),
    ],
)
def test_lines(given: HbaRule, open_: bool) -> None:
    assert bool(exposures([given], ELSEWHERE, ROLES)) is open_


def test_what_is_rejected_before_is_not_open_later() -> None:
    everything = rule(kind="host", address="0.0.0.0", netmask="0.0.0.0", method="reject")
    later = rule(kind="hostssl", address="all", netmask=None)
    assert exposures([everything, later], ELSEWHERE, ROLES) == []
    assert exposures([later, everything], ELSEWHERE, ROLES) != []
    some = rule(kind="host", users=("other",), address="0.0.0.0", netmask="0.0.0.0", method="reject")
    assert exposures([some, later], ELSEWHERE, ROLES) != []
    only_plain = rule(kind="hostnossl", address="0.0.0.0", netmask="0.0.0.0", method="reject")
    assert exposures([only_plain, later], ELSEWHERE, ROLES) != []


def test_a_proxy_on_the_servers_own_machine() -> None:
    by_socket = ProxyPlace(None, same_host=True)
    assert exposures([rule(kind="local", address=None, netmask=None)], by_socket, ROLES) == []
    assert exposures([rule(address="samehost", netmask=None)], by_socket, ROLES) == []
    assert str(exposures([rule()], by_socket, ROLES)[0]).startswith(
        "pg_hba.conf line 7: admits these roles from 10.0.0.5/32"
    )
