"""Random texts and binary forms of values: mostly right, often nearly so.  Each function draws from one `Random`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from policies.fields import LogicalType

_MONTHS = ("Jan", "february", "MAR", "sept", "dec", "may")
_YEARS = ("0", "1", "44", "69", "70", "99", "100", "999", "1582", "1900", "1999", "2000", "2024", "9999", "10000")
_FAR_YEARS = ("294276", "294277", "5874897", "5874898", "0099")
_ZONES = (
    *("Z", "z", " UTC", "+00", "-08", "+5", "+05:30", "-0330", "+345", "+15:59", "+16", "+05:30:15", " +02"),
    *(" Europe/Berlin", " america/NEW_york", " Asia/Kathmandu", " Pacific/Apia", " Etc/GMT-14"),
)


def _chars(random: Random, alphabet: str, most: int) -> str:
    return "".join(random.choice(alphabet) for _ in range(random.randint(0, most)))


def _damaged(random: Random, text: str, alphabet: str) -> str:
    position = random.randint(0, len(text))
    return text[:position] + random.choice(alphabet) + text[position + random.randint(0, 1) :]


def integer(random: Random) -> str:
    if random.random() < 0.6:
        return random.choice(("", "-", "+", " ")) + _chars(random, "0123456789", random.choice((3, 6, 11, 20)))
    return _chars(random, "0123456789_+-xXoObBaAfF \t.", 10)


def numeric(random: Random) -> str:
    text = random.choice(("", "+", "-")) + _chars(random, "0123456789", 9)
    if random.random() < 0.7:
        text += "." + _chars(random, "0123456789", 9)
    if random.random() < 0.4:
        text += random.choice(("e", "E")) + random.choice(("", "+", "-"))
        text += str(random.randint(0, random.choice((3, 20, 300, 20000))))
    return _damaged(random, text, "0123456789._+-eE xob") if random.random() < 0.2 else text


def inet(random: Random) -> str:
    kind = random.random()
    if kind < 0.3:
        octets = ("0", "1", "9", "10", "127", "255", "256", "01")
        text = ".".join(random.choice(octets) for _ in range(random.randint(1, 5)))
    elif kind < 0.85:
        words = ("", "0", "1", "abcd", "FFFF", "0001", "00001", "0", "0", "1.2.3.4", "0.0", "10.1.2", "1.")
        text = ":".join(random.choice(words) for _ in range(random.randint(1, 9)))
    else:
        text = _chars(random, "0123456789.:/af", 12)
    prefixes = ("0", "1", "8", "16", "24", "31", "32", "33", "64", "127", "128", "129", "08", "00", "")
    return text + "/" + random.choice(prefixes) if random.random() < 0.4 else text


def moment(random: Random) -> str:
    year = random.choice((*_YEARS, *_FAR_YEARS, str(random.randint(1, 3000))))
    month = random.choice(("0", "1", "02", "3", "6", "10", "12", "13", str(random.randint(1, 12))))
    day = random.choice(("0", "1", "08", "28", "29", "30", "31", "32", str(random.randint(1, 31))))
    named = random.choice(_MONTHS)
    orders = ([year, month, day], [month, day, year], [day, month, year], [year, named, day])
    more = ([day, named, year], [named, day, year], [named, day + ",", year])
    parts = random.choice((*orders, *more))
    separator = random.choice("-/.-- ")
    text = separator.join(parts)
    if random.random() < 0.1:
        text = f"{random.randint(0, 9999):04d}{random.randint(0, 13):02d}{random.randint(0, 32):02d}"
    if random.random() < 0.1:
        text = random.choice(("Mon ", "friday, ", "Sat  ", "tue,")) + text
    era = random.choice(("", " BC", " ad", " bc")) if random.random() < 0.3 else ""
    if random.random() < 0.6:
        text, era = _with_time(random, text, era, separator)
    text += era
    return _damaged(random, text, "-:/. ,0aT+Z") if random.random() < 0.03 else text


def _with_time(random: Random, text: str, era: str, separator: str) -> tuple[str, str]:
    time = (
        f"{random.choice(('0', '2', '12', '13', '24', '04', str(random.randint(0, 23))))}:{random.randint(0, 60):02d}"
    )
    if random.random() < 0.7:
        time += f":{random.randint(0, 61):02d}"
        if random.random() < 0.6:
            time += "." + _chars(random, "0123456789", 9)
    if random.random() < 0.15:
        time += random.choice(("", " ")) + random.choice(("am", "PM"))
    zone = random.choice(_ZONES) if random.random() < 0.5 else ""
    words = text.split(" ")
    if random.random() < 0.2 and separator == " ":
        return " ".join((*words[:2], time, *words[2:])) + zone, era
    if random.random() < 0.3:
        return text + era + " " + time + zone, ""
    return text + random.choice((" ", " ", "T", "t", "  ")) + time + zone, era


def json(random: Random) -> str:
    text = _json_value(random, 3)
    return _damaged(random, text, ',{}[]"\\0 \t\x01xe.') if random.random() < 0.3 else text


def _json_value(random: Random, depth: int) -> str:
    kind = random.random()
    if depth <= 0 or kind < 0.3:
        numbers = ("1", "-0", "0", "1.50", "1e3", "1E-2", "-0.00", "12345678901234567890.10")
        strings = ('"a"', '"é"', '"\\u00e9\\n\\/"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000"', '"\\\\\\""')
        return random.choice((*numbers, *strings, "true", "false", "null", '"\\u001f"', '"\x7f"', '"\u2028"'))
    count = random.randint(0, 4)
    if kind < 0.6:
        return "[" + random.choice((",", " , ")).join(_json_value(random, depth - 1) for _ in range(count)) + "]"
    keys = ("a", "b", "aa", "é", "", "c", "\\u0061", "z\\n")
    members = (f'"{random.choice(keys)}":{_json_value(random, depth - 1)}' for _ in range(count))
    return "{" + random.choice((",", " ,")).join(members) + "}"


def bytea(random: Random) -> str:
    if random.random() < 0.5:
        return "\\x" + _chars(random, "0123456789abcDEF0123456789 \n\tg", 8)
    pieces = ("\\", "0", "1", "7", "8", "a", "\\\\", "\\101", "\\377", "\\400", "é", " ")
    return "".join(random.choice(pieces) for _ in range(random.randint(0, 6)))


def uuid(random: Random) -> str:
    text = random.choice(("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11"))
    for _ in range(random.randint(0, 2)):
        text = _damaged(random, text, "-{}g0")
    return "{" + text + "}" if random.random() < 0.2 else text


def boolean(random: Random) -> str:
    return _chars(random, "truefalseynoOFF10 ", 3)


def text(random: Random) -> str:
    return _chars(random, "aé  \U0001f600", 8)


TEXTS: dict[LogicalType, Callable[[Random], str]] = {
    LogicalType.TEXT: text,
    LogicalType.VARCHAR: text,
    LogicalType.INT2: integer,
    LogicalType.INT4: integer,
    LogicalType.INT8: integer,
    LogicalType.NUMERIC: numeric,
    LogicalType.BOOL: boolean,
    LogicalType.DATE: moment,
    LogicalType.TIMESTAMP: moment,
    LogicalType.TIMESTAMPTZ: moment,
    LogicalType.INET: inet,
    LogicalType.UUID: uuid,
    LogicalType.JSON: json,
    LogicalType.JSONB: json,
    LogicalType.BYTEA: bytea,
}


def binary(random: Random, logical: LogicalType) -> bytes:
    """A binary form, right most of the time."""
    raw = _BINARIES[logical](random)
    if random.random() < 0.1:
        return random.choice((raw[:-1], raw + b"\0", b"", raw[:1] + b"\xff" + raw[2:]))
    return raw


def _number(size: int, *edges: int) -> Callable[[Random], bytes]:
    def draw(random: Random) -> bytes:
        greatest = (1 << 8 * size - 1) - 1
        number = random.choice(
            (*edges, random.randint(-greatest - 1, greatest), random.randint(-(10**6), 10**6) % greatest)
        )
        return number.to_bytes(size, "big", signed=True)

    return draw


def _moment_number(random: Random) -> bytes:
    """Microseconds, most of them between 1700 and 2300."""
    near = random.randint(-9_467_000_000, 9_467_000_000) * 1_000_000 + random.choice((0, 0, 1, 500_000, 123_456))
    far = random.randint(-(2**63), 2**63 - 1)
    edges = (-211_813_488_000_000_000, -211_813_488_000_000_001, 9_223_371_331_199_999_999, 9_223_371_331_200_000_000)
    special = (2**63 - 1, -(2**63), 0)
    return random.choice((near, near, near, far, *edges, *special)).to_bytes(8, "big", signed=True)


def _numeric_binary(random: Random) -> bytes:
    groups = [random.choice((0, 1, 9999, 10, 5000, random.randint(0, 10000))) for _ in range(random.randint(0, 5))]
    sign = random.choice((0, 0, 0x4000, 0x4000, 0xC000, 0xD000, 0xF000, 0x1234))
    weight = random.choice((-3, -1, 0, 0, 1, 2, 5, 33000, -33000))
    scale = random.choice((0, 1, 2, 4, 7, 20, 16383, 16384))
    weight = max(min(weight, 32767), -32768)
    return struct.pack(f"!HhHH{len(groups)}H", len(groups), weight, sign, scale, *groups)


def _inet_binary(random: Random) -> bytes:
    size, family = random.choice(((4, 2), (16, 3)))
    address = bytes(random.choice((0, 0, 0, 255, random.randint(0, 255))) for _ in range(size))
    return bytes((family, random.randint(0, 8 * size + 1), random.choice((0, 1)), size)) + address


def _encoded(draw: Callable[[Random], str], prefix: bytes = b"") -> Callable[[Random], bytes]:
    return lambda random: prefix + draw(random).encode()


def _bytes(size: int) -> Callable[[Random], bytes]:
    return lambda random: random.randbytes(size)


_BINARIES: dict[LogicalType, Callable[[Random], bytes]] = {
    LogicalType.TEXT: _encoded(text),
    LogicalType.VARCHAR: _encoded(text),
    LogicalType.INT2: _number(2),
    LogicalType.INT4: _number(4),
    LogicalType.INT8: _number(8),
    LogicalType.NUMERIC: _numeric_binary,
    LogicalType.BOOL: _bytes(1),
    LogicalType.DATE: _number(4, -2_451_545, -2_451_546, 2_145_031_948, 2_145_031_949, 2**31 - 1, -(2**31), 0),
    LogicalType.TIMESTAMP: _moment_number,
    LogicalType.TIMESTAMPTZ: _moment_number,
    LogicalType.INET: _inet_binary,
    LogicalType.UUID: _bytes(16),
    LogicalType.JSON: _encoded(json),
    LogicalType.JSONB: _encoded(json, b"\x01"),
    LogicalType.BYTEA: _bytes(9),
}
