"""inet: the cell is the binary form (family, prefix length, 0, address length, address).

Text is read as inet_net_pton.c reads it, which is neither inet_pton() nor Python's ipaddress: `10.1/16` is an address.
"""

from __future__ import annotations

import re

from policies.fields import LogicalType
from proxy.wire.oids import ARRAYS, INET

from .codec import bad_binary, bad_text
from .settings import ValueSettings

_FAMILY_4, _FAMILY_6 = 2, 3
_IPV4 = re.compile(rb"([0-9]+(?:\.[0-9]+){0,3}\.?)(?:/([0-9]+))?")
_IPV4_IN_6 = re.compile(rb"[0-9]{0,3}(?:\.[0-9]{0,3}){1,3}")
_IPV6 = re.compile(rb"([0-9a-fA-F:.]+)(?:/([0-9]{1,3}))?")
_WORD = re.compile(rb"[0-9a-fA-F]{1,4}")


class InetCodec:
    type_oid = INET
    array_oid = ARRAYS[INET]
    logical = LogicalType.INET
    text_is_cell = False
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        cell = _read_ipv6(raw) if b":" in raw else _read_ipv4(raw)
        if cell is None:
            raise bad_text(raw, "inet")
        return cell

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        size = {_FAMILY_4: 4, _FAMILY_6: 16}.get(raw[0] if raw else 0)
        if size is None or len(raw) != 4 + size or raw[1] > 8 * size or raw[3] != size:
            raise bad_binary("inet")
        return raw[:2] + b"\0" + raw[3:]  # whether it came as cidr is not part of an inet

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        bits, address = cell[1], cell[4:]
        text = _dotted(address) if len(address) == 4 else _coloned(address)
        return text if bits == 8 * len(address) else b"%b/%d" % (text, bits)

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return cell


def _read_ipv4(raw: bytes) -> bytes | None:
    match = _IPV4.fullmatch(raw)
    if match is None or len(raw) > 64:
        return None
    octets = [int(part) for part in match[1].split(b".") if part]
    bits = 32 if match[2] is None else int(match[2])
    if max(octets) > 255 or bits > 32 or bits // 8 > len(octets) or (match[2] is None and len(octets) != 4):
        return None
    return bytes((_FAMILY_4, bits, 0, 4, *octets)).ljust(8, b"\0")


def _read_ipv6(raw: bytes) -> bytes | None:
    match = _IPV6.fullmatch(raw)
    if match is None or len(raw) > 64:
        return None
    bits = 128 if match[2] is None else _prefix(match[2], 128)
    address = _ipv6_address(match[1], has_prefix=match[2] is not None)
    if bits is None or address is None:
        return None
    return bytes((_FAMILY_6, bits, 0, 16)) + address


def _prefix(text: bytes, greatest: int) -> int | None:
    """As getbits(): no leading zero."""
    if len(text) > 1 and text.startswith(b"0"):
        return None
    return int(text) if int(text) <= greatest else None


def _ipv6_address(text: bytes, *, has_prefix: bool) -> bytes | None:
    if has_prefix and text.endswith(b":") and not text.endswith(b"::"):
        text = text[:-1]  # PostgreSQL minds a colon at the end only at the very end
    before, gap, after = text.partition(b"::")
    head = _words(before, has_prefix=has_prefix)
    tail = _words(after, has_prefix=has_prefix)
    if head is None or tail is None or (gap and b"." in before):
        return None
    if not gap:
        return head if len(head) == 16 else None
    if len(head) + len(tail) > 14:
        return None
    return head.ljust(16 - len(tail), b"\0") + tail


def _words(text: bytes, *, has_prefix: bool) -> bytes | None:
    """Words of up to four digits between colons; the last may be an IPv4 address."""
    if not text:
        return b""
    parts = text.split(b":")
    found = bytearray()
    for index, part in enumerate(parts):
        if _WORD.fullmatch(part):
            found += int(part, 16).to_bytes(2, "big")
        elif index == len(parts) - 1 and _IPV4_IN_6.fullmatch(part):
            address = _ipv4_in_6(part, has_prefix=has_prefix)
            if address is None:
                return None
            found += address
        else:
            return None
    return bytes(found)


def _ipv4_in_6(text: bytes, *, has_prefix: bool) -> bytes | None:
    """As getv4(): octets may be left out, and are 0; the last one only before a prefix length."""
    octets = text.split(b".")
    if any(int(octet or b"0") > 255 or (len(octet) > 1 and octet.startswith(b"0")) for octet in octets):
        return None
    if not octets[-1] and not has_prefix:
        return None
    return bytes([int(octet or b"0") for octet in octets]).ljust(4, b"\0")


def _dotted(address: bytes) -> bytes:
    return b"%d.%d.%d.%d" % tuple(address)


def _coloned(address: bytes) -> bytes:
    """As inet_net_ntop_ipv6(): the first of the longest runs of two or more zero words becomes `::`."""
    words = [int.from_bytes(address[i : i + 2], "big") for i in range(0, 16, 2)]
    base, length = _longest_zeros(words)
    if length < 2:
        return b":".join([b"%x" % word for word in words])
    head = b":".join([b"%x" % word for word in words[:base]])
    if base == 0 and (length == 6 or (length == 5 and words[5] == 0xFFFF)):
        return b"::" + (b"ffff:" if length == 5 else b"") + _dotted(address[12:])
    return head + b"::" + b":".join([b"%x" % word for word in words[base + length :]])


def _longest_zeros(words: list[int]) -> tuple[int, int]:
    best = (0, 0)
    for base in range(8):
        length = next((i for i, word in enumerate(words[base:]) if word), 8 - base)
        if length > best[1]:
            best = (base, length)
    return best
