"""Values that an almost right implementation gets wrong."""

from __future__ import annotations

import random

from .twins import Row

TEXTS = (
    "", " ", "  x  ", "a", "Z", "abc", "ABC xyz", "Straße", "STRASSE", "ẞ", "İstanbul", "ıI", "e\u0301", "é", "É", "Å",
    "\U0001f600", "\U0001f600a\U00010400", "\U00010428", "ﬁne", "Ǆ ǅ ǆ", "ΟΔΥΣΣΕΥΣ", "Σ", "ΑΣ", "ς", "日本語",
    "\u0130", "a\nb\tc", "\\x41", "%_", "O'Neil", '"q"', "x" * 300, "é" * 130, "\u00a0 nb \u3000", "ŉ", "Կև", "ա",
    "\uffff", "\U0010ffff", "\u0301", "zzz", "Ёжик", "ёЖИК", "ǰ", "ΐ", "\u1e9e\u0345", "K", "𐐀", "Ꭰ", "ა", "Ა",
)  # fmt: skip
SHORT = tuple(text for text in TEXTS if len(text) <= 40)
DATES = (
    "2000-01-01", "1999-12-31", "2001-02-28", "2024-02-29", "0001-01-01", "0001-12-31 BC", "0044-03-15 BC",
    "4714-11-24 BC", "5874897-12-31", "10000-01-01", "infinity", "-infinity", "2020-12-31", "2021-01-03", "1900-03-01",
    "2000-12-31", "2001-01-01", "0101-01-01 BC", "1000-01-01", "1001-01-01", "294276-12-31", "294277-01-01",
)  # fmt: skip
_CLOCKS = ("00:00:00", "23:59:59.999999", "12:34:56.5", "02:30:00")
_STAMPS = tuple(each for each in DATES if each not in ("5874897-12-31", "294277-01-01"))
NUMBERS = ("0", "-1", "1", "32767", "-32768", "7", None)
NUMERICS = (
    "0", "-0", "0.00", "NaN", "1", "1.0", "1.00", "-1.5", "1e20", "-1e20", "0.1", "0.10000000000000000000001",
    "999999999", "-0.0001", "1e-10", "12345678901234567890.123456789", "9", "10", "100", "Infinity", "-Infinity",
)  # fmt: skip
BYTES = ("\\x", "\\x00", "\\xff", "\\x00ff", "\\x4142", "\\xff00", "\\x41")
UUIDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "0a0eebc9-9c0b-4ef8-bb6d-6bb9bd380a11")  # fmt: skip
NETWORKS = ("10.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "9.255.255.255", "192.168.0.1/24", "::1", "::/0", "0.0.0.0/0",
            "fe80::1/64", "fe80::", "10.0.0.1/32", "2001:db8::1")  # fmt: skip


def stamp(chance: random.Random) -> str:
    day = chance.choice(_STAMPS)
    if "infinity" in day or day.startswith(("4714", "294276")):
        return day
    date, _, era = day.partition(" ")
    return f"{date} {chance.choice(_CLOCKS)} {era}".strip()


def rows(seed: int, count: int) -> list[Row]:
    chance = random.Random(seed)
    choose = {
        "t": lambda: chance.choice(TEXTS), "o": lambda: chance.choice(TEXTS), "v": lambda: chance.choice(SHORT),
        "i": lambda: chance.choice(NUMBERS), "n": lambda: chance.choice((*NUMBERS, "2147483647", "-2147483648")),
        "l": lambda: chance.choice((*NUMBERS, "9223372036854775807", "-9223372036854775808")),
        "d": lambda: chance.choice(NUMERICS), "b": lambda: chance.choice(("t", "f")),
        "da": lambda: chance.choice(DATES), "ts": lambda: stamp(chance), "tz": lambda: stamp(chance),
        "u": lambda: chance.choice(UUIDS), "y": lambda: chance.choice(BYTES), "ip": lambda: chance.choice(NETWORKS),
        "p": lambda: chance.choice(TEXTS), "k": lambda: chance.choice(NUMBERS),
    }  # fmt: skip
    made: list[Row] = [{name: None if chance.random() < 0.12 else value() for name, value in choose.items()}
                       for _ in range(count)]  # fmt: skip
    for number, text in enumerate(TEXTS):
        made[number % count]["t"] = text
    for number, day in enumerate(DATES):
        made[number % count]["da"] = day
    return made
