"""Connections are counted and freed; guessing is slowed without locking out known places."""

from __future__ import annotations

import pytest

from proxy.config import LimitsConfig
from proxy.limits import ConnectionLimits, FailedLogins, LimitReached, address_key

CONFIG = LimitsConfig(
    connections=3,
    connections_per_login=1,
    connections_per_address=2,
    failed_logins=3,
    failed_login_delay="1s",  # type: ignore[arg-type]
    failed_login_delay_max="8s",  # type: ignore[arg-type]
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_connections_are_limited_in_all_by_address_and_by_login_and_freed_again() -> None:
    limits = ConnectionLimits(CONFIG)
    limits.admit_address("a")
    limits.admit_address("a")
    with pytest.raises(LimitReached, match="from this address"):
        limits.admit_address("a")
    limits.admit_address("b")
    with pytest.raises(LimitReached, match=r"too many connections$"):
        limits.admit_address("c")
    limits.release_address("a")
    limits.admit_address("c")
    limits.admit_login("app")
    with pytest.raises(LimitReached, match="this login"):
        limits.admit_login("app")
    limits.release_login("app")
    limits.admit_login("app")
    assert limits.total == 3


def test_failures_block_for_longer_each_time_and_quiet_forgets_them() -> None:
    clock = Clock()
    logins = FailedLogins(CONFIG, clock)
    for _ in range(3):
        logins.check("a", "app")
        logins.failed("a", "app")
    with pytest.raises(LimitReached):
        logins.check("a", "app")
    clock.now += 1.1
    logins.check("a", "app")
    logins.failed("a", "app")
    clock.now += 1.1
    with pytest.raises(LimitReached):
        logins.check("a", "app")
    clock.now += 20
    logins.failed("a", "app")
    logins.check("a", "app")


def test_a_login_is_guarded_against_many_addresses_but_not_locked_for_a_known_one() -> None:
    clock = Clock()
    logins = FailedLogins(CONFIG, clock)
    logins.succeeded("home", "app")
    for n in range(3):
        logins.failed(f"evil{n}", "app")
    with pytest.raises(LimitReached):
        logins.check("evil9", "app")
    logins.check("home", "app")
    for _ in range(3):
        logins.failed("home", "app")
    with pytest.raises(LimitReached):
        logins.check("home", "app")


def test_a_good_login_of_ones_own_buys_no_guesses_at_others() -> None:
    logins = FailedLogins(CONFIG, Clock())
    for n in range(3):
        logins.failed("evil", f"victim{n}")
        logins.succeeded("evil", "own")
    with pytest.raises(LimitReached):
        logins.check("evil", "victim9")


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3::4", 1, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        ("", "unix"),
        (None, "unix"),
    ],
)
def test_what_counts_as_one_address(peer: object, key: str) -> None:
    assert address_key(peer) == key
