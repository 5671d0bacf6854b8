"""Who could go around the proxy: which lines of pg_hba.conf admit pass-through roles from elsewhere than from it.

`exposures` is pure.  It errs on the side of telling: a rule whose reach is not understood counts as open.  What it can
not see (a firewall, another pooler's host) the operator knows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from .control import Connection

_EVERYWHERE = frozenset(("all", "0.0.0.0", "::", "::0"))  # noqa: S104 - addresses to recognise, not to bind
_QUERY = """
SELECT h.line_number, h.type, h.user_name, h.database, h.address, h.netmask, h.auth_method
FROM pg_catalog.pg_hba_file_rules AS h WHERE h.error IS NULL ORDER BY h.line_number
"""
_ROLES = "SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS r WHERE r.rolcanlogin AND NOT r.rolsuper"
_ADDRESSES = "SELECT pg_catalog.host(pg_catalog.inet_client_addr()), pg_catalog.host(pg_catalog.inet_server_addr())"


@dataclass(frozen=True, slots=True)
class HbaRule:
    line: int
    kind: str  # local, host, hostssl, hostnossl, hostgssenc, hostnogssenc
    users: tuple[str, ...]
    databases: tuple[str, ...]
    address: str | None
    netmask: str | None
    method: str


@dataclass(frozen=True, slots=True)
class Exposure:
    line: int
    reason: str

    def __str__(self) -> str:
        return f"pg_hba.conf line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ProxyPlace:
    """Where the server sees the proxy.  `address` None: it comes by the unix socket."""

    address: str | None
    same_host: bool


def exposures(rules: Iterable[HbaRule], place: ProxyPlace, roles: frozenset[str]) -> list[Exposure]:
    """`roles` are those that log in through the proxy.  Rules are looked at in order; the first that matches counts."""
    found: list[Exposure] = []
    rejected: set[str] = set()
    for rule in rules:
        if rule.kind in rejected or not _concerns(rule, roles):
            continue
        if rule.method == "reject":
            if _rejects_all(rule):
                rejected |= {"local"} if rule.kind == "local" else {kind for kind in _TCP if _covers(rule.kind, kind)}
            continue
        if reason := _reason(rule, place):
            found.append(Exposure(rule.line, reason))
    return found


_TCP = ("host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")


def _covers(rejecting: str, kind: str) -> bool:
    return rejecting in ("host", kind)


def _concerns(rule: HbaRule, roles: frozenset[str]) -> bool:
    return any(user == "all" or user in roles or user[:1] in ("+", "/") for user in rule.users)


def _rejects_all(rule: HbaRule) -> bool:
    anywhere = rule.kind == "local" or (rule.address in _EVERYWHERE and rule.netmask in (None, "0.0.0.0", "::"))  # noqa: S104
    return "all" in rule.users and "all" in rule.databases and anywhere


def _reason(rule: HbaRule, place: ProxyPlace) -> str | None:
    if rule.method == "trust":
        return "asks for no proof at all (trust)"
    if rule.kind == "local":
        return None if place.address is None else "admits users of the server's own machine by the unix socket"
    if rule.address == "samehost" and place.same_host:
        return None
    if rule.address is None or place.address is None or not _is_just(rule, place.address):
        return f"admits these roles from {_shown(rule)}, not only from the proxy"
    return None


def _is_just(rule: HbaRule, address: str) -> bool:
    try:
        network = ipaddress.ip_network(f"{rule.address}/{rule.netmask}" if rule.netmask else str(rule.address))
        return network.num_addresses == 1 and ipaddress.ip_address(address) in network
    except ValueError:
        return False  # a host name, samenet, all


def _shown(rule: HbaRule) -> str:
    if rule.address is None:
        return "unknown addresses"
    try:
        return str(ipaddress.ip_network(f"{rule.address}/{rule.netmask}")) if rule.netmask else rule.address
    except ValueError:
        return rule.address


async def find_exposures(connection: Connection, control_user: str) -> list[Exposure] | None:
    """None when the control role may not read pg_hba.conf: then nobody has looked."""
    try:
        rows = await connection.fetch(_QUERY)
    except asyncpg.InsufficientPrivilegeError:
        return None
    client, server = await connection.fetchrow(_ADDRESSES)
    roles = {row[0] for row in await connection.fetch(_ROLES)} - {control_user}
    rules = [
        HbaRule(
            line=row["line_number"],
            kind=row["type"],
            users=tuple(row["user_name"]),
            databases=tuple(row["database"]),
            address=row["address"],
            netmask=row["netmask"],
            method=row["auth_method"],
        )
        for row in rows
    ]
    place = ProxyPlace(client, same_host=client is None or client == server or ipaddress.ip_address(client).is_loopback)
    return exposures(rules, place, frozenset(roles))
