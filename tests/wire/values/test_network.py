"""inet, with Python's ipaddress as the oracle where the two agree."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.values import DEFAULT_SETTINGS
from proxy.wire.values.network import InetCodec

CODEC = InetCodec()
sparse = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0xABCD]), min_size=8, max_size=8).map(
    lambda words: IPv6Address(b"".join(word.to_bytes(2, "big") for word in words))
)
interfaces = st.one_of(
    st.builds(lambda ip, bits: IPv4Interface((ip, bits)), st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda ip, bits: IPv6Interface((ip, bits)), st.ip_addresses(v=6) | sparse, st.integers(0, 128)),
)


def read(text: str) -> bytes:
    return CODEC.from_text(text.encode(), -1, DEFAULT_SETTINGS)


@given(interfaces)
def test_addresses(interface: IPv4Interface | IPv6Interface) -> None:
    bits = interface.network.prefixlen
    cell = read(str(interface))
    assert cell[1] == bits
    assert cell[4:] == interface.ip.packed
    assert read(interface.with_prefixlen.upper()) == cell
    written = CODEC.to_text(cell, DEFAULT_SETTINGS).decode()
    assert ip_interface(written) == interface
    assert ("/" in written) is (bits != interface.ip.max_prefixlen)
    assert read(written) == cell


@given(interfaces)
def test_whether_it_came_as_cidr_is_no_part_of_it(interface: IPv4Interface | IPv6Interface) -> None:
    cell = read(str(interface))
    assert CODEC.from_binary(cell[:2] + b"\1" + cell[3:], -1) == cell
    assert CODEC.from_binary(cell, -1) == cell


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0:0:1:0:0:0:1:0", b"0:0:1::1:0"),  # the longest run of zeros
        ("1:0:0:1:0:0:1:1", b"1::1:0:0:1:1"),  # the first of two
        ("1:0:1:1:1:1:1:1", b"1:0:1:1:1:1:1:1"),  # a single zero stays
        ("::1.2.3.4", b"::1.2.3.4"),
        ("::1", b"::1"),
        ("::ffff:0:1", b"::ffff:0.0.0.1"),
        ("10/8", b"10.0.0.0/8"),
    ],
)
def test_how_it_is_written(text: str, written: bytes) -> None:
    assert CODEC.to_text(read(text), DEFAULT_SETTINGS) == written
